//! Where lower layers are asked for what an upper one has: by its name, or where that layer says that it was.

use super::corrupt;
use crate::filesystem::Error;

/// Names of a path that a layer's redirection leads to.
const MOST_NAMES: usize = 256;

/// How lower layers are asked for what an upper one has.
pub enum Wanted {
    /// By its name, in the folders below that of its parent.
    Name(Vec<u8>),
    /// By a path from the top of each layer.
    Path(Vec<Vec<u8>>),
    /// Not at all: an opaque folder was on the way.
    Nothing,
}

impl Wanted {
    /// Follows what a layer says of where lower ones have what it has at the end of the path.
    pub fn redirected(&mut self, redirect: &[u8]) -> Result<(), Error> {
        let last = match self {
            Self::Path(path) => path.len() - 1,
            _ => 0,
        };
        self.lead(redirect, last)
    }

    /// The same of a folder on the way, so many names from the top.
    pub fn lead(&mut self, redirect: &[u8], depth: usize) -> Result<(), Error> {
        let names = redirect.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        let mut path: Vec<Vec<u8>> = names.map(<[u8]>::to_vec).collect();
        let is_absolute = redirect.first() == Some(&b'/');
        let is_strange = path.iter().any(|name| name == b".." || name == b".");
        if path.is_empty() || is_strange || !is_absolute && path.len() > 1 {
            return Err(corrupt("a redirection that is no path"));
        }
        match self {
            Self::Nothing => {}
            Self::Name(_) if is_absolute => *self = Self::Path(path),
            Self::Name(name) => *name = path.concat(),
            Self::Path(old) => {
                if !is_absolute {
                    path.splice(0..0, old[..depth].iter().cloned());
                }
                path.extend_from_slice(&old[depth + 1..]);
                *old = path;
            }
        }
        let is_long = matches!(self, Self::Path(path) if path.len() > MOST_NAMES);
        if is_long { Err(corrupt("a redirection of too many names")) } else { Ok(()) }
    }
}
