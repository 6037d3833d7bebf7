//! What became of the hosts: each is written as it comes, and only its row stays in memory.

use crate::commands::output::Output;
use crate::model::{HostStatus, SweepSummary, SweptHost, Totals};
use crate::report::sweep::{Row, write_json, write_table};
use crate::report::{self, Options, Vulnerabilities};
use anyhow::Context;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The outcomes so far.
pub struct Outcomes {
    /// Counts.
    pub totals: Totals,
    /// Distinct blocks read, over all hosts.
    pub blocks_read: u64,
    rows: Vec<Row>,
    failures: Vec<String>,
    /// One JSON document for each host, by its id.
    spool: tempfile::TempDir,
    folder: Option<PathBuf>,
}

impl Outcomes {
    /// None yet; `folder` is made if it is not there.
    pub fn new(folder: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        Ok(Self {
            totals: Totals::default(),
            blocks_read: 0,
            rows: Vec::new(),
            failures: Vec::new(),
            spool: tempfile::tempdir().context("a folder for the hosts' reports")?,
            folder: folder.map(Path::to_owned),
        })
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
        match &self.folder {
            Some(folder) => write_folder(&folder.join(&host.instance_id), host),
            None => Ok(()),
        }
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
        if let Some(folder) = &self.folder {
            Output::at(&folder.join("sweep.json"))?.write(|out| self.json(summary, out))?;
        }
        output.write(|out| match format {
            "json" => self.json(summary, out),
            _ => write_table(summary, &self.rows, &self.failures, out),
        })
    }

    fn json(&self, summary: &SweepSummary, out: &mut dyn Write) -> std::io::Result<()> {
        let hosts = self.rows.iter().map(|row| self.spool.path().join(&row.instance_id));
        write_json(summary, hosts.map(|path| File::open(path).map(BufReader::new)), out)
    }
}

fn write_folder(folder: &Path, host: &SweptHost) -> anyhow::Result<()> {
    let Some(found) = &host.report else { return Ok(()) };
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let vulnerabilities = Vulnerabilities::Include;
    let options = Options { vulnerabilities, ..Options::default() };
    for (name, format) in [("report.json", "json"), ("sbom.cdx.json", "cyclonedx")] {
        let format = report::by_name(format).context("no such report format")?;
        let output = Output::at(&folder.join(name))?;
        output.write(|out| format.write(found, options, out))?;
    }
    Ok(())
}
