//! The other files of a qcow2 image: what it stands on, and what holds its data.

use crate::error::{Error, shown};
use crate::folder::{Names, Surroundings};
use crate::format::FORMATS;
use crate::layer::Bytes;
use crate::raw::Raw;
use std::sync::Arc;

/// The backing file as the image names it.
pub struct Backing {
    pub name: Vec<u8>,
    /// Its format as the image says. Older images do not say it.
    pub format: Option<Vec<u8>>,
}

impl Backing {
    const ROLE: &str = "backing file";

    /// Opens it and all that it stands on. One that is said to be raw is not looked into: a guest
    /// could have written the header of another format to its beginning.
    pub fn open(&self, around: &Surroundings) -> Result<Bytes, Error> {
        let (file, around) = around.open(Self::ROLE, &self.name, Names::Paths)?;
        let file: Bytes = Arc::new(Raw::new(file)?);
        let opened = match self.format.as_deref() {
            Some(b"raw") => return Ok(file),
            None => crate::open_disk(file, &around),
            Some(name) => match FORMATS.iter().find(|format| format.name.as_bytes() == name) {
                Some(format) => format.open(file, &around),
                None => Err(Error::unsupported(format!("the format {:?}", shown(name)))),
            },
        };
        opened.map_err(|error| match error {
            error @ (Error::Refused { .. } | Error::Named { .. }) => error,
            error => {
                Error::Named { role: Self::ROLE, name: shown(&self.name), source: Box::new(error) }
            }
        })
    }
}

/// Opens the file that holds the clusters of an image.
pub fn data_file(name: &[u8], around: &Surroundings) -> Result<Bytes, Error> {
    let (file, _) = around.open("external data file", name, Names::Paths)?;
    Ok(Arc::new(Raw::new(file)?))
}
