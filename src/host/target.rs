//! What the default entry of a boot configuration starts: a filesystem, a subvolume of it, a deployment.

use super::boot::{Arguments, Configuration};
use super::candidates::{self, Candidate, Survey};
use super::devices::Devices;
use super::spec::Spec;
use super::{Found, Tree};
use crate::filesystem::NodeId;
use crate::model::printable_str;

/// What is started.
#[derive(Debug)]
pub enum Target {
    /// This one of the candidates.
    Candidate(usize),
    /// A filesystem of several subvolumes, none of which it names.
    FileSystem(usize),
    /// A root that is not among the filesystems, or not read: its name.
    Absent(String),
    /// It does not say.
    Unsaid,
}

/// What a configuration starts. What it names is a candidate, whatever its signs.
pub fn target(
    found: &[Found],
    survey: &mut Survey,
    on: usize,
    configuration: &Configuration,
) -> Target {
    let Arguments { root, root_options, ostree, .. } = &configuration.arguments;
    let root = root.as_deref();
    let device = root.map(Spec::parse);
    let devices = Devices { found, disk: found[on].disk, disk_name: None, joined: &[], named: &[] };
    let named = device.as_ref().and_then(|spec| devices.find(spec, "auto"));
    let options = root_options.as_deref().unwrap_or_default();
    if let Some(link) = ostree {
        let deployed = deployed(&survey.candidates, named, options, link);
        return deployed.map_or(Target::Unsaid, Target::Candidate);
    }
    let name = || printable_str(root.unwrap_or_default());
    let Some(named) = named else {
        let is_lasting = device.is_some_and(|it| it.is_lasting());
        return if is_lasting { Target::Absent(name()) } else { Target::Unsaid };
    };
    let Some(filesystem) = &found[named].filesystem else { return Target::Absent(name()) };
    match filesystem.subtree(options) {
        Ok(Some(top)) => Target::Candidate(subvolume(found, survey, named, top)),
        Ok(None) => {
            candidates::must_have(found, survey, named);
            let first = survey.candidates.iter().position(|it| it.found == named);
            let is_choice = survey.subvolumes.contains_key(&named);
            first.filter(|_| !is_choice).map_or(Target::FileSystem(named), Target::Candidate)
        }
        Err(_) => Target::Absent(format!("{} with {}", name(), printable_str(options))),
    }
}

/// The candidate that a subvolume is; it becomes one if it is none.
fn subvolume(found: &[Found], survey: &mut Survey, index: usize, top: NodeId) -> usize {
    let is_it = |it: &Candidate| it.found == index && it.top == top && it.folder.is_none();
    if let Some(known) = survey.candidates.iter().position(is_it) {
        return known;
    }
    let subvolumes = survey.subvolumes.get(&index).map(Vec::as_slice).unwrap_or_default();
    if let Some(filesystem) = &found[index].filesystem {
        let named = candidates::named((index, &found[index]), filesystem, top, subvolumes);
        survey.candidates.push(named);
    }
    survey.candidates.len() - 1
}

/// The deployment that a link leads to, on the filesystem that is named, or on any.
fn deployed(
    candidates: &[Candidate],
    named: Option<usize>,
    options: &str,
    link: &str,
) -> Option<usize> {
    let fits = |it: &Candidate| {
        let node = || Tree::at(it.filesystem.clone(), it.top).find(link.as_bytes()).ok().flatten();
        it.folder.is_some()
            && named.is_none_or(|named| named == it.found)
            && node().is_some_and(|at| at.node == it.node)
    };
    let is_mounted = |it: &Candidate| {
        let named = it.filesystem.subtree(options).ok().flatten();
        named.unwrap_or_else(|| it.filesystem.root()) == it.top
    };
    // A snapshot of the subvolume has the same links and deployments.
    let mounted = candidates.iter().position(|it| fits(it) && is_mounted(it));
    mounted.or_else(|| candidates.iter().position(fits))
}
