//! Gets a feed's file over HTTP, or learns that the stored one is still the publisher's.
//!
//! TLS is rustls with ring, and trusts whom the machine trusts; a proxy is taken from the
//! environment. Size and time are limited, and a feed asked for over https is not taken from a
//! redirect to http.

use super::import::{MAX_FEED, Origin};
use super::store::FeedInfo;
use roots::RootsError;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};

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
    /// The server's certificate comes from nobody whom this machine trusts.
    #[error(
        "{url}: the certificate is not from an authority that this machine trusts; one of your own \
         (a TLS proxy, a mirror) belongs in the system's store or in SSL_CERT_FILE"
    )]
    Untrusted {
        /// What was asked for.
        url: String,
    },
    /// A redirect that would give up https.
    #[error("{url}: not followed from https to {to}")]
    Downgrade {
        /// What was asked for.
        url: String,
        /// Where the server points to.
        to: String,
    },
    /// The authorities to trust cannot be read.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// More than will be kept.
    #[error("{url}: larger than {} MiB, the limit", limit >> 20)]
    TooLarge {
        /// What was asked for.
        url: String,
        /// Bytes that are kept at most.
        limit: u64,
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
/// transfer if it is still good. `received` counts the unpacked bytes as they come.
pub fn fetch(
    url: &str,
    stored: Option<&FeedInfo>,
    folder: &Path,
    received: &AtomicU64,
) -> Result<Fetched, FetchError> {
    fetch_within(url, stored, folder, received, TIME_LIMIT, MAX_FEED)
}

fn fetch_within(
    url: &str,
    stored: Option<&FeedInfo>,
    folder: &Path,
    received: &AtomicU64,
    time: Duration,
    size: u64,
) -> Result<Fetched, FetchError> {
    let roots = roots::trusted()?;
    let mut request = agent(url, time, roots).get(url);
    let stored = stored.filter(|stored| stored.source == url);
    if let Some(tag) = stored.and_then(|stored| stored.etag.as_deref()) {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    if let Some(date) = stored.and_then(|stored| stored.last_modified.as_deref()) {
        request = request.header(header::IF_MODIFIED_SINCE, date);
    }
    let mut response = request.call().map_err(|cause| no_answer(url, cause))?;
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
    if response.body().content_length().is_some_and(|length| length > size) {
        return Err(FetchError::TooLarge { url: url.to_owned(), limit: size });
    }
    let body = response.body_mut().with_config().limit(size).reader();
    let file =
        keep(&mut Received { body, received }, folder).map_err(|cause| broken(url, cause, size))?;
    Ok(Fetched::File(file, origin))
}

fn no_answer(url: &str, cause: ureq::Error) -> FetchError {
    use rustls::CertificateError::{BadSignature, UnknownIssuer};
    use rustls::Error::InvalidCertificate;
    let url = url.to_owned();
    let tls = match &cause {
        ureq::Error::RequireHttpsOnly(to) => {
            return FetchError::Downgrade { url, to: to.clone() };
        }
        ureq::Error::Rustls(tls) => Some(tls),
        ureq::Error::Io(cause) => cause.get_ref().and_then(|cause| cause.downcast_ref()),
        _ => None,
    };
    match tls {
        // A bad signature is that of an authority with the name of a trusted one.
        Some(InvalidCertificate(UnknownIssuer | BadSignature)) => FetchError::Untrusted { url },
        _ => FetchError::Http { url, cause: Box::new(cause) },
    }
}

/// A body that ends too early or is too long; ureq hides its own errors in those of the reader.
fn broken(url: &str, cause: io::Error, limit: u64) -> FetchError {
    let url = url.to_owned();
    match cause.get_ref().and_then(|cause| cause.downcast_ref()) {
        Some(ureq::Error::BodyExceedsLimit(_)) => FetchError::TooLarge { url, limit },
        _ => FetchError::Io { url, cause },
    }
}

fn agent(url: &str, time: Duration, roots: RootCerts) -> ureq::Agent {
    let secure = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(time))
        .timeout_connect(Some(Duration::from_secs(30)))
        .https_only(secure)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
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

/// Counts what goes through.
struct Received<'a, R> {
    body: R,
    received: &'a AtomicU64,
}

impl<R: io::Read> io::Read for Received<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        self.received.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

mod roots;
#[cfg(test)]
mod tests;
