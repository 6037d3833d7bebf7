//! Reads or lists everything in a filesystem, for `scripts/benchmark/filesystems`, which measures
//! it from outside.
//!
//! `bench read|list READER IMAGE-OR-FOLDER [--threads N]`: the listing goes to standard output, and
//! what was seen, in the end, to standard error: files, folders, others, bytes and errors.

#[cfg(feature = "crates")]
mod crates;
mod folder;
mod ours;
mod reader;
mod walk;

use anyhow::{Context, bail};
use std::path::PathBuf;
use walk::{Operation, Totals, walk_on_threads};

fn main() -> anyhow::Result<()> {
    let wanted = Wanted::parse(std::env::args().skip(1))?;
    let totals = wanted.run().with_context(|| format!("{}", wanted.place.display()))?;
    eprintln!("{totals}");
    Ok(())
}

struct Wanted {
    operation: Operation,
    reader: String,
    place: PathBuf,
    threads: usize,
}

impl Wanted {
    fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let given: Vec<String> = arguments.collect();
        let words: Vec<&str> = given.iter().map(String::as_str).collect();
        let (operation, reader, place, threads) = match *words {
            [operation, reader, place] => (operation, reader, place, 1),
            [operation, reader, "--threads", count, place] => {
                (operation, reader, place, count.parse().context("number of threads")?)
            }
            _ => bail!("usage: bench read|list READER [--threads N] IMAGE-OR-FOLDER"),
        };
        let operation = match operation {
            "read" => Operation::Read,
            "list" => Operation::List,
            other => bail!("no such operation: {other}"),
        };
        Ok(Self { operation, reader: reader.to_owned(), place: place.into(), threads })
    }

    fn run(&self) -> anyhow::Result<Totals> {
        let (path, operation) = (&*self.place, self.operation);
        match (self.reader.as_str(), self.threads) {
            ("ext4", threads) => walk_on_threads(&ours::Ext4::open(path)?, operation, threads),
            ("xfs", threads) => walk_on_threads(&ours::Xfs::open(path)?, operation, threads),
            ("ntfs", threads) => walk_on_threads(&ours::Ntfs::open(path)?, operation, threads),
            ("folder", threads) => walk_on_threads(&folder::Folder::new(path), operation, threads),
            #[cfg(feature = "crates")]
            ("ext4-view", 1) => walk::walk(&crates::Ext4View::open(path)?, operation),
            #[cfg(feature = "crates")]
            ("lamxfs", 1) => walk::walk(&crates::LamXfs::open(path)?, operation),
            #[cfg(feature = "crates")]
            ("ntfs-crate", 1) => walk::walk(&crates::NtfsCrate::open(path)?, operation),
            (other, threads) => bail!("no such reader for {threads} threads: {other}"),
        }
    }
}
