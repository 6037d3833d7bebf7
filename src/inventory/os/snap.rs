//! Snaps: each is a squashfs image in `/var/lib/snapd/snaps` that says what it is in `meta/snap.yaml`,
//! and mostly which Debian packages it was made from.
//!
//! Of several revisions of a snap the one that `state.json` calls current is read; the others are kept to
//! go back to, and are not in use. Debian packages inside are listed with the snap as their `origin`:
//! they are updated with it and are none of the host's own, so no advisories of the host's release are
//! held against them. Of an image only the few blocks that hold these files are read. Over 10,000
//! snaps, 200,000 packages or 16 MiB of a list the rest is a gap.

mod debs;
mod image;
mod state;
mod yaml;

use super::at_once;
use super::words::{Kept, word};
use crate::host::Host;
use crate::inventory::{Cataloger, PathPattern, Problems, purl::purl};
use crate::model::{Ecosystem, Gap, GapReason, Package, Partial, printable};
use image::Image;

/// The cataloger.
pub struct Snap;

const SNAPS: &str = "/var/lib/snapd/snaps";
const ENDING: &str = ".snap";
const META: &str = "meta/snap.yaml";
const MOST_META: u64 = 1 << 20;
/// Problems of one snap that are listed.
const MOST_PROBLEMS: usize = 100;

impl Cataloger for Snap {
    fn name(&self) -> &'static str {
        "snap"
    }

    fn patterns(&self) -> &[PathPattern] {
        const PATTERNS: &[PathPattern] = &[PathPattern::Folder { path: SNAPS, except: ".part" }];
        PATTERNS
    }

    fn beside(&self) -> &[&'static str] {
        &[state::STATE]
    }

    fn is_of_system(&self) -> bool {
        false
    }

    /// Those that are current; their blocks are asked for together.
    fn choose(&self, host: &Host, mut files: Vec<Vec<u8>>) -> Partial<Vec<Vec<u8>>> {
        files.retain(|path| path.ends_with(ENDING.as_bytes()));
        if files.is_empty() {
            return Partial::default();
        }
        let chosen = state::current(host, files);
        at_once::each(&chosen.found, |path| {
            let image = Image::open(&host.tree, path).ok();
            image.map(|image| image.read(META, MOST_META).is_ok())
        });
        chosen
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let place = printable(path);
        let mut problems = Problems::new(&place, MOST_PROBLEMS);
        let mut kept = Kept::new(&place);
        if let Err(gap) = read(host, path, &mut kept, &mut problems) {
            problems.push(gap);
        }
        Partial { found: kept.found, gaps: problems.into_gaps() }
    }
}

/// The snap and what is inside; an error is one after which the rest is left.
fn read(host: &Host, path: &[u8], kept: &mut Kept, problems: &mut Problems) -> Result<(), Gap> {
    let image = Image::open(&host.tree, path)?;
    let inside = format!("{}!{META}", image.place());
    let Some(meta) = image.read(META, MOST_META)? else {
        return Err(Gap::new(inside, GapReason::Missing, "no such file in the snap"));
    };
    let (snap, arch) =
        package(&meta, &inside).map_err(|(reason, detail)| Gap::new(&inside, reason, detail))?;
    let name = snap.name.clone();
    kept.keep(snap)?;
    debs::read(&image, &name, &arch, kept, problems)
}

/// The snap itself, and the architecture of what is in it.
fn package(meta: &str, evidence: &str) -> Result<(Package, String), (GapReason, String)> {
    let field = |key: &str| {
        let value = yaml::scalar(meta, key).unwrap_or_default();
        word(key, &value).map_err(|detail| (GapReason::Limit, detail))
    };
    let (name, version) = (field("name")?, field("version")?);
    if name.is_empty() || version.is_empty() {
        return Err((GapReason::Corrupt, "no name or no version of the snap".to_owned()));
    }
    let arch = yaml::list(meta, "architectures", yaml::Depth::Top).join(",");
    let arch = word("architecture", &arch).map_err(|detail| (GapReason::Limit, detail))?;
    let qualifiers = [("arch", arch.as_str())];
    let package = Package {
        purl: purl(Ecosystem::Snap.purl_type(), "snap", &name, &version, &qualifiers),
        arch: arch.clone(),
        ..Package::new(Ecosystem::Snap, name, version, evidence.to_owned())
    };
    Ok((package, arch))
}
