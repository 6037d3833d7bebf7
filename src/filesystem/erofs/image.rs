//! The bytes of an image, as the crate takes them, and its futures run to their end.

use crate::block::{BlockSource, ReadError};
use crate::filesystem::{Error, foreign};
use erofs_rs::backend::AsyncImage;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Most bytes that one read of the crate may want: an encoded extent is at most 1 MiB, and a
/// device table, which is refused, 8 MiB.
const MOST: usize = 16 << 20;
/// Bytes of the smaller kind of inode; each inode begins with as many.
const INODE: usize = 32;
const MODE: usize = 4;
const REGULAR: u8 = 0x80;

/// An image. One of its inodes may be shown as that of a regular file.
pub struct Image {
    source: Arc<dyn BlockSource>,
    as_file: Option<u64>,
}

impl Image {
    /// The image as it is.
    pub fn new(source: Arc<dyn BlockSource>) -> Self {
        Self { source, as_file: None }
    }

    /// The image with the inode at this offset shown as that of a file, so that the crate reads
    /// the bytes of a directory.
    pub fn with_file(source: Arc<dyn BlockSource>, at: u64) -> Self {
        Self { source, as_file: Some(at) }
    }
}

impl AsyncImage for Image {
    async fn read_exact_at(&self, out: &mut [u8], offset: u64) -> erofs_rs::Result<()> {
        if out.len() > MOST {
            return Err(erofs_rs::Error::OutOfBounds(format!("a read of {} bytes", out.len())));
        }
        self.source.read_exact_at(offset, out).map_err(std::io::Error::other)?;
        if self.as_file == Some(offset) && out.len() == INODE {
            out[MODE + 1] = out[MODE + 1] & 0x0f | REGULAR;
        }
        Ok(())
    }
}

/// The end of a future that never waits. A panic on damage is damage.
pub fn now<T, F>(make: impl FnOnce() -> F) -> Result<T, Error>
where
    F: Future<Output = erofs_rs::Result<T>>,
{
    foreign::guarded("erofs-rs", || {
        let mut future = pin!(make());
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Ok(outcome?),
            Poll::Pending => Err(Error::Corrupt { what: "a read that never ends".to_owned() }),
        }
    })
}

impl From<erofs_rs::Error> for Error {
    fn from(error: erofs_rs::Error) -> Self {
        match error {
            erofs_rs::Error::NotSupported(feature) => {
                Self::Unsupported { feature: format!("erofs: {feature}") }
            }
            erofs_rs::Error::Io(error) => match error.downcast::<ReadError>() {
                Ok(ReadError::OutOfBounds { offset, .. }) => {
                    Self::Corrupt { what: format!("erofs ends before offset {offset}") }
                }
                Ok(error) => Self::Read(error),
                Err(error) => Self::Corrupt { what: error.to_string() },
            },
            error => Self::Corrupt { what: error.to_string() },
        }
    }
}
