//! Where results go: a folder of this machine, or of a bucket.

use crate::cloud::{Account, Bucket, PUT};
use crate::commands::output::Output;
use anyhow::Context;
use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    /// A folder of this machine.
    Local(PathBuf),
    /// A folder of a bucket.
    Bucket(Bucket),
}

impl Folder {
    /// Reads a path, or `s3://BUCKET/FOLDER`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if !text.starts_with("s3://") {
            return Ok(Self::Local(text.into()));
        }
        let bucket = Bucket::parse(text).with_context(|| format!("{text}: no bucket of S3"))?;
        Ok(Self::Bucket(bucket))
    }

    /// What writing takes, as IAM writes it where it does.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Local(_) => "write",
            Self::Bucket(_) => PUT,
        }
    }

    /// Writes a file: all of it or nothing.
    pub fn write(
        &self,
        account: &Account,
        path: &str,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Local(folder) => {
                let path = folder.join(path);
                let parent = path.parent().unwrap_or(folder);
                fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
                Output::at(&path)?.write(content)
            }
            Self::Bucket(bucket) => {
                // A sweep of thousands of hosts is more than memory should hold.
                let mut spool = BufWriter::new(tempfile::NamedTempFile::new()?);
                content(&mut spool)?;
                let spool = spool.into_inner().map_err(io::IntoInnerError::into_error)?;
                let placed = account.put(bucket, path, spool.path());
                placed.with_context(|| format!("s3://{}", bucket.name))
            }
        }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(folder) => write!(out, "{}", folder.display()),
            Self::Bucket(bucket) => write!(out, "s3://{}/{}", bucket.name, bucket.folder),
        }
    }
}
