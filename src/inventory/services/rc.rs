//! Scripts of runlevels: links `S20name` in `/etc/rc2.d` and its like, and the links of OpenRC. One of which systemd
//! has a unit is not started by its script.

use super::files::Lists;
use super::{Command, MOST, Started};
use crate::host::Tree;
use crate::model::{Gap, GapReason, ServiceKind, printable};
use std::collections::BTreeMap;

const FOLDERS: [&str; 5] = ["/etc/rcS.d", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d", "/etc/rc5.d"];
const OPENRC: [&str; 3] =
    ["/etc/runlevels/sysinit", "/etc/runlevels/boot", "/etc/runlevels/default"];

/// The folders of links.
pub fn folders() -> impl Iterator<Item = &'static &'static str> {
    FOLDERS.iter().chain(&OPENRC)
}

/// The scripts that are started, each by the first of its links.
pub fn started(
    tree: &Tree,
    lists: &mut Lists,
    has_unit: impl Fn(&[u8]) -> bool,
    gaps: &mut Vec<Gap>,
) -> Vec<Started> {
    let mut first: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for folder in FOLDERS.into_iter().chain(OPENRC) {
        let is_openrc = OPENRC.contains(&folder);
        for link in lists.list(tree, folder.as_bytes(), gaps) {
            let name = if is_openrc { Some(link.name.as_slice()) } else { name(&link.name) };
            if let Some(name) = name
                && first.len() <= MOST
            {
                first.entry(name.to_vec()).or_insert(link.path);
            }
        }
    }
    if first.len() > MOST {
        let detail = format!("more than {MOST} scripts of runlevels; the rest was not read");
        gaps.push(Gap::new(FOLDERS[1], GapReason::Limit, detail));
    }
    let own = first.into_iter().take(MOST);
    let own = own.filter(|(name, _)| {
        let unit = name.strip_suffix(b".sh").unwrap_or(name);
        !has_unit(&[unit, b".service".as_slice()].concat())
    });
    own.map(|(name, link)| {
        let program = String::from_utf8(link.clone()).ok();
        let command = program.map(|program| Command { program, path: None });
        let (kind, enabled_by) = (ServiceKind::Rc, printable(&link));
        Started { name, kind, enabled_by, command, user: None, listens: Vec::new() }
    })
    .collect()
}

/// `ssh` of `S01ssh`.
fn name(link: &[u8]) -> Option<&[u8]> {
    let [b'S', a, b, name @ ..] = link else { return None };
    (a.is_ascii_digit() && b.is_ascii_digit() && !name.is_empty()).then_some(name)
}
