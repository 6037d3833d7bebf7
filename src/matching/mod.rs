//! Which advisories apply to which packages. One file per distribution says how its packages are
//! looked up; what a feed's file looks like is not known here.

mod debian;

use crate::advisory::store::{Store, StoreError};
use crate::model::{Advisory, AffectedRange, Finding, Gap, GapReason, Os, Package, Partial};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// How a distribution names and orders what advisories speak of.
trait Rules: Sync {
    /// `ID` of os-release.
    fn distro(&self) -> &'static str;

    /// The release, as its publisher names it.
    fn release(&self, os: &Os) -> Option<String>;

    /// The release that speaks for packages which the host's own release does not list.
    fn rolling(&self) -> Option<&'static str>;

    /// What advisories on the package are about.
    fn subject(&self, package: &Package) -> Lookup;

    /// Whether a package holds a kernel, by its name and source.
    fn is_kernel(&self, package: &Package) -> bool;

    /// The order of versions.
    fn compare(&self, a: &str, b: &str) -> Ordering;
}

/// How advisories stand to a package.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lookup {
    /// They may be about it.
    Of(Subject),
    /// It is another's build, of which they do not speak.
    Foreign,
    /// It comes from a source that they speak of, and holds nothing of what they are about.
    Apart,
}

/// What to look up and compare for a package.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    source: String,
    version: String,
}

const RULES: &[&dyn Rules] = &[&debian::Debian];

/// Packages that a gap names; the rest are counted.
const NAMED: usize = 10;
const FOREIGN: &str = "backports or from other archives, not matched with the release's advisories";

/// The advisories that apply to `packages` of a host with this system, worst first.
pub fn match_packages(
    store: &Store,
    os: &Os,
    packages: &[Package],
) -> Result<Partial<Vec<Finding>>, StoreError> {
    let mut all = match_system(store, os, packages)?;
    all.gaps.extend(of_no_feed(packages));
    Ok(all)
}

/// As [`match_packages`], in a container: the kernel that runs there is its host's, so that packages that hold one
/// mean nothing.
pub fn match_container(
    store: &Store,
    os: &Os,
    packages: &[Package],
) -> Result<Partial<Vec<Finding>>, StoreError> {
    let mut all = match_packages(store, os, packages)?;
    let kernels: BTreeSet<&str> =
        packages.iter().filter(|it| is_kernel(it)).map(|it| &*it.purl).collect();
    all.found.retain(|finding| !kernels.contains(&*finding.purl));
    Ok(all)
}

/// Whether a package holds a kernel, by its files or, where those are not known, by its source.
fn is_kernel(package: &Package) -> bool {
    package.kernel.is_some() || RULES.iter().any(|rules| rules.is_kernel(package))
}

/// Packages beside the system's, which no feed speaks of yet. For one that belongs to a package of
/// the system its vendor answers.
fn of_no_feed(packages: &[Package]) -> Option<Gap> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for package in packages {
        if !package.ecosystem.is_system() && package.owner.is_none() {
            *counts.entry(package.ecosystem.as_str()).or_default() += 1;
        }
    }
    let counted: Vec<_> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let detail =
        format!("no advisories in the store for packages of these kinds: {}", counted.join(", "));
    (!counts.is_empty()).then(|| Gap::new("packages", GapReason::NoVendorData, detail))
}

/// The advisories of the system's vendor.
fn match_system(
    store: &Store,
    os: &Os,
    packages: &[Package],
) -> Result<Partial<Vec<Finding>>, StoreError> {
    let rules = RULES.iter().copied().find(|rules| rules.distro() == os.id);
    let tracked = rules.and_then(|rules| {
        let release = rules.release(os)?;
        store.tracks(rules.distro(), &release).then_some((rules, release))
    });
    let Some((rules, release)) = tracked else {
        return Ok(Partial { found: Vec::new(), gaps: vec![no_data(os)] });
    };
    let (known, untracked) = (BTreeMap::new(), BTreeSet::new());
    let mut matcher = Matcher { store, rules, release, known, untracked };
    let mut all = Partial::<Vec<Finding>>::default();
    let mut foreign = BTreeSet::new();
    for package in packages.iter().filter(|package| package.ecosystem.is_system()) {
        match rules.subject(package) {
            Lookup::Of(subject) => matcher.findings(package, &subject, &mut all.found)?,
            Lookup::Foreign => {
                foreign.insert(package.name.clone());
            }
            Lookup::Apart => {}
        }
    }
    all.gaps.extend(unmatched(FOREIGN, &foreign));
    let left =
        format!("advisories speak of these sources in other releases, not in {}", matcher.release);
    all.gaps.extend(unmatched(&left, &matcher.untracked));
    all.found.sort_by(worst_first);
    Ok(all)
}

fn worst_first(a: &Finding, b: &Finding) -> Ordering {
    let by_name = || (&a.package, &a.id, &a.purl).cmp(&(&b.package, &b.id, &b.purl));
    b.severity.cmp(&a.severity).then_with(by_name)
}

fn no_data(os: &Os) -> Gap {
    let names = [&os.pretty_name, &os.id].into_iter().find(|name| !name.is_empty());
    let place = names.map_or("operating system", String::as_str);
    let release = os.codename.as_deref().filter(|name| !name.is_empty()).unwrap_or(&os.version_id);
    let detail = format!("no advisories for {} {release} in the store", os.id);
    Gap::new(place, GapReason::NoVendorData, detail.trim_end())
}

fn unmatched(why: &str, names: &BTreeSet<String>) -> Option<Gap> {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let gap = || Gap::new("packages", GapReason::NoVendorData, format!("{why}: {shown}{more}"));
    (!names.is_empty()).then(gap)
}

type Advisories = Vec<(String, Advisory)>;

struct Matcher<'a> {
    store: &'a Store,
    rules: &'a dyn Rules,
    release: String,
    /// By source package: many packages are built from one.
    known: BTreeMap<String, Advisories>,
    /// Sources that only other releases list.
    untracked: BTreeSet<String>,
}

impl Matcher<'_> {
    fn findings(
        &mut self,
        package: &Package,
        subject: &Subject,
        found: &mut Vec<Finding>,
    ) -> Result<(), StoreError> {
        if !self.known.contains_key(&subject.source) {
            let advisories = self.look_up(&subject.source)?;
            self.known.insert(subject.source.clone(), advisories);
        }
        for (feed, advisory) in self.known.get(&subject.source).into_iter().flatten() {
            if self.applies(advisory, &subject.version) {
                let kev = self.store.known_exploited(&advisory.id)?.is_some();
                found.push(finding(package, advisory, feed, kev));
            }
        }
        Ok(())
    }

    /// The advisories of the release, else of the rolling one. A publisher that has a rolling one
    /// lists in it, or in the release, whatever is in either and was ever in question; a source that
    /// it knows of neither was left over from an older release or came from a newer one.
    fn look_up(&mut self, source: &str) -> Result<Advisories, StoreError> {
        let (distro, rolling) = (self.rules.distro(), self.rules.rolling());
        for release in [Some(self.release.as_str()), rolling].into_iter().flatten() {
            if self.store.lists(distro, release, source) {
                return self.store.advisories(distro, release, source);
            }
        }
        let complete = rolling.is_some_and(|rolling| self.store.tracks(distro, rolling));
        if complete && self.store.lists_anywhere(distro, source) {
            self.untracked.insert(source.to_owned());
        }
        Ok(Advisories::new())
    }

    fn applies(&self, advisory: &Advisory, version: &str) -> bool {
        match &advisory.affected {
            AffectedRange::All => true,
            AffectedRange::Before(fixed) => self.rules.compare(version, fixed) == Ordering::Less,
            AffectedRange::None => false,
        }
    }
}

fn finding(package: &Package, advisory: &Advisory, feed: &str, kev: bool) -> Finding {
    let fixed = match &advisory.affected {
        AffectedRange::Before(version) => Some(version.clone()),
        AffectedRange::All | AffectedRange::None => None,
    };
    Finding {
        id: advisory.id.clone(),
        aliases: advisory.aliases.clone(),
        package: package.name.clone(),
        purl: package.purl.clone(),
        installed: package.version.clone(),
        kernel: package.kernel.as_ref().map(|kernel| kernel.state),
        fixed,
        severity: advisory.severity,
        cvss: None,
        kev,
        status: advisory.fix,
        feed: feed.to_owned(),
    }
}

#[cfg(test)]
mod tests;
