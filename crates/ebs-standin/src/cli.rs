//! The command line, and what it makes of the server's settings.

use std::{fs, io, net::SocketAddr, path::PathBuf, str::FromStr};

use clap::Parser;
use ebs_standin::{Access, Builder, Faults, Rate, Snapshot, Standin, StandinError, Status};

const EXAMPLE: &str = "\
Example:
  ebs-standin --listen 127.0.0.1:4566 --snapshot snap-0123456789abcdef0=disk.img --latency-ms 30

  export AWS_ENDPOINT_URL_EBS=http://127.0.0.1:4566
  export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=any AWS_REGION=us-east-1
  aws ebs list-snapshot-blocks --snapshot-id snap-0123456789abcdef0

Controls (JSON, not signed):
  GET  /_standin/stats  /_standin/log  /_standin/faults  /_standin/snapshots
  POST /_standin/reset  /_standin/faults  /_standin/expire-tokens  /_standin/skip-time
  POST /_standin/snapshots {\"id\", \"path\", \"lineage\", \"owner\", \"status\", \"access\", \"volume_gib\"}
  POST /_standin/accounts {\"access_key\", \"account\"}
  POST /_standin/snapshots/ID {\"status\", \"access\"}   DELETE /_standin/snapshots/ID";

/// Serves raw disk images as EBS snapshots through the EBS direct APIs.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLE)]
pub(crate) struct Args {
    /// Address to listen on; port 0 takes a free one. Keep to loopback: the controls are open
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A raw image to serve; may be repeated. It must not change while it is served.
    #[arg(long, value_name = "ID=PATH")]
    snapshot: Vec<Pair>,
    /// Snapshots of one volume, which ListChangedBlocks compares; may be repeated.
    #[arg(long, value_name = "ID,ID...")]
    lineage: Vec<String>,
    /// State of a snapshot: completed, pending or error.
    #[arg(long, value_name = "ID=STATUS")]
    status: Vec<Pair>,
    /// Who may read a snapshot: readable, denied, kms-denied or kms-disabled.
    #[arg(long, value_name = "ID=ACCESS")]
    access: Vec<Pair>,
    /// Account that owns a snapshot: keys of other accounts are denied.
    #[arg(long, value_name = "ID=ACCOUNT")]
    owner: Vec<Pair>,
    /// Account of an access key; a key without one is an account of its own.
    #[arg(long, value_name = "KEY=ACCOUNT")]
    account: Vec<Pair>,
    /// Latency of every call.
    #[arg(long, value_name = "MS")]
    latency_ms: Option<u64>,
    /// The most that is added to the latency, at random.
    #[arg(long, value_name = "MS")]
    jitter_ms: Option<u64>,
    /// Seed of the jitter.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// GetSnapshotBlock calls per second and account (AWS: 1000), and the burst.
    #[arg(long, value_name = "RATE[:BURST]")]
    account_rate: Option<RateArg>,
    /// Calls per second and account of each of the list calls (AWS: 50), and the burst.
    #[arg(long, value_name = "RATE[:BURST]")]
    list_rate: Option<RateArg>,
    /// GetSnapshotBlock calls per second and snapshot (AWS: 1000), and the burst.
    #[arg(long, value_name = "RATE[:BURST]")]
    snapshot_rate: Option<RateArg>,
    /// Seconds that block tokens live (AWS: 7 days).
    #[arg(long, value_name = "SECONDS")]
    block_token_ttl: Option<u64>,
    /// Seconds that page tokens live (AWS: 1 hour).
    #[arg(long, value_name = "SECONDS")]
    page_token_ttl: Option<u64>,
    /// Faults as JSON, as POST /_standin/faults takes them; the options above go over it.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// File to write the URL to when the server is ready.
    #[arg(long, value_name = "PATH")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Stop when standard input ends too: with the process that started this one
    #[arg(long)]
    pub(crate) stop_with_stdin: bool,
    /// Print the counts as JSON to stderr at the end.
    #[arg(long)]
    pub(crate) stats: bool,
}

/// Why the command line does not make a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("cannot read faults {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("faults {} are not valid", path.display())]
    Parse { path: PathBuf, source: serde_json::Error },
    #[error("--{option} names {id}, which no --snapshot does")]
    NoSnapshot { option: &'static str, id: String },
    #[error("--{option} does not take {value:?}")]
    Value { option: &'static str, value: String },
    #[error(transparent)]
    Standin(#[from] StandinError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Args {
    pub(crate) fn builder(&self) -> Result<Builder, CliError> {
        let mut builder = Standin::builder().listen(self.listen).faults(self.read_faults()?);
        for Pair(key, account) in &self.account {
            builder = builder.account(key, account);
        }
        self.check_ids()?;
        for Pair(id, path) in &self.snapshot {
            builder = builder.add_snapshot(self.describe(id, path)?);
        }
        Ok(builder)
    }

    fn describe(&self, id: &str, path: &str) -> Result<Snapshot, CliError> {
        let mut snapshot = Snapshot::file(id, path);
        if let Some(status) = of(&self.status, id) {
            snapshot = snapshot.status(named::<Status>("status", status)?);
        }
        if let Some(access) = of(&self.access, id) {
            snapshot = snapshot.access(named::<Access>("access", access)?);
        }
        if let Some(owner) = of(&self.owner, id) {
            snapshot = snapshot.owner(owner);
        }
        let is_in = |line: &&String| line.split(',').any(|member| member == id);
        if let Some(line) = self.lineage.iter().find(is_in) {
            snapshot = snapshot.lineage(line);
        }
        Ok(snapshot)
    }

    /// Every snapshot that an option names must be served: a typing error is not ignored.
    fn check_ids(&self) -> Result<(), CliError> {
        let pairs = [("status", &self.status), ("access", &self.access), ("owner", &self.owner)];
        let in_pairs = pairs
            .into_iter()
            .flat_map(|(option, pairs)| pairs.iter().map(move |pair| (option, pair.0.as_str())));
        let in_lines = self.lineage.iter().flat_map(|line| line.split(','));
        for (option, id) in in_pairs.chain(in_lines.map(|id| ("lineage", id))) {
            if of(&self.snapshot, id).is_none() {
                return Err(CliError::NoSnapshot { option, id: id.to_owned() });
            }
        }
        Ok(())
    }

    fn read_faults(&self) -> Result<Faults, CliError> {
        let mut faults = match &self.faults {
            Some(path) => faults_of(path)?,
            None => Faults::default(),
        };
        faults.seed = self.seed.unwrap_or(faults.seed);
        for latency in [&mut faults.list_latency, &mut faults.get_latency] {
            latency.fixed_ms = self.latency_ms.unwrap_or(latency.fixed_ms);
            latency.jitter_ms = self.jitter_ms.unwrap_or(latency.jitter_ms);
        }
        let limits = &mut faults.limits;
        limits.account_get = rate(self.account_rate).or(limits.account_get);
        limits.account_list = rate(self.list_rate).or(limits.account_list);
        limits.snapshot_get = rate(self.snapshot_rate).or(limits.snapshot_get);
        let tokens = &mut faults.tokens;
        tokens.block_seconds = self.block_token_ttl.unwrap_or(tokens.block_seconds);
        tokens.page_seconds = self.page_token_ttl.unwrap_or(tokens.page_seconds);
        Ok(faults)
    }
}

/// `NAME=VALUE`.
#[derive(Clone, Debug)]
struct Pair(String, String);

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
        Ok(Self(name.to_owned(), value.to_owned()))
    }
}

/// `RATE` or `RATE:BURST`; the burst is by default one second's worth.
#[derive(Clone, Copy, Debug)]
struct RateArg(Rate);

impl FromStr for RateArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| {
            let number = text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0);
            number.ok_or("not a rate such as 1000 or 1000:50")
        };
        let (per_second, burst) = match text.split_once(':') {
            Some((per_second, burst)) => (number(per_second)?, number(burst)?),
            None => (number(text)?, number(text)?.max(1.0)),
        };
        Ok(Self(Rate::new(per_second, burst)))
    }
}

fn rate(arg: Option<RateArg>) -> Option<Rate> {
    arg.map(|RateArg(rate)| rate)
}

fn of<'a>(pairs: &'a [Pair], id: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.0 == id).map(|pair| pair.1.as_str())
}

/// A value by its name in JSON.
fn named<T: serde::de::DeserializeOwned>(option: &'static str, value: &str) -> Result<T, CliError> {
    serde_json::from_value(value.into())
        .map_err(|_| CliError::Value { option, value: value.to_owned() })
}

fn faults_of(path: &PathBuf) -> Result<Faults, CliError> {
    let text = fs::read(path).map_err(|source| CliError::Read { path: path.clone(), source })?;
    serde_json::from_slice(&text).map_err(|source| CliError::Parse { path: path.clone(), source })
}
