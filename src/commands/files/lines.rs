//! The lines of `sidelight ls`.

use crate::filesystem::{Kind, Metadata};
use crate::host::{Located, PathError, Tree, WalkStep};
use crate::model::{Gap, printable};
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
        gaps: &mut Vec<Gap>,
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
        let path = || [step.folder, b"/", step.name].concat();
        self.end(tree, (step.at, step.kind), path, gaps, out)
    }

    /// The line of one file with its metadata.
    pub fn write_one(
        self,
        tree: &Tree,
        path: &[u8],
        (at, metadata): (Located, &Metadata),
        gaps: &mut Vec<Gap>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.long {
            write_metadata(metadata, out)?;
        }
        self.write_name(path, out)?;
        self.end(tree, (at, metadata.kind), || path.to_vec(), gaps, out)
    }

    fn write_name(self, name: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if self.null { out.write_all(name) } else { out.write_all(printable(name).as_bytes()) }
    }

    /// A link's target that cannot be read is a gap.
    fn end(
        self,
        tree: &Tree,
        (at, kind): (Located, Kind),
        path: impl FnOnce() -> Vec<u8>,
        gaps: &mut Vec<Gap>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.long && kind == Kind::Symlink {
            out.write_all(b" -> ")?;
            match tree.read_link(at) {
                Ok(target) => self.write_name(&target, out)?,
                Err(error) => {
                    write!(out, "({error})")?;
                    let path = printable(&path());
                    let error = PathError::FileSystem { path: path.clone(), source: error };
                    gaps.push(Gap::new(path, error.reason(), error));
                }
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
