//! Where results go when they leave the machine: a folder of a bucket, with the caller's own rights.

use super::{Account, Error, Kind};
use aws_sdk_s3::primitives::ByteStream;
use std::path::Path;

/// The action that writes a result.
pub const PUT: &str = "s3:PutObject";
/// US dollars for one of them (us-east-1).
pub const USD_PER_PUT: f64 = 0.005 / 1000.0;

/// A folder of a bucket, `s3://BUCKET/FOLDER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What the keys begin with, without a slash at its end.
    pub folder: String,
}

impl Bucket {
    /// Reads `s3://BUCKET[/FOLDER]`; `None` if the text is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, folder) = text
            .strip_prefix("s3://")
            .map(|rest| rest.split_once('/').map_or((rest, ""), |(name, folder)| (name, folder)))?;
        let known =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        let named = (3..=63).contains(&name.len()) && name.bytes().all(known);
        let folder = folder.trim_matches('/').to_owned();
        named.then(|| Self { name: name.to_owned(), folder })
    }

    fn key(&self, path: &str) -> String {
        if self.folder.is_empty() { path.to_owned() } else { format!("{}/{path}", self.folder) }
    }
}

impl Account {
    /// Puts a JSON document into a bucket, encrypted as the bucket says.
    pub fn put(&self, bucket: &Bucket, path: &str, file: &Path) -> Result<(), Error> {
        let call = self.results.put_object().bucket(&bucket.name).key(bucket.key(path));
        let call = call.content_type("application/json");
        let file = file.to_owned();
        let answer = self.wait(async move {
            let body = ByteStream::from_path(file).await;
            let body = body.map_err(|error| Error::new(PUT, Kind::Other, error.to_string()))?;
            let answer = call.body(body).send().await;
            answer.map_err(|error| Error::from_sdk(PUT, &error))
        })?;
        answer.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_and_its_folder() {
        let bucket = Bucket::parse("s3://results-1/a/b/").unwrap();
        assert_eq!((bucket.name.as_str(), bucket.key("x/y")), ("results-1", "a/b/x/y".to_owned()));
        assert_eq!(Bucket::parse("s3://results").unwrap().key("x"), "x");
        for text in ["results", "s3://", "s3://UPPER", "s3://a", "https://results"] {
            assert_eq!(Bucket::parse(text), None, "{text}");
        }
    }
}
