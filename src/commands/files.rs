//! `sidelight ls` and `sidelight cat`: the files of a host, or of one filesystem on its disks, for
//! people who want to look.

mod container;
mod lines;

use super::output::Output;
use super::progress::Progress;
use crate::host::{Descend, Detail, Tree, Walked};
use crate::model::{Gap, printable, printable_str};
use crate::pipeline::{self, Opened, Request, Source};
use anyhow::{Context, bail, ensure};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

const LS_EXAMPLES: &str = "Examples:
  sidelight ls disk.img /etc                     names, one a line
  sidelight ls -lR root.qcow2 data.img /var/lib  two disks of one host, all below
  sidelight ls --filesystem disk.img:p2 disk.img /
  sidelight ls --container web disk.img /etc     in a container of Docker, containerd, Podman or CRI-O
  sidelight ls -R0 disk.img / | grep -z '\\.jar$' names as they are, each ended by a zero byte";

const CAT_EXAMPLES: &str = "Examples:
  sidelight cat disk.img /etc/os-release
  sidelight cat snap-0123456789abcdef0 /var/lib/dpkg/status --output status";

/// What both commands take.
#[derive(Debug, clap::Args)]
struct Where {
    /// Disk images, block devices, EBS snapshots (snap-…), all of one host; or dir:PATH
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// Path on the host
    #[arg(value_name = "PATH")]
    path: OsString,
    /// Look into this filesystem alone, by the name that `sidelight disks` gives its device
    #[arg(long, value_name = "DEVICE")]
    filesystem: Option<String>,
    /// Look into the filesystem of this container, by its name, its id or the beginning of that
    #[arg(long, value_name = "CONTAINER")]
    container: Option<String>,
    /// AWS region [default: that of AWS_REGION or the AWS profile]
    #[arg(long)]
    region: Option<String>,
    /// MiB of disk blocks held in memory
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    cache_size: u64,
    /// GiB that a packed disk (gz, xz, zst) may be unpacked to, holes counted too; the file for it
    /// is in the folder that TMPDIR names [default: 64, or 4096 times its size if that is more]
    #[arg(long, value_name = "GIB")]
    unpack_limit: Option<u64>,
}

/// List a folder of a host
#[derive(Debug, clap::Args)]
#[command(after_help = LS_EXAMPLES)]
pub struct ListArgs {
    #[command(flatten)]
    place: Where,
    /// Everything below the folder too, in the order of the disk
    #[arg(short = 'R', long)]
    recursive: bool,
    /// With kind, mode, owner, group, size and time of the last change
    #[arg(short, long)]
    long: bool,
    /// End each line with a zero byte, and write names as they are [default: control characters,
    /// and bytes that are not UTF-8, as \xNN]
    #[arg(short = '0', long)]
    null: bool,
}

/// Write a file of a host to standard output
#[derive(Debug, clap::Args)]
#[command(after_help = CAT_EXAMPLES)]
pub struct CatArgs {
    #[command(flatten)]
    place: Where,
    /// Where it is written [default: standard output; a terminal is shown control characters as \xNN]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Lists a folder.
pub fn list(args: &ListArgs, progress: &Progress) -> anyhow::Result<ExitCode> {
    let Place { tree, mut gaps, source: _source } = open(&args.place, progress)?;
    let path = args.place.path.as_bytes();
    let wanted = lines::Shape { long: args.long, null: args.null };
    let detail = if args.long { Detail::Metadata } else { Detail::Names };
    let (mut walked, mut links) = (Ok(Walked::default()), Vec::new());
    Output::stdout().write(|out| {
        let mut outcome = Ok(());
        let mut visit = |step: &crate::host::WalkStep| {
            if outcome.is_ok() {
                outcome = wanted.write(&tree, step, args.recursive, &mut links, out);
            }
            // A reader that is gone wants no more.
            if args.recursive && outcome.is_ok() { Descend::Yes } else { Descend::No }
        };
        walked = tree.walk_telling(path, detail, &mut visit, &mut gaps);
        outcome
    })?;
    let walked = walked?;
    if !walked.is_folder {
        list_file(&tree, path, wanted, &mut links)?;
    }
    gaps.append(&mut links);
    tell_second_places(&walked);
    Ok(end(gaps))
}

/// The line of what is no folder.
fn list_file(
    tree: &Tree,
    path: &[u8],
    wanted: lines::Shape,
    gaps: &mut Vec<Gap>,
) -> anyhow::Result<()> {
    let at = tree.find(path)?.with_context(|| format!("{}: not there", printable(path)))?;
    ensure_no_folder_is_meant(path)?;
    let metadata = tree.metadata(at).with_context(|| printable(path))?;
    Output::stdout().write(|out| wanted.write_one(tree, path, (at, &metadata), gaps, out))
}

/// A path that ends in a slash is one of a folder.
fn ensure_no_folder_is_meant(path: &[u8]) -> anyhow::Result<()> {
    ensure!(!path.ends_with(b"/"), "{}: not a folder", printable(path));
    Ok(())
}

/// Folders that stand in the tree a second time, and of which what is below was listed in their first place.
fn tell_second_places(walked: &Walked) {
    for folder in &walked.second_places {
        let folder = printable(folder);
        let _ = writeln!(io::stderr(), "sidelight: {folder}: listed where it is mounted too");
    }
    if walked.more_places > 0 {
        let more = walked.more_places;
        let _ = writeln!(io::stderr(), "sidelight: {more} more folders are listed elsewhere");
    }
}

/// Writes a file.
pub fn cat(args: &CatArgs, progress: &Progress) -> anyhow::Result<ExitCode> {
    let output = args.output.as_deref().map_or_else(|| Ok(Output::stdout()), Output::at)?;
    let Place { tree, gaps, source: _source } = open(&args.place, progress)?;
    let path = args.place.path.as_bytes();
    let Some(file) = tree.open(path)? else {
        let what = if tree.find(path)?.is_some() { "not a regular file" } else { "not there" };
        bail!("{}: {what}", printable(path));
    };
    ensure_no_folder_is_meant(path)?;
    let is_screen = args.output.is_none() && io::stdout().is_terminal();
    let mut file = Noted { file, problem: None };
    let written = output.write(|out| {
        if is_screen {
            return show(&mut file, out);
        }
        io::copy(&mut file, out).map(|_| ())
    });
    match file.problem {
        Some(problem) => bail!("cannot read {}: {problem}", printable(path)),
        None => written.map(|()| end(gaps)),
    }
}

/// A file whose failure to be read is none of what it is written to.
struct Noted<R> {
    file: R,
    problem: Option<String>,
}

impl<R: Read> Read for Noted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.file.read(out).inspect_err(|error| self.problem = Some(error.to_string()))
    }
}

/// Writes text that can do nothing to a terminal.
fn show(file: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = io::BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A file without line ends is shown in pieces.
        let length = io::BufRead::read_until(&mut (&mut lines).take(1 << 16), b'\n', &mut line)?;
        if length == 0 {
            return Ok(());
        }
        let tabs = line.split(|byte| *byte == b'\t');
        let ended = tabs.map(|part| printable(part.strip_suffix(b"\n").unwrap_or(part)));
        write!(out, "{}", ended.collect::<Vec<_>>().join("\t"))?;
        if line.ends_with(b"\n") {
            writeln!(out)?;
        }
    }
}

/// Where files are looked for.
struct Place {
    tree: Tree,
    gaps: Vec<Gap>,
    source: Source,
}

fn open(place: &Where, progress: &Progress) -> anyhow::Result<Place> {
    let mut targets = Vec::new();
    for text in &place.targets {
        targets.extend(pipeline::parse_target(text)?);
    }
    let cache = place.cache_size.clamp(2, 1 << 20) << 20;
    let request = Request {
        region: place.region.as_deref(),
        unpack_bytes: place.unpack_limit.map(|gib| gib.saturating_mul(1 << 30)),
        ..Request::new(&targets, cache)
    };
    let task = progress.task("starting");
    let Opened { tree, filesystems, gaps, source } = pipeline::open(&request, &task)?;
    let Some(wanted) = &place.filesystem else {
        let known = names(&filesystems);
        let tree = tree.with_context(|| {
            format!("no root of a system is on these disks; choose one with --filesystem ({known})")
        })?;
        return within(place, tree, gaps, source);
    };
    let found = filesystems.iter().find(|(name, _)| name == wanted);
    let (_, filesystem) = found.with_context(|| {
        let known = names(&filesystems);
        format!("no filesystem {} that could be read; there are: {known}", printable_str(wanted))
    })?;
    let gaps = gaps.into_iter().filter(|gap| gap.place == *wanted).collect();
    within(place, Tree::new(filesystem.clone()), gaps, source)
}

/// The tree itself, or that of a container in it.
fn within(place: &Where, tree: Tree, gaps: Vec<Gap>, source: Source) -> anyhow::Result<Place> {
    let tree = match &place.container {
        Some(wanted) => container::open(&tree, wanted)?,
        None => tree,
    };
    Ok(Place { tree, gaps, source })
}

fn names(filesystems: &[(String, std::sync::Arc<dyn crate::filesystem::FileSystem>)]) -> String {
    filesystems.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Tells what was not read.
fn end(mut gaps: Vec<Gap>) -> ExitCode {
    gaps.sort();
    gaps.dedup();
    for gap in &gaps {
        let _ = writeln!(io::stderr(), "sidelight: gap: {}: {}", gap.place, gap.detail);
    }
    ExitCode::from(if gaps.is_empty() { 0 } else { 3 })
}
