//! Text for people: the host, the findings grouped by package, and what was not read.
//!
//! Everything that came from a disk or a feed was made printable where it entered; the rest is
//! made so here once more, for a terminal forgives nothing.

use super::{Options, ReportFormat};
use crate::model::{Asset, Finding, ScanReport, printable_str};
use comfy_table::{Table as Grid, presets};
use std::io::{self, Write};

/// The format.
pub struct Table;

impl ReportFormat for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn write(&self, report: &ScanReport, _: Options, out: &mut dyn Write) -> io::Result<()> {
        write_host(report, out)?;
        for asset in &report.assets {
            write_asset(asset, report, out)?;
        }
        write_gaps(report, out)?;
        write_receipt(report, out)
    }
}

fn write_host(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    let host = &report.host;
    let unknown = || "unknown".to_owned();
    let line = |out: &mut dyn Write, name: &str, value: String| {
        writeln!(out, "{name:<10}{}", printable_str(&value))
    };
    line(out, "host", host.hostname.clone().unwrap_or_else(unknown))?;
    let os = if host.os.pretty_name.is_empty() { unknown() } else { host.os.pretty_name.clone() };
    line(out, "os", os)?;
    if !host.ips.is_empty() {
        line(out, "addresses", host.ips.join(", "))?;
    }
    if !host.kernels.is_empty() {
        line(out, "kernels", host.kernels.join(", "))?;
    }
    let mounts: Vec<_> = host
        .mounts
        .iter()
        .map(|mount| format!("{} on {} ({})", mount.device, mount.path, mount.filesystem))
        .collect();
    line(out, "mounts", mounts.join(", "))
}

fn write_asset(asset: &Asset, report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{} packages on {}", asset.packages.len(), printable_str(&asset.name))?;
    if report.feeds.is_empty() {
        return writeln!(out, "not matched with advisories");
    }
    if asset.findings.is_empty() {
        return writeln!(out, "no findings");
    }
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING);
    grid.set_header(["PACKAGE", "INSTALLED", "ADVISORY", "SEVERITY", "KEV", "FIXED", "STATUS"]);
    let mut last = None;
    for finding in by_package(&asset.findings) {
        let repeated = last == Some((&finding.package, &finding.installed));
        last = Some((&finding.package, &finding.installed));
        grid.add_row(row(finding, repeated));
    }
    writeln!(out, "{grid}")?;
    writeln!(out, "{} findings", asset.findings.len())
}

fn row(finding: &Finding, repeated: bool) -> [String; 7] {
    let shown = |text: &str| if repeated { String::new() } else { printable_str(text) };
    [
        shown(&finding.package),
        shown(&finding.installed),
        printable_str(&finding.id),
        finding.severity.as_str().to_owned(),
        if finding.kev { "KEV".to_owned() } else { String::new() },
        finding.fixed.as_deref().map(printable_str).unwrap_or_default(),
        finding.status.as_str().to_owned(),
    ]
}

/// Packages with the worst finding first, known exploited ones before all others.
fn by_package(findings: &[Finding]) -> Vec<&Finding> {
    let mut worst = std::collections::HashMap::new();
    for finding in findings {
        let rank = (finding.kev, finding.severity);
        let entry = worst.entry(&finding.package).or_insert(rank);
        *entry = rank.max(*entry);
    }
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by(|a, b| {
        let rank = |f: &Finding| worst.get(&f.package).copied();
        rank(b)
            .cmp(&rank(a))
            .then_with(|| (&a.package, &a.installed).cmp(&(&b.package, &b.installed)))
            .then_with(|| (b.kev, b.severity).cmp(&(a.kev, a.severity)))
            .then_with(|| a.id.cmp(&b.id))
    });
    sorted
}

fn write_gaps(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    if report.gaps.is_empty() {
        return writeln!(out, "\nno gaps: everything that may hold packages was read");
    }
    writeln!(out, "\n{} gaps: the result may be incomplete", report.gaps.len())?;
    for gap in &report.gaps {
        let (place, detail) = (printable_str(&gap.place), printable_str(&gap.detail));
        writeln!(out, "  {place}: {}: {detail}", gap.reason.as_str())?;
    }
    Ok(())
}

fn write_receipt(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    let receipt = &report.receipt;
    let allocated = receipt.blocks_allocated.map_or("?".to_owned(), |blocks| blocks.to_string());
    write!(out, "\nread {} of {allocated} blocks", receipt.blocks_read)?;
    if receipt.api_calls > 0 {
        write!(
            out,
            " in {} calls, {} of them repeated, for ${:.6}",
            receipt.api_calls, receipt.retries, receipt.usd
        )?;
    }
    writeln!(out, ", {:.2} s, {} MiB at most", receipt.seconds, receipt.peak_memory_bytes >> 20)
}
