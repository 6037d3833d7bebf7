//! Symbolic links: in the inode, or in blocks of their own.
//! "XFS Algorithms & Data Structures", "Symbolic Links".

use crate::block::{self, Identity};
use crate::bytes::be32;
use crate::extent::Run;
use crate::fork::Form;
use crate::{Error, Inode, Kind, Xfs};

const MAGIC: u32 = 0x5853_4c4d;
const HEADER: usize = 56;
const IDENTITY: Identity = Identity { checksum: 12, place: 40, uuid: 16, owner: 32 };
const MOST: u64 = 1024;

impl Xfs {
    /// Target of a symbolic link.
    pub fn read_link(&self, inode: &Inode) -> Result<Vec<u8>, Error> {
        if inode.kind != Kind::Symlink {
            return Err(Error::corrupt("not a symbolic link: inode", inode.number.0));
        }
        if inode.size == 0 || inode.size > MOST {
            return Err(Error::corrupt("length of symbolic link in inode", inode.number.0));
        }
        let length = inode.size as usize;
        if inode.data.form == Form::Local {
            let target = inode.data.bytes.get(..length);
            return target.map(<[u8]>::to_vec).ok_or_else(|| corrupt(inode));
        }
        let target = self.remote_target(inode)?;
        target.get(..length).map(<[u8]>::to_vec).ok_or_else(|| corrupt(inode))
    }

    fn remote_target(&self, inode: &Inode) -> Result<Vec<u8>, Error> {
        let most = (2 * MOST).div_ceil(self.superblock.block_size);
        let mut target = Vec::new();
        let mut end = 0;
        for run in self.runs(&inode.data, &(0..most))? {
            if run.logical != end || !run.written {
                return Err(corrupt(inode));
            }
            end = run.end();
            if (target.len() as u64) < inode.size {
                target.extend(self.piece(inode, &run, target.len())?);
            }
        }
        Ok(target)
    }

    /// The part of the target in one extent, which has one header.
    fn piece(&self, inode: &Inode, run: &Run, so_far: usize) -> Result<Vec<u8>, Error> {
        let raw = self.read_bytes(run.offset, run.length * self.superblock.block_size)?;
        if !self.superblock.has_checksums() {
            return Ok(raw);
        }
        let used = be32(&raw, 8) as usize;
        if be32(&raw, 0) != MAGIC || be32(&raw, 4) as usize != so_far {
            return Err(corrupt(inode));
        }
        block::check(&raw, &IDENTITY, &self.superblock, run.offset, inode.number)?;
        let piece = raw[HEADER..].get(..used);
        piece.map(<[u8]>::to_vec).ok_or_else(|| corrupt(inode))
    }
}

fn corrupt(inode: &Inode) -> Error {
    Error::corrupt("symbolic link in inode", inode.number.0)
}
