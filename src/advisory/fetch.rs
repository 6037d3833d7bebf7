//! Gets a feed's file over HTTP, or learns that the stored one is still the publisher's.
//!
//! TLS is rustls with ring; a proxy is taken from the environment. Size and time are limited, and
//! a feed asked for over https is not taken from a redirect to http.

use super::import::{MAX_FEED, Origin};
use super::store::FeedInfo;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;
use ureq::http::{HeaderMap, StatusCode, header};

/// Time for all of one fetch.
pub const TIME_LIMIT: Duration = Duration::from_mins(15);

/// The outcome of a fetch.
#[derive(Debug)]
pub enum Fetched {
    /// The stored data are those of the publisher.
    Unchanged,
    /// A file without a name, at its start, and where it is from.
    File(File, Origin),
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer, or one that broke off.
    #[error("{url}: {cause}")]
    Http {
        /// What was asked for.
        url: String,
        /// Why.
        cause: Box<ureq::Error>,
    },
    /// An answer without data.
    #[error("{url}: the server answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The data cannot be read, or kept on the way.
    #[error("{url}: {cause}")]
    Io {
        /// What was asked for.
        url: String,
        /// Why.
        cause: io::Error,
    },
}

/// Gets `url` into a temporary file in `folder`. What is `stored` from the same URL saves the
/// transfer if it is still good.
pub fn fetch(url: &str, stored: Option<&FeedInfo>, folder: &Path) -> Result<Fetched, FetchError> {
    fetch_within(url, stored, folder, TIME_LIMIT, MAX_FEED)
}

fn fetch_within(
    url: &str,
    stored: Option<&FeedInfo>,
    folder: &Path,
    time: Duration,
    size: u64,
) -> Result<Fetched, FetchError> {
    let http = |cause| FetchError::Http { url: url.to_owned(), cause: Box::new(cause) };
    let mut request = agent(url, time).get(url);
    let stored = stored.filter(|stored| stored.source == url);
    if let Some(tag) = stored.and_then(|stored| stored.etag.as_deref()) {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    if let Some(date) = stored.and_then(|stored| stored.last_modified.as_deref()) {
        request = request.header(header::IF_MODIFIED_SINCE, date);
    }
    let mut response = request.call().map_err(http)?;
    match response.status() {
        StatusCode::NOT_MODIFIED if stored.is_some() => return Ok(Fetched::Unchanged),
        StatusCode::OK => {}
        status => return Err(FetchError::Status { url: url.to_owned(), status: status.as_u16() }),
    }
    let origin = Origin {
        source: url.to_owned(),
        etag: text(response.headers(), header::ETAG),
        last_modified: text(response.headers(), header::LAST_MODIFIED),
        date: None,
    };
    let mut body = response.body_mut().with_config().limit(size).reader();
    let file =
        keep(&mut body, folder).map_err(|cause| FetchError::Io { url: url.to_owned(), cause })?;
    Ok(Fetched::File(file, origin))
}

fn agent(url: &str, time: Duration) -> ureq::Agent {
    let secure = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(time))
        .timeout_connect(Some(Duration::from_secs(30)))
        .https_only(secure)
        .http_status_as_error(false)
        .user_agent(concat!("sidelight/", env!("CARGO_PKG_VERSION")))
        .build();
    ureq::Agent::new_with_config(config)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (text.len() <= 1024).then(|| text.to_owned())
}

fn keep(body: &mut impl io::Read, folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::tempfile_in(folder)?;
    io::copy(body, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests;
