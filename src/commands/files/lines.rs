//! The lines of `sidelight ls`.

use crate::filesystem::{Kind, Metadata};
use crate::host::{Located, Tree, WalkStep};
use crate::model::printable;
use jiff::Timestamp;
use jiff::fmt::strtime;
use std::io::{self, Write};

/// How lines look.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// With metadata.
    pub long: bool,
    /// Raw names, each ended by a zero byte.
    pub null: bool,
}

impl Shape {
    /// The line of something that a walk came by: its name, or its path if the walk goes deeper.
    pub fn write(
        self,
        tree: &Tree,
        step: &WalkStep,
        is_deep: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if let Some(metadata) = step.metadata.filter(|_| self.long) {
            write_metadata(metadata, out)?;
        }
        if is_deep {
            self.write_name(step.folder, out)?;
            out.write_all(b"/")?;
        }
        self.write_name(step.name, out)?;
        self.end(tree, step.at, step.kind, out)
    }

    /// The line of one file.
    pub fn write_one(
        self,
        tree: &Tree,
        path: &[u8],
        at: Located,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let metadata = tree.metadata(at).map_err(io::Error::other)?;
        if self.long {
            write_metadata(&metadata, out)?;
        }
        self.write_name(path, out)?;
        self.end(tree, at, metadata.kind, out)
    }

    fn write_name(self, name: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if self.null { out.write_all(name) } else { out.write_all(printable(name).as_bytes()) }
    }

    fn end(self, tree: &Tree, at: Located, kind: Kind, out: &mut dyn Write) -> io::Result<()> {
        if self.long && kind == Kind::Symlink {
            out.write_all(b" -> ")?;
            match tree.read_link(at) {
                Ok(target) => self.write_name(&target, out)?,
                Err(error) => write!(out, "({error})")?,
            }
        }
        out.write_all(if self.null { b"\0" } else { b"\n" })
    }
}

fn write_metadata(metadata: &Metadata, out: &mut dyn Write) -> io::Result<()> {
    let kind = match metadata.kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::Other => '?',
    };
    let Metadata { mode, uid, gid, size, modified, .. } = metadata;
    write!(out, "{kind} {mode:04o} {uid:>5} {gid:>5} {size:>12} {} ", time(*modified))
}

/// In UTC; as seconds where no calendar reaches.
fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).ok();
    let shown = time.and_then(|time| strtime::format("%Y-%m-%dT%H:%M:%SZ", time).ok());
    shown.unwrap_or_else(|| format!("@{seconds}"))
}
