//! Text for people: the host, the findings grouped by package, and what was not read.
//!
//! Everything that came from a disk or a feed was made printable where it entered; the rest is
//! made so here once more, for a terminal forgives nothing. Without a terminal no line is wrapped,
//! so that `grep` finds what belongs together.

mod containers;
mod coverage;
mod findings;
mod grid;

use super::{Options, ReportFormat, Screen};
use crate::model::{
    Asset, AssetKind, GapReason, HostContext, KernelSign, MandatoryAccess, ScanReport, Support,
    printable_str,
};
use grid::{Grid, cell};
use std::io::{self, Write};

/// The format.
pub struct Table;

impl ReportFormat for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn write(&self, report: &ScanReport, options: Options, out: &mut dyn Write) -> io::Result<()> {
        write_host(report, options, out)?;
        writeln!(out)?;
        coverage::write(&report.coverage, options.screen, out)?;
        for asset in &report.assets {
            write_asset(asset, report, options, out)?;
        }
        write_gaps(report, options, out)?;
        write_receipt(report, out)
    }
}

/// What the disks hold, and what of it is not read.
pub fn write_disks(report: &ScanReport, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    coverage::write(&report.coverage, screen, out)?;
    match report.gaps.len() {
        0 => writeln!(out, "no gaps"),
        _ => write_gaps(report, Options { screen, ..Options::default() }, out),
    }
}

fn write_host(report: &ScanReport, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let host = &report.host;
    let unknown = || "unknown".to_owned();
    let os = Some(host.os.pretty_name.clone()).filter(|name| !name.is_empty());
    let cloud = &host.cloud;
    let feeds = report.feeds.iter().map(|feed| format!("{} of {}", feed.name, feed.date));
    let lists = [
        ("host", vec![host.hostname.clone().unwrap_or_else(unknown)]),
        ("os", vec![os.unwrap_or_else(unknown)]),
        ("supported", supported(host)),
        ("addresses", host.ips.clone()),
        ("kernels", kernels(host)),
        ("confined", confined(host.mandatory_access.as_ref())),
        ("instance", instance(host)),
        ("account", named(cloud.account.as_ref(), cloud.account_alias.as_ref())),
        ("advisories", feeds.collect()),
    ];
    let mut grid = Grid::new(options.screen);
    for (name, values) in lists {
        for (index, value) in values.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            grid.row([cell(name), cell(value)]);
        }
    }
    grid.write(out)
}

/// The kernels that are there, and which of them runs and is started next.
fn kernels(host: &HostContext) -> Vec<String> {
    let is = |sign: &Option<KernelSign>, kernel: &str| {
        sign.as_ref().is_some_and(|sign| sign.version == *kernel)
    };
    let signs = [&host.running_kernel, &host.next_kernel].into_iter().flatten();
    let gone = signs.map(|sign| &sign.version).filter(|it| !host.kernels.contains(it));
    let mut all: Vec<_> = host.kernels.iter().chain(gone).collect();
    all.dedup();
    let mark = |kernel: &&String| {
        let runs = is(&host.running_kernel, kernel);
        match (runs, is(&host.next_kernel, kernel)) {
            (true, true) => format!("{kernel} (running, next)"),
            (true, false) => format!("{kernel} (running)"),
            (false, true) => format!("{kernel} (next)"),
            (false, false) => (*kernel).clone(),
        }
    };
    all.iter().map(mark).collect()
}

/// The cloud's word, else what cloud-init left, which may have come with a copy of a disk.
fn instance(host: &HostContext) -> Vec<String> {
    let cloud = &host.cloud;
    let left = host.cloud_init.as_ref().and_then(|it| it.instance_id.as_ref());
    match (&cloud.instance_id, left) {
        (None, Some(left)) => vec![format!("{left} (left by cloud-init, no proof)")],
        (known, _) => named(known.as_ref(), cloud.instance_name.as_ref()),
    }
}

fn confined(access: Option<&MandatoryAccess>) -> Vec<String> {
    let line = access.map(|it| format!("{}, {}", it.system, it.mode.as_str()));
    line.into_iter().collect()
}

/// Until when there is support, and what goes beyond.
fn supported(host: &HostContext) -> Vec<String> {
    let Some(end) = &host.end_of_life else {
        let held = host.update_stream.iter().filter_map(|stream| stream.release.as_ref());
        return held
            .map(|it| {
                format!("the end of {}, which it is held at, is not known", printable_str(it))
            })
            .collect();
    };
    let maintenance = if end.support == Support::Maintenance { ", fixes alone" } else { "" };
    let line = format!("until {} ({}{maintenance})", end.date, left(end.days_left));
    let beyond = end.extended.as_ref().map(|it| {
        format!("{} until {} ({})", printable_str(&it.name), it.date, left(it.days_left))
    });
    [line].into_iter().chain(beyond).collect()
}

fn left(days: i64) -> String {
    let counted = counted(usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX), "day");
    if days < 0 { format!("over for {counted}") } else { format!("{counted} left") }
}

/// An id, and the name that people know it by.
fn named(id: Option<&String>, name: Option<&String>) -> Vec<String> {
    let name = name.map_or(String::new(), |name| format!(" ({name})"));
    id.map(|id| format!("{id}{name}")).into_iter().collect()
}

fn write_asset(
    asset: &Asset,
    report: &ScanReport,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let packages = counted(asset.packages.len(), "package");
    let name = printable_str(&asset.name);
    match asset.kind {
        AssetKind::Host => writeln!(out, "\n{packages} on {name}")?,
        AssetKind::Container | AssetKind::Image => {
            containers::write(asset, &packages, options.screen, out)?;
        }
    }
    if asset.findings.is_empty() {
        return writeln!(out, "{}", nothing(report));
    }
    findings::write(asset, report, options.screen, out)
}

/// No finding is good news only where all packages were matched.
fn nothing(report: &ScanReport) -> &'static str {
    let unmatched = report.gaps.iter().any(|gap| gap.reason == GapReason::NoVendorData);
    match (report.feeds.is_empty(), unmatched) {
        (true, false) => "not matched with advisories, as --no-match asks",
        (true, true) => "not matched with advisories, so nothing is known of findings",
        (false, true) => {
            "not wholly matched with advisories (see the gaps); no finding in the rest"
        }
        (false, false) => "no findings: no advisory applies to these packages",
    }
}

fn write_gaps(report: &ScanReport, options: Options, out: &mut dyn Write) -> io::Result<()> {
    if report.gaps.is_empty() {
        return writeln!(out, "\nno gaps: every package database of a known kind was read");
    }
    let gaps = counted(report.gaps.len(), "gap");
    writeln!(out, "\n{gaps}: this was not read or not matched, so the result may be incomplete")?;
    let mut grid = Grid::new(options.screen);
    for gap in &report.gaps {
        let reason = gap.reason.as_str().replace('_', " ");
        grid.row([cell(&gap.place), cell(&reason), cell(&gap.detail)]);
    }
    grid.write(out)
}

fn write_receipt(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    let receipt = &report.receipt;
    writeln!(out)?;
    if let Some(walk) = &report.walk {
        let files = usize::try_from(walk.files).unwrap_or(usize::MAX);
        let folders = usize::try_from(walk.folders).unwrap_or(usize::MAX);
        let left: Vec<_> = walk.excluded.iter().map(|it| printable_str(&it.path)).collect();
        let but =
            if left.is_empty() { String::new() } else { format!(", but not {}", left.join(", ")) };
        writeln!(
            out,
            "searched {} in {}{but}",
            counted(files, "file"),
            counted(folders, "folder")
        )?;
    }
    if receipt.blocks_read > 0 {
        let allocated = receipt.blocks_allocated.map(|blocks| format!(" of {blocks}"));
        let allocated = allocated.unwrap_or_default();
        write!(out, "read {}{allocated} blocks, ", receipt.blocks_read)?;
    }
    if receipt.api_calls > 0 {
        let calls = counted(usize::try_from(receipt.api_calls).unwrap_or(usize::MAX), "API call");
        write!(out, "{calls} ({} repeated) for ${:.6}, ", receipt.retries, receipt.usd)?;
    }
    let mib = receipt.peak_memory_bytes >> 20;
    writeln!(out, "{:.2} s, {mib} MiB of memory at most", receipt.seconds)
}

fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
