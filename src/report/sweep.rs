//! A sweep's report: a table of hosts for people, one JSON document for programs. The JSON is
//! written host by host, so that a thousand reports are never in memory together.

use crate::model::{
    Finding, HostStatus, Severity, SweepReceipt, SweepSummary, SweptHost, printable_str,
};
use comfy_table::{Table as Grid, presets};
use std::io::{self, Read, Write};

/// What the table shows of one host.
#[derive(Debug, Clone)]
pub struct Row {
    /// Instance id, by which rows are sorted.
    pub instance_id: String,
    status: HostStatus,
    cells: [String; 6],
}

impl Row {
    /// The row of a host.
    pub fn new(host: &SweptHost) -> Self {
        let os = host.report.as_ref().map_or("", |report| report.host.os.pretty_name.as_str());
        let assets = host.report.iter().flat_map(|report| &report.assets);
        let packages: usize = assets.clone().map(|asset| asset.packages.len()).sum();
        let gaps = host.report.as_ref().map_or(0, |report| report.gaps.len());
        let reason = host.reason.map_or("", |reason| reason.as_str());
        let count =
            |count: usize| if host.report.is_some() { count.to_string() } else { String::new() };
        let outcome = match reason {
            "" => host.status.as_str().to_owned(),
            reason => format!("{}: {reason}", host.status.as_str()),
        };
        let cells = [
            host.name.clone().unwrap_or_default(),
            outcome,
            os.to_owned(),
            count(packages),
            severities(assets.flat_map(|asset| &asset.findings)),
            count(gaps),
        ];
        Self { instance_id: host.instance_id.clone(), status: host.status, cells }
    }
}

/// Writes the table: hosts that failed last, where the eye is when it ends.
pub fn write_table(
    summary: &SweepSummary,
    rows: &[Row],
    failures: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let alias = summary.account_alias.as_ref().map_or(String::new(), |it| format!(" ({it})"));
    writeln!(out, "sweep     {}", summary.sweep)?;
    writeln!(out, "account   {}{}", summary.account, printable_str(&alias))?;
    writeln!(out, "region    {}\n", summary.region)?;
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING);
    grid.set_header(["instance", "name", "outcome", "os", "packages", "findings", "gaps"]);
    let mut sorted: Vec<_> = rows.iter().collect();
    sorted.sort_by(|a, b| (a.status, &a.instance_id).cmp(&(b.status, &b.instance_id)));
    for row in sorted {
        let cells = row.cells.iter().map(|cell| printable_str(cell));
        grid.add_row(std::iter::once(row.instance_id.clone()).chain(cells));
    }
    for line in grid.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    if !failures.is_empty() {
        writeln!(out, "\nNot scanned:")?;
        failures.iter().try_for_each(|line| writeln!(out, "  {}", printable_str(line)))?;
    }
    write_totals(summary, out)
}

fn write_totals(summary: &SweepSummary, out: &mut dyn Write) -> io::Result<()> {
    let totals = &summary.totals;
    writeln!(
        out,
        "\n{} instance{}: {} scanned ({} with gaps), {} skipped, {} failed; {} packages, {} findings, {} known to be exploited",
        totals.instances,
        if totals.instances == 1 { "" } else { "s" },
        totals.scanned,
        totals.with_gaps,
        totals.skipped,
        totals.failed,
        totals.packages,
        totals.findings.values().sum::<u64>(),
        totals.known_exploited,
    )?;
    let leftovers = &summary.leftovers;
    if leftovers.expired > 0 {
        let (expired, deleted) = (leftovers.expired, leftovers.deleted);
        writeln!(
            out,
            "{expired} snapshots of earlier sweeps were past their time; {deleted} deleted"
        )?;
    }
    for snapshot in &summary.undeleted_snapshots {
        writeln!(out, "snapshot {snapshot} could not be deleted: run sidelight cleanup")?;
    }
    write_calls(&summary.receipt, out)?;
    let receipt = &summary.receipt;
    let calls: u64 = receipt.calls.values().sum();
    writeln!(
        out,
        "{} blocks read, {calls} calls ({} again), ${:.6}, peak memory {} MiB, {:.1} s",
        receipt.blocks_read,
        receipt.retries,
        receipt.usd,
        receipt.peak_memory_bytes >> 20,
        receipt.seconds,
    )
}

fn write_calls(receipt: &SweepReceipt, out: &mut dyn Write) -> io::Result<()> {
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING);
    for (action, count) in receipt.calls.iter().filter(|(_, count)| **count > 0) {
        let usd =
            receipt.usd_by_action.get(action).map_or(String::new(), |usd| format!("${usd:.6}"));
        grid.add_row([action.clone(), count.to_string(), usd]);
    }
    writeln!(out, "\nCalls:")?;
    grid.lines().try_for_each(|line| writeln!(out, "  {}", line.trim()))
}

/// Writes one JSON object: the summary's fields, and `hosts` with the documents of `hosts`, each a
/// JSON object already.
pub fn write_json<R: Read>(
    summary: &SweepSummary,
    hosts: impl Iterator<Item = io::Result<R>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let head = serde_json::to_string_pretty(summary)?;
    let head = head.trim_end().strip_suffix('}').unwrap_or(&head).trim_end();
    write!(out, "{head},\n  \"hosts\": [")?;
    for (index, host) in hosts.enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        io::copy(&mut host?, out)?;
    }
    writeln!(out, "\n  ]\n}}")
}

/// How many findings of each severity, the worst first.
fn severities<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let mut counts = std::collections::BTreeMap::<Severity, u32>::new();
    findings.for_each(|finding| *counts.entry(finding.severity).or_default() += 1);
    let parts =
        counts.iter().rev().map(|(severity, count)| format!("{count} {}", severity.as_str()));
    parts.collect::<Vec<_>>().join(", ")
}
