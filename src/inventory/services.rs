//! What a host starts by itself, and whose it is: systemd's units that something enables, scripts of runlevels, and
//! what cron runs. A hint at what listens and not proof: nothing is seen to run on a disk.
//!
//! systemd's generators and presets, user units, and inetd are not looked at.

mod command;
mod cron;
mod executables;
mod files;
mod rc;
mod settings;
mod units;

use super::{Owners, Problems};
use crate::host::{Host, Tree};
use crate::model::{Gap, Partial, Service, ServiceKind, printable, printable_str};
use command::Command;
use files::{Files, Lists};

/// Most services of one kind.
const MOST: usize = 4096;
/// Most problems that are told.
const MOST_PROBLEMS: usize = 100;

/// A service whose program was not looked up yet.
#[derive(Debug)]
struct Started {
    name: Vec<u8>,
    kind: ServiceKind,
    enabled_by: String,
    command: Option<Command>,
    user: Option<String>,
    listens: Vec<String>,
}

/// What the host starts, sorted.
pub fn find(host: &Host, owners: &Owners) -> Partial<Vec<Service>> {
    let mut gaps = Vec::new();
    if host.context.os.id == "windows" {
        return Partial::whole(Vec::new());
    }
    let rule = cron::Rule::of(&host.context.os);
    let started = started(&host.tree, rule, &mut gaps);
    let mut found = executables::look_up(&host.tree, started, owners);
    found.sort();
    found.dedup();
    let mut problems = Problems::new("services", MOST_PROBLEMS);
    for gap in gaps {
        problems.push(gap);
    }
    Partial { found, gaps: problems.into_gaps() }
}

fn started(tree: &Tree, rule: cron::Rule, gaps: &mut Vec<Gap>) -> Vec<Started> {
    let folders = units::FOLDERS.iter().chain(cron::folders()).chain(rc::folders());
    files::warm(tree, folders.map(|folder| folder.as_bytes()));
    let mut units = units::Units::list(tree, gaps);
    let mut files = Files::default();
    let mut lists = Lists::default();
    let crontabs = cron::Crontabs::list(tree, rule, &mut lists, &mut files, gaps);
    units.ask(tree, &mut files, gaps);
    files.read(tree, gaps);
    let mut started = units.started(tree, &mut files, gaps);
    started.extend(crontabs.started(&files, gaps));
    started.extend(rc::started(tree, &mut lists, |name| units.defines(name), gaps));
    started
}

impl Started {
    /// The service, with its program and whose that is.
    fn with(self, executable: Option<&[u8]>, package: Option<&str>) -> Service {
        Service {
            name: printable(&self.name),
            kind: self.kind,
            enabled_by: self.enabled_by,
            executable: executable.map(printable),
            package: package.map(str::to_owned),
            user: self.user.as_deref().map(printable_str),
            listens: self.listens,
        }
    }
}
