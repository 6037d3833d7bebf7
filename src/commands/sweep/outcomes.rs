//! What became of the hosts: each is written as it comes, and only its row stays in memory.

use super::folder::Folder;
use crate::cloud::Account;
use crate::commands::output::Output;
use crate::model::{HostStatus, SweepSummary, SweptHost, Totals};
use crate::report::sweep::{Row, write_json, write_table};
use crate::report::{self, Options, Vulnerabilities};
use crate::sweep::Scanner;
use anyhow::{Context, ensure};
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};

/// The outcomes so far.
pub struct Outcomes<'a> {
    /// Counts.
    pub totals: Totals,
    /// Distinct blocks read, over all hosts.
    pub blocks_read: u64,
    rows: Vec<Row>,
    failures: Vec<String>,
    /// One JSON document for each host, by its id.
    spool: tempfile::TempDir,
    folder: Option<Folder>,
    account: &'a Account,
    sweep: &'a str,
    /// Results that could not be written, each with why.
    unwritten: Vec<String>,
}

impl<'a> Outcomes<'a> {
    /// None yet. A folder that cannot be written is told now, before any snapshot is made.
    pub fn new(folder: Option<Folder>, scanner: &'a Scanner<'_>) -> anyhow::Result<Self> {
        let outcomes = Self {
            totals: Totals::default(),
            blocks_read: 0,
            rows: Vec::new(),
            failures: Vec::new(),
            spool: tempfile::tempdir().context("a folder for the hosts' reports")?,
            folder,
            account: &scanner.account,
            sweep: &scanner.sweep,
            unwritten: Vec::new(),
        };
        let started = json!({ "sweep": scanner.sweep, "started": scanner.started });
        outcomes
            .write_file("started.json", |out| Ok(serde_json::to_writer_pretty(out, &started)?))?;
        Ok(outcomes)
    }

    /// Takes in a host.
    pub fn add(&mut self, host: &SweptHost) -> anyhow::Result<()> {
        self.totals.add(host);
        self.rows.push(Row::new(host));
        if host.status == HostStatus::Failed {
            let detail = host.detail.as_deref().unwrap_or_default();
            self.failures.push(format!("{}: {detail}", host.instance_id));
        }
        self.blocks_read += host.report.as_ref().map_or(0, |report| report.receipt.blocks_read);
        let path = self.spool.path().join(&host.instance_id);
        let mut file = BufWriter::new(File::create(&path).context("the hosts' reports")?);
        serde_json::to_writer(&mut file, host)?;
        file.flush().context("the hosts' reports")?;
        // The other hosts are worth scanning all the same.
        if let Err(error) = self.write_host(host) {
            tracing::error!(
                instance = host.instance_id,
                error = format!("{error:#}"),
                "not written"
            );
            self.unwritten.push(format!("{}: {error:#}", host.instance_id));
        }
        Ok(())
    }

    /// A report and a bill of materials of a host that was scanned.
    fn write_host(&self, host: &SweptHost) -> anyhow::Result<()> {
        let Some(report) = &host.report else { return Ok(()) };
        let vulnerabilities = Vulnerabilities::Include;
        let options = Options { vulnerabilities, ..Options::default() };
        for (name, format) in [("report.json", "json"), ("sbom.cdx.json", "cyclonedx")] {
            let format = report::by_name(format).context("no such report format")?;
            let path = format!("{}/{name}", host.instance_id);
            self.write_file(&path, |out| format.write(report, options, out))?;
        }
        Ok(())
    }

    /// Each sweep has a folder of its own, so that no file of another one is taken for its own.
    fn write_file(
        &self,
        path: &str,
        content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        folder.write(self.account, &format!("{}/{path}", self.sweep), content)
    }

    /// Writes the report of the sweep: to its folder as JSON, and as asked for to `output`.
    pub fn write(
        mut self,
        summary: &SweepSummary,
        format: &str,
        output: &Output,
    ) -> anyhow::Result<()> {
        self.rows.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
        self.failures.sort();
        if let Err(error) = self.write_file("sweep.json", |out| self.json(summary, out)) {
            self.unwritten.push(format!("sweep.json: {error:#}"));
        }
        output.write(|out| match format {
            "json" => self.json(summary, out),
            _ => write_table(summary, &self.rows, &self.failures, out),
        })?;
        let unwritten = self.unwritten.join("; ");
        ensure!(
            unwritten.is_empty(),
            "the sweep ran, and not all of its results were written: {unwritten}"
        );
        Ok(())
    }

    fn json(&self, summary: &SweepSummary, out: &mut dyn Write) -> std::io::Result<()> {
        let hosts = self.rows.iter().map(|row| self.spool.path().join(&row.instance_id));
        write_json(summary, hosts.map(|path| File::open(path).map(BufReader::new)), out)
    }
}
