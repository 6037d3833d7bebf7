//! The findings of an asset: packages with the worst finding first, known exploited before all.

use super::counted;
use super::grid::{Grid, cell};
use crate::model::{Asset, Finding, Package, ScanReport, Severity, Status};
use crate::report::Screen;
use comfy_table::{Attribute, Cell, Color};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

/// Columns of a severity, and of the mark of a known exploited one.
const WIDTHS: [u16; 2] = [10, 3];

/// Writes the findings and their sum: on a screen below their packages, elsewhere each line with
/// all that it tells.
pub(super) fn write(
    asset: &Asset,
    report: &ScanReport,
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = Names::of(&asset.packages);
    let findings = by_package(&asset.findings);
    match screen.width {
        Some(width) => write_below_packages(&findings, &names, (screen, width), out)?,
        None => write_lines(&findings, &names, screen, out)?,
    }
    writeln!(out, "{}", sum(&asset.findings, report))
}

fn write_below_packages(
    findings: &[&Finding],
    names: &Names,
    (screen, width): (Screen, u16),
    out: &mut dyn Write,
) -> io::Result<()> {
    let longest = findings.iter().map(|finding| finding.id.chars().count()).max().unwrap_or(0);
    let longest = u16::try_from(longest).unwrap_or(u16::MAX).clamp(8, width / 3);
    let widths = [longest + 2, WIDTHS[0], WIDTHS[1]];
    let mut header = Grid::new(screen);
    header.row(["  ADVISORY", "SEVERITY", "KEV", "FIXED IN"].map(cell));
    header.write_fixed(&widths, out)?;
    for group in findings.chunk_by(|a, b| a.purl == b.purl) {
        let name = cell(&names.name(group[0])).add_attribute(Attribute::Bold);
        let mut heading = Grid::new(screen);
        heading.row([name, cell(&installed(group[0]))]);
        heading.write(out)?;
        let mut grid = Grid::new(screen);
        for finding in group {
            let [id, severity, known, fix] = about(finding);
            grid.row([cell(&format!("  {}", id.content())), severity, known, fix]);
        }
        grid.write_fixed(&widths, out)?;
    }
    Ok(())
}

fn write_lines(
    findings: &[&Finding],
    names: &Names,
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut grid = Grid::new(screen);
    grid.row(["PACKAGE", "INSTALLED", "ADVISORY", "SEVERITY", "KEV", "FIXED IN"].map(cell));
    for finding in findings {
        let [id, severity, known, fix] = about(finding);
        let name = cell(&names.name(finding));
        grid.row([name, cell(&installed(finding)), id, severity, known, fix]);
    }
    grid.write(out)
}

/// The installed version, and of a kernel whether it runs.
fn installed(finding: &Finding) -> String {
    let kernel = finding.kernel.map(|kernel| format!(" (kernel {})", kernel.told()));
    finding.installed.clone() + &kernel.unwrap_or_default()
}

/// Advisory, severity, mark and fix.
fn about(finding: &Finding) -> [Cell; 4] {
    let known = if finding.kev {
        cell("KEV").fg(Color::Red).add_attribute(Attribute::Bold)
    } else {
        cell("")
    };
    [cell(&finding.id), severity(finding.severity), known, cell(&fix(finding))]
}

/// Names of packages, with the architecture where they are installed for several.
struct Names<'a> {
    arch: HashMap<&'a str, &'a str>,
    installed: HashMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Names<'a> {
    fn of(packages: &'a [Package]) -> Self {
        let mut installed: HashMap<_, BTreeSet<_>> = HashMap::new();
        for package in packages {
            installed.entry(package.name.as_str()).or_default().insert(package.arch.as_str());
        }
        let arch = packages.iter().map(|package| (package.purl.as_str(), package.arch.as_str()));
        Self { arch: arch.collect(), installed }
    }

    fn name(&self, finding: &Finding) -> String {
        let several =
            self.installed.get(finding.package.as_str()).is_some_and(|arches| arches.len() > 1);
        match self.arch.get(finding.purl.as_str()) {
            Some(arch) if several => format!("{}:{arch}", finding.package),
            _ => finding.package.clone(),
        }
    }
}

fn by_package(findings: &[Finding]) -> Vec<&Finding> {
    let mut worst = HashMap::new();
    for finding in findings {
        let rank = (finding.kev, finding.severity);
        let entry = worst.entry(&finding.package).or_insert(rank);
        *entry = rank.max(*entry);
    }
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by(|a, b| {
        let rank = |finding: &Finding| worst.get(&finding.package).copied();
        rank(b)
            .cmp(&rank(a))
            .then_with(|| (&a.package, &a.purl).cmp(&(&b.package, &b.purl)))
            .then_with(|| (b.kev, b.severity).cmp(&(a.kev, a.severity)))
            .then_with(|| a.id.cmp(&b.id))
    });
    sorted
}

fn severity(severity: Severity) -> Cell {
    let cell = cell(severity.as_str());
    match severity {
        Severity::Critical => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Severity::High => cell.fg(Color::Red),
        Severity::Medium => cell.fg(Color::Yellow),
        Severity::Low | Severity::Negligible | Severity::Unknown => cell,
    }
}

/// The fixed version, and what the vendor says unless that is all there is to say.
fn fix(finding: &Finding) -> String {
    let says = match finding.status {
        Status::Fixed => "",
        Status::Affected => "no fix yet",
        Status::NoAdvisory => "no security update planned",
        Status::WillNotFix => "will not be fixed",
        Status::FixDeferred => "fix put off",
        Status::Unimportant => "no security concern",
        Status::EndOfLife => "end of support",
    };
    match (&finding.fixed, says) {
        (Some(version), "") => version.clone(),
        (Some(version), says) => format!("{version} ({says})"),
        (None, says) => says.to_owned(),
    }
}

/// Such as `7 findings: 1 critical, 6 low`, and below it how many are exploited and mended.
fn sum(findings: &[Finding], report: &ScanReport) -> String {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.severity).or_insert(0) += 1;
    }
    let counts = counts.iter().rev().map(|(severity, n)| format!("{n} {}", severity.as_str()));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let of = |test: fn(&Finding) -> bool| findings.iter().filter(|finding| test(finding)).count();
    let known = match of(|finding| finding.kev) {
        0 if !report.has_feed("kev") => "exploited ones not known (no feed kev)".to_owned(),
        known => format!("{known} known exploited (KEV)"),
    };
    let fixed = of(|finding| finding.fixed.is_some());
    let total = counted(findings.len(), "finding");
    format!("{total}: {counts}\n{known}, {fixed} with a fixed version")
}
