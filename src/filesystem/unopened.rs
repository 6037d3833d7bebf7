//! A filesystem that is opened only if somebody needs it, so that its blocks are not fetched before.

use super::{Error, FileSystem, FileSystemFormat};
use crate::block::Device;

/// A device and the format that it was recognised as.
#[derive(Clone)]
pub struct Unopened {
    format: &'static dyn FileSystemFormat,
    device: Device,
}

impl Unopened {
    /// By the name of the format; `None` if it is not one that is read.
    pub fn new(format: &str, device: &Device) -> Option<Self> {
        let format = super::FORMATS.iter().find(|it| it.name() == format)?;
        Some(Self { format: *format, device: device.clone() })
    }

    /// Opens it.
    pub fn open(&self) -> Result<Box<dyn FileSystem>, Error> {
        self.format.open(std::slice::from_ref(&self.device))
    }
}
