//! A file's bytes. The crate gives them from an offset to the end of an extent, and unpacks the extent
//! anew for each call, so the last few of these runs are kept.

use super::{Error, Image, Inode, now};
use erofs_rs::r#async::EroFS;
use erofs_rs::types::Layout;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes asked for at once; most extents unpack to less.
const RUN: u64 = 2 << 20;
/// Bytes of runs that are kept.
const KEPT: usize = 8 << 20;

/// Unpacked bytes of a file from an offset.
struct Run {
    inode: u64,
    start: u64,
    bytes: Vec<u8>,
}

/// Runs that were unpacked lately.
#[derive(Default)]
pub struct Runs(Mutex<VecDeque<Arc<Run>>>);

impl Runs {
    /// Fills `out` from `offset`; fewer bytes only where the file ends.
    pub fn read_at(
        &self,
        image: &EroFS<Image>,
        inode: Inode,
        offset: u64,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        if !inode.is_file() {
            return Err(Error::Corrupt { what: format!("inode {} is no file", inode.id()) });
        }
        let left = inode.data_size().saturating_sub(offset);
        let length = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let out = &mut out[..length];
        let packed =
            matches!(inode.layout(), Some(Layout::CompressedFull | Layout::CompressedCompact));
        if !packed {
            fill(image, inode, offset, out)?;
            return Ok(length);
        }
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let run = self.run(image, inode, at)?;
            let bytes = &run.bytes[(at - run.start) as usize..];
            let now = bytes.len().min(length - done);
            out[done..done + now].copy_from_slice(&bytes[..now]);
            done += now;
        }
        Ok(length)
    }

    /// The run that holds the byte at `at`.
    fn run(&self, image: &EroFS<Image>, inode: Inode, at: u64) -> Result<Arc<Run>, Error> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |it: &&Arc<Run>| {
            let end = it.start + it.bytes.len() as u64;
            it.inode == inode.id() && (it.start..end).contains(&at)
        };
        let kept = lock().iter().find(holds).cloned();
        if let Some(run) = kept {
            return Ok(run);
        }
        let mut bytes = vec![0; (inode.data_size() - at).min(RUN) as usize];
        let length = piece(image, inode, at, &mut bytes)?;
        bytes.truncate(length);
        bytes.shrink_to_fit();
        let run = Arc::new(Run { inode: inode.id(), start: at, bytes });
        let mut all = lock();
        all.push_back(run.clone());
        while all.len() > 1 && all.iter().map(|it| it.bytes.len()).sum::<usize>() > KEPT {
            all.pop_front();
        }
        Ok(run)
    }
}

/// Fills all of `out` from `offset`.
pub fn fill(image: &EroFS<Image>, inode: Inode, offset: u64, out: &mut [u8]) -> Result<(), Error> {
    let mut done = 0;
    while done < out.len() {
        done += piece(image, inode, offset + done as u64, &mut out[done..])?;
    }
    Ok(())
}

/// What the crate gives in one go, which is never nothing.
fn piece(image: &EroFS<Image>, inode: Inode, at: u64, out: &mut [u8]) -> Result<usize, Error> {
    let file = image.open_inode_file(inode)?;
    let length = now(|| file.read_at(out, at))?;
    if length == 0 {
        return Err(Error::Corrupt { what: format!("inode {} ends at {at}", inode.id()) });
    }
    Ok(length)
}
