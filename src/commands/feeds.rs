//! `sidelight feeds`: the advisories that scans are matched with.

use super::progress::Progress;
use crate::advisory::date;
use crate::advisory::feeds::{AdvisoryFeed, FEEDS, by_name};
use crate::advisory::import::{Imported, Origin, Shrink, import};
use crate::advisory::store::{FeedInfo, Store};
use crate::model::printable_str;
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  sidelight feeds update                          fetch what is new in all feeds
  sidelight feeds update --feed debian --url https://mirror.example/tracker.json
  SSL_CERT_FILE=proxy.pem sidelight feeds update  behind a TLS proxy that the system's store lacks
  sidelight feeds import --feed debian tracker.json    from a file, without a network
  sidelight feeds status --format json            what is stored, and of when";

/// Fetch, import and show the advisories that scans are matched with
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// The advisory store [default: sidelight/advisories.store in $XDG_DATA_HOME or
    /// ~/.local/share]
    #[arg(long, global = true, value_name = "FILE")]
    advisories: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Fetch the feeds; those that have not changed are not sent again
    Update(Update),
    /// Show the stored feeds and their dates
    Status(Status),
    /// Take a feed from a file
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Update {
    /// Only this feed
    #[arg(long, value_name = "NAME", value_parser = feed_names())]
    feed: Option<String>,
    /// Fetch it from here instead of from its publisher
    #[arg(long, requires = "feed", value_parser = web_url)]
    url: Option<String>,
    /// Take a feed although it has over a fifth fewer records than the stored one
    #[arg(long)]
    accept_shrunk: bool,
}

#[derive(Debug, clap::Args)]
struct Status {
    /// How it is written
    #[arg(long, value_parser = ["table", "json"], default_value = "table")]
    format: String,
}

#[derive(Debug, clap::Args)]
struct Import {
    /// What the file is
    #[arg(long, value_name = "NAME", value_parser = feed_names())]
    feed: String,
    /// The feed's file, as published
    file: PathBuf,
    /// Take the file although it has over a fifth fewer records than the stored one
    #[arg(long)]
    accept_shrunk: bool,
}

fn feed_names() -> clap::builder::PossibleValuesParser {
    FEEDS.iter().map(|feed| feed.name()).collect::<Vec<_>>().into()
}

fn web_url(text: &str) -> Result<String, String> {
    let known = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    known.then(|| text.to_owned()).ok_or_else(|| "not an http or https URL".to_owned())
}

/// Runs the subcommand.
pub fn run(args: &Args, progress: &Progress) -> anyhow::Result<ExitCode> {
    let path = store_path(args.advisories.as_deref())?;
    match &args.action {
        Action::Update(update) => run_update(&path, update, progress),
        Action::Status(status) => {
            let stored = stored(&path)?;
            match status.format.as_str() {
                "json" => write_json(&stored)?,
                _ => write_table(&path, &stored)?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Import(args) => run_import(&path, args, progress),
    }
}

/// The store's path: the one given, else the user's own.
pub fn store_path(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    let data = data.context("no home folder; name the advisory store with --advisories")?;
    Ok(data.join("sidelight/advisories.store"))
}

fn stored(path: &Path) -> anyhow::Result<Vec<FeedInfo>> {
    Ok(Store::open_existing(path)?.map_or_else(Vec::new, |store| store.feeds()))
}

fn shrink(accept: bool) -> Shrink {
    if accept { Shrink::Accept } else { Shrink::Refuse }
}

fn run_import(path: &Path, args: &Import, progress: &Progress) -> anyhow::Result<ExitCode> {
    let feed = by_name(&args.feed).context("no such feed")?;
    let input =
        File::open(&args.file).with_context(|| format!("cannot open {}", args.file.display()))?;
    let metadata = input.metadata()?;
    let date = metadata.modified().ok().and_then(date::from_system);
    let source = args.file.display().to_string();
    let origin = Origin { source, date, ..Origin::default() };
    let task = progress.task(&format!("importing {}", feed.name()));
    let mut input = task.counted(input, metadata.is_file().then_some(metadata.len()));
    let done = import(path, feed, origin, shrink(args.accept_shrunk), &mut input)
        .with_context(|| format!("{} was not imported", args.file.display()))?;
    drop(task);
    tell(&done)?;
    Ok(ExitCode::SUCCESS)
}

/// Goes on after a feed that fails, so that one publisher's bad day does not age the others.
fn run_update(path: &Path, args: &Update, progress: &Progress) -> anyhow::Result<ExitCode> {
    let mut failed = Vec::new();
    for feed in FEEDS.iter().filter(|feed| args.feed.as_ref().is_none_or(|n| n == feed.name())) {
        let url = args.url.as_deref().unwrap_or(feed.url());
        let shrink = shrink(args.accept_shrunk);
        if let Err(error) = update(path, *feed, url, shrink, progress) {
            writeln!(io::stderr(), "{}: {error:#}", feed.name())?;
            failed.push(feed.name());
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("not updated, the stored data are kept: {}", failed.join(", "))
}

#[cfg(feature = "fetch")]
fn update(
    path: &Path,
    feed: &dyn AdvisoryFeed,
    url: &str,
    shrink: Shrink,
    progress: &Progress,
) -> anyhow::Result<()> {
    use crate::advisory::fetch::{Fetched, fetch};
    let stored = stored(path)?.into_iter().find(|info| info.name == feed.name());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let task = progress.task(&format!("fetching {}", feed.name()));
    let folder = folder.unwrap_or(Path::new("."));
    match fetch(url, stored.as_ref(), folder, &task.counter(None))? {
        Fetched::Unchanged => {
            drop(task);
            let date = stored.map(|info| info.date).unwrap_or_default();
            writeln!(io::stdout(), "{}: unchanged since {date}", feed.name())?;
        }
        Fetched::File(file, origin) => {
            task.now(&format!("importing {}", feed.name()));
            let total = file.metadata()?.len();
            let mut file = task.counted(file, Some(total));
            let done = import(path, feed, origin, shrink, &mut file)?;
            drop(task);
            tell(&done)?;
        }
    }
    Ok(())
}

#[cfg(not(feature = "fetch"))]
fn update(
    _: &Path,
    feed: &dyn AdvisoryFeed,
    url: &str,
    _: Shrink,
    _: &Progress,
) -> anyhow::Result<()> {
    let name = feed.name();
    bail!(
        "this build cannot fetch (cargo feature `fetch`); get {url} and run \
         `sidelight feeds import --feed {name} FILE`"
    )
}

fn tell(done: &Imported) -> io::Result<()> {
    let FeedInfo { name, records, date, skipped, .. } = &done.info;
    writeln!(io::stdout(), "{name}: {records} records of {date}")?;
    if *skipped > 0 {
        let mut err = io::stderr();
        writeln!(err, "{name}: {skipped} entries were not understood and left out, such as")?;
        for example in &done.skipped {
            writeln!(err, "  {example}")?;
        }
    }
    Ok(())
}

fn write_table(path: &Path, stored: &[FeedInfo]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Advisory store: {}", printable_str(&path.display().to_string()))?;
    for feed in FEEDS {
        let Some(info) = stored.iter().find(|info| info.name == feed.name()) else {
            writeln!(out, "\n{}\n  not stored; run `sidelight feeds update`", feed.name())?;
            continue;
        };
        let names: Vec<_> = info.releases.iter().map(|release| release.name.as_str()).collect();
        writeln!(out, "\n{}", info.name)?;
        writeln!(out, "  date      {}", printable_str(&info.date))?;
        writeln!(out, "  records   {} ({} not understood)", info.records, info.skipped)?;
        writeln!(out, "  source    {}", printable_str(&info.source))?;
        writeln!(out, "  sha256    {}", printable_str(&info.sha256))?;
        if !names.is_empty() {
            writeln!(out, "  releases  {}", printable_str(&names.join(", ")))?;
        }
    }
    Ok(())
}

fn write_json(stored: &[FeedInfo]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &serde_json::json!({ "feeds": stored }))?;
    writeln!(out)?;
    Ok(())
}

#[cfg(test)]
mod tests;
