//! Which archive each package came from: apt's indexes of packages, searched for the installed ones.
//!
//! Which indexes are read `host::Archives` decided, and the host's context tells. They are read as streams, stanza by
//! stanza; of each only name, version and architecture are looked at. A package is of the first
//! archive that has just its version; the system's own come first. Who publishes an archive of another name
//! is told only where those of the system are there too, were read, and have the package in no newer version: a
//! company's mirror of a system, or of a part of it that lags behind, under a name of the company's, makes no
//! package foreign.

use super::super::lines::Lines;
use super::super::unpacked::unpacked;
use crate::host::Host;
use crate::model::{Archive, Gap, GapReason, Package};
use crate::version::dpkg;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};

/// Bytes that indexes may unpack to, all together.
const MOST_TEXT: u64 = 1 << 30;

/// Notes where the packages come from.
pub(super) fn note(host: &Host, packages: &mut [Package], gaps: &mut Vec<Gap>) {
    let archives = &host.context.archives;
    if archives.is_empty() {
        return;
    }
    let is_own = |archive: &Archive| archive.is_of(&host.context.os.id);
    let mut own_are_known =
        archives.iter().any(is_own) && archives.iter().all(|it| it.index_read || !is_own(it));
    let mut wanted = Wanted::of(packages);
    let mut left = MOST_TEXT;
    for archive in archives.iter().filter(|archive| archive.index_read) {
        wanted.is_own = is_own(archive);
        let outcome = search(host, archive, &mut wanted, &mut left);
        if let Err(gap) = outcome {
            gaps.push(gap);
            own_are_known &= !wanted.is_own;
        }
        for index in std::mem::take(&mut wanted.met) {
            let package = &mut packages[index];
            package.repository = Some(archive.name()).filter(|name| !name.is_empty());
            let is_sure = wanted.is_own || own_are_known && !wanted.outdated.contains(&index);
            if let Some(publisher) = archive.publisher().filter(|_| is_sure) {
                package.origin = Some(publisher.to_owned());
            }
        }
    }
}

/// Packages whose archive is not known yet.
struct Wanted {
    /// Their indexes and versions, by name and architecture.
    by_name: HashMap<(String, String), Vec<(usize, String)>>,
    /// Those that the archive at hand has.
    met: Vec<usize>,
    /// Whether that is one of the system's own.
    is_own: bool,
    /// Those that the system's own have in a newer version.
    outdated: HashSet<usize>,
}

impl Wanted {
    fn of(packages: &[Package]) -> Self {
        let mut by_name = HashMap::<_, Vec<_>>::new();
        for (index, package) in packages.iter().enumerate() {
            let key = (package.name.clone(), package.arch.clone());
            by_name.entry(key).or_default().push((index, package.version.clone()));
        }
        Self { by_name, met: Vec::new(), is_own: false, outdated: HashSet::new() }
    }

    fn meet(&mut self, stanza: &mut Stanza) {
        let [name, architecture, version] = std::mem::take(&mut stanza.0);
        let Some(alike) = self.by_name.get_mut(&(name, architecture)) else { return };
        alike.retain(|(index, installed)| {
            if *installed == version {
                self.met.push(*index);
            } else if self.is_own && dpkg::compare(&version, installed) == Ordering::Greater {
                self.outdated.insert(*index);
            }
            *installed != version
        });
    }
}

/// Name, architecture and version of the stanza that is being read.
#[derive(Default)]
struct Stanza([String; 3]);

impl Stanza {
    fn take(&mut self, line: &[u8]) {
        const FIELDS: [&[u8]; 3] = [b"Package:", b"Architecture:", b"Version:"];
        for (field, value) in FIELDS.iter().zip(&mut self.0) {
            if let Some((name, rest)) = line.split_at_checked(field.len())
                && name.eq_ignore_ascii_case(field)
            {
                *value = String::from_utf8_lossy(rest.trim_ascii()).into_owned();
            }
        }
    }
}

/// Searches an index for packages; what is met before it breaks off counts.
fn search(host: &Host, archive: &Archive, wanted: &mut Wanted, left: &mut u64) -> Result<(), Gap> {
    let place = archive.index.as_str();
    let file = host.tree.open_positioned(place.as_bytes());
    let Some(file) = file.map_err(|error| Gap::new(place, error.reason(), error))? else {
        return Ok(());
    };
    let file = file.in_order();
    let failed = |error: io::Error| {
        let reason = match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => GapReason::Corrupt,
            _ => GapReason::Unreadable,
        };
        let detail = format!("{error}; where packages come from is known as far as it was read");
        Gap::new(place, reason, detail)
    };
    let Some(text) = unpacked(place, file).map_err(failed)? else {
        let detail = "an index of packages, packed in a way that is not read";
        return Err(Gap::new(place, GapReason::Unsupported, detail));
    };
    let mut bounded = text.take(*left);
    let outcome = stanzas(&mut bounded, wanted);
    *left = bounded.limit();
    outcome.map_err(failed)?;
    if *left == 0 {
        let detail = format!("more than {MOST_TEXT} bytes of indexes; the rest was not read");
        return Err(Gap::new(place, GapReason::Limit, detail));
    }
    Ok(())
}

fn stanzas(text: impl Read, wanted: &mut Wanted) -> io::Result<()> {
    let mut lines = Lines::new(text);
    let mut stanza = Stanza::default();
    while let Some(line) = lines.next()? {
        if line.bytes.is_empty() {
            wanted.meet(&mut stanza);
        } else if !line.is_cut {
            stanza.take(line.bytes);
        }
    }
    wanted.meet(&mut stanza);
    Ok(())
}

#[cfg(test)]
mod tests;
