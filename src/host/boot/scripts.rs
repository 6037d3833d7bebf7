//! Grub's scripts on a filesystem, each with its environment block: in `grub2` or `grub`, and in the folders of
//! vendors on an EFI system partition, where Red Hat's had them up to its release 8. Newer ones have a script there
//! that only leads to the other, which does not count.

use super::grub::{self, Script};
use crate::host::{Tree, identity};
use crate::model::{Gap, GapReason, printable};

/// Most folders of vendors that are looked into.
const MOST_VENDORS: usize = 64;
/// Where grub has its files; the first is Red Hat's and SUSE's.
const FOLDERS: [&str; 2] = ["grub2", "grub"];

/// A script and where it is, which is empty where there is none.
pub struct Placed {
    pub place: String,
    pub script: Script,
    /// Why another entry may be started.
    pub doubt: Option<String>,
}

/// Those that make a menu, the likeliest first; at least one, if only of an environment block.
pub fn find(tree: &Tree, folder: &str, vendors: &str, gaps: &mut Vec<Gap>) -> Vec<Placed> {
    let own = own(tree, folder, gaps).map(|(path, text)| placed(tree, folder, path, &text, gaps));
    let (menus, leading): (Vec<_>, Vec<_>) =
        on_firmware(tree, folder, vendors, gaps).into_iter().partition(is_menu);
    match own {
        // The firmware's leads to it.
        Some(own) if is_menu(&own) && !leading.is_empty() => vec![own],
        Some(own) if is_menu(&own) => std::iter::once(own).chain(menus).collect(),
        _ if !menus.is_empty() => menus,
        Some(own) => vec![own],
        None => vec![placed(tree, folder, String::new(), "", gaps)],
    }
}

fn is_menu(placed: &Placed) -> bool {
    placed.script.takes_loader_entries || placed.script.has_entries()
}

/// The script in grub's own folder. Of two, a system of Debian's kind starts that in `grub`: what else there is was
/// left by something else.
fn own(tree: &Tree, folder: &str, gaps: &mut Vec<Gap>) -> Option<(String, String)> {
    let [first, second] = FOLDERS.map(|name| format!("{folder}/{name}/grub.cfg"));
    let has = |path: &str| matches!(tree.find(path.as_bytes()), Ok(Some(_)));
    let is_turned = has(&first) && has(&second) && is_of_debian(tree);
    let paths = if is_turned { [second, first] } else { [first, second] };
    paths.into_iter().find_map(|path| identity::text(tree, &path, gaps).map(|text| (path, text)))
}

fn is_of_debian(tree: &Tree) -> bool {
    let os = identity::os(tree, &mut Vec::new());
    let is_kind = |id: &String| matches!(id.as_str(), "debian" | "ubuntu");
    is_kind(&os.id) || os.id_like.iter().any(is_kind)
}

/// The scripts of vendors. Where the environment block is a link into one of their folders, that one counts.
fn on_firmware(tree: &Tree, folder: &str, vendors: &str, gaps: &mut Vec<Gap>) -> Vec<Placed> {
    let mut names: Vec<_> =
        tree.list(vendors.as_bytes(), gaps).into_iter().map(|entry| entry.name).collect();
    if names.len() > MOST_VENDORS {
        let detail = format!("{} folders; only {MOST_VENDORS} were looked at", names.len());
        gaps.push(Gap::new(vendors, GapReason::Limit, detail));
        names.truncate(MOST_VENDORS);
    }
    if let Some(linked) = linked(tree, folder, vendors)
        && names.iter().any(|name| name.eq_ignore_ascii_case(&linked))
    {
        names.retain(|name| name.eq_ignore_ascii_case(&linked));
    }
    let mut found = Vec::new();
    for name in names {
        // A name that is no text is none of a vendor's.
        let Ok(name) = String::from_utf8(name) else { continue };
        let path = format!("{vendors}/{name}/grub.cfg");
        if let Some(text) = identity::text(tree, &path, gaps) {
            found.push(placed(tree, folder, path, &text, gaps));
        }
    }
    found
}

/// The folder of a vendor that the environment block lies in.
fn linked(tree: &Tree, folder: &str, vendors: &str) -> Option<Vec<u8>> {
    let real = |name| tree.real_path(format!("{folder}/{name}/grubenv").as_bytes()).ok().flatten();
    let path = FOLDERS.into_iter().find_map(real)?;
    let rest = path.strip_prefix(vendors.as_bytes())?.strip_prefix(b"/")?;
    rest.split(|byte| *byte == b'/').next().map(<[u8]>::to_vec)
}

fn placed(tree: &Tree, folder: &str, place: String, text: &str, gaps: &mut Vec<Gap>) -> Placed {
    let beside = place.strip_suffix("grub.cfg").map(|above| format!("{above}grubenv"));
    let own = FOLDERS.map(|name| format!("{folder}/{name}/grubenv"));
    let mut paths = beside.iter().chain(&own);
    let environment = paths.find_map(|path| identity::text(tree, path, gaps));
    let doubt = if environment.is_none() { lost(tree, &own) } else { None };
    Placed { script: grub::parse(text, &environment.unwrap_or_default()), place, doubt }
}

/// An environment block on a filesystem that is not among what was read.
fn lost(tree: &Tree, paths: &[String]) -> Option<String> {
    paths.iter().find_map(|path| {
        let target = tree.link_target(path.as_bytes()).ok().flatten()?;
        Some(format!("{path} leads to {}, which is not there", printable(&target)))
    })
}
