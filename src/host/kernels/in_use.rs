//! Which kernel runs and which is started next, by all that tells of it.

use super::renewed::{self, Renewed};
use super::{Start, journal, version, wtmp};
use crate::host::{Tree, boot};
use crate::model::{Confidence, Gap, HostContext, KernelSign, printable_str};

/// Seconds within which two records speak of one start: clocks are set meanwhile.
const SAME_START: u64 = 3600;

/// What tells of the kernels in use.
#[derive(Debug, Default)]
pub struct InUse {
    started: Option<KernelSign>,
    next: Option<KernelSign>,
    /// Whether the image of the kernel that was started was replaced since.
    renewed: Renewed,
    gaps: Vec<Gap>,
    /// What the boot menus lack.
    lacking: Vec<Gap>,
}

impl InUse {
    /// Looks for it.
    pub fn find(tree: &Tree) -> Self {
        std::thread::scope(|scope| {
            let mut gaps = Vec::new();
            let journal = scope.spawn(|| {
                let mut gaps = Vec::new();
                (journal::newest(tree, &mut gaps), gaps)
            });
            let wtmp = wtmp::newest(tree, &mut gaps);
            let mut lacking = Vec::new();
            let next = next(tree, &mut lacking);
            let joined = journal.join();
            let (journal, more) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            gaps.extend(more);
            let (started, second) = started(wtmp, journal).unzip();
            let is_same = |it: &&KernelSign| next.as_ref().is_some_and(|n| n.version == it.version);
            let same = started.as_ref().filter(is_same).zip(second);
            let renewed = same.map_or(Renewed::No, |(it, second)| {
                renewed::find(tree, &it.version, second, &mut gaps)
            });
            Self { started, next, renewed, gaps, lacking }
        })
    }

    /// Adds it to what is known of the host.
    pub fn add_to(self, context: &mut HostContext, gaps: &mut Vec<Gap>) {
        gaps.extend(self.gaps);
        let untold: Vec<_> = self.lacking.into_iter().filter(|gap| !is_told(gap, gaps)).collect();
        gaps.extend(untold);
        context.running_kernel = self.started.or_else(|| only(&context.kernels));
        context.next_kernel = self.next;
        let sure = |sign: &Option<KernelSign>| {
            sign.as_ref().filter(|it| it.confidence != Confidence::Low).map(|it| it.version.clone())
        };
        let both = sure(&context.running_kernel).zip(sure(&context.next_kernel));
        context.reboot_needed = both.and_then(|(running, next)| match self.renewed {
            _ if running != next => Some(true),
            Renewed::No => Some(false),
            Renewed::Perhaps => None,
            Renewed::Yes(told) => {
                let next = context.next_kernel.as_mut()?;
                next.evidence = format!("{}; {told}", next.evidence);
                Some(true)
            }
        });
    }
}

/// Whether the same was told when the host was put together of its disks: on the filesystem's own place,
/// which may be that of `/boot`.
fn is_told(gap: &Gap, gaps: &[Gap]) -> bool {
    let place = gap.place.strip_prefix("/boot").unwrap_or(&gap.place);
    let same = |told: &Gap| (told.reason, &told.detail) == (gap.reason, &gap.detail);
    gaps.iter().any(|told| same(told) && told.place.ends_with(place))
}

/// What the records of the last start say together: two that agree are sure, of two that do not the
/// later one counts. With the second of the start.
fn started(wtmp: Option<Start>, journal: Option<Start>) -> Option<(KernelSign, u64)> {
    let mut starts: Vec<Start> = wtmp.into_iter().chain(journal).collect();
    // wtmp comes first where both are of one second.
    starts.sort_by_key(|start| std::cmp::Reverse(start.second));
    let known = starts.iter().find(|start| start.kernel.is_some())?;
    let version = known.kernel.clone()?;
    let other = starts.iter().find(|other| other.place != known.place);
    let (evidence, confidence) = match other {
        None => (known.told(), Confidence::Medium),
        Some(other) => beside(known, other),
    };
    Some((KernelSign { version, evidence, confidence }, known.second))
}

/// What both say, and how sure that is.
fn beside(known: &Start, other: &Start) -> (String, Confidence) {
    let (told, also) = (known.told(), other.told());
    match &other.kernel {
        Some(kernel) if Some(kernel) == known.kernel.as_ref() => {
            (format!("{told}; {also}"), Confidence::High)
        }
        Some(kernel) => (format!("{told}; but {also} with {kernel}"), Confidence::Medium),
        None if other.second > known.second + SAME_START => {
            (format!("{told}; but {also} with a kernel that is not told"), Confidence::Low)
        }
        None => (told, Confidence::Medium),
    }
}

fn only(installed: &[String]) -> Option<KernelSign> {
    let [only] = installed else { return None };
    let evidence = "the only one that is installed".to_owned();
    Some(KernelSign { version: only.clone(), evidence, confidence: Confidence::Low })
}

/// The kernel that the boot menu starts next. One that is not there, or that may be another one, is not sure.
fn next(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<KernelSign> {
    let menu = boot::read(tree, gaps).filter(|configuration| configuration.is_menu)?;
    let image = menu.kernel?;
    let version = version(&image)?;
    let gone = || (!is_there(tree, &image)).then(|| format!("{image} is not there"));
    let (evidence, confidence) = match menu.doubt.or_else(gone) {
        Some(doubt) => (format!("{}; but {}", menu.place, printable_str(&doubt)), Confidence::Low),
        None => (menu.place, Confidence::High),
    };
    Some(KernelSign { version, evidence, confidence })
}

/// Whether the image is at any place that the boot loader's path may mean; where one cannot be looked at, it may be.
fn is_there(tree: &Tree, image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    let places = ["", "/boot", "/boot/efi", "/efi"].map(|above| format!("{above}/{image}"));
    let named = if name == "linux" { String::new() } else { format!("/boot/{name}") };
    let mut places = places.into_iter().chain([named]).filter(|place| !place.is_empty());
    places.any(|place| !matches!(tree.find(place.as_bytes()), Ok(None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(place: &str, kernel: Option<&str>, second: u64) -> Start {
        let kernel = kernel.map(str::to_owned);
        Start { kernel, second, boot: [0; 16], place: place.to_owned() }
    }

    #[track_caller]
    fn check(
        wtmp: Option<Start>,
        journal: Option<Start>,
        expected: Option<(&str, Confidence, &str)>,
    ) {
        let sign = started(wtmp, journal).map(|(sign, _)| sign);
        let sign =
            sign.as_ref().map(|it| (it.version.as_str(), it.confidence, it.evidence.as_str()));
        assert_eq!(sign, expected);
    }

    #[test]
    fn records_of_the_last_start_together() {
        use Confidence::{High, Low, Medium};
        let wtmp = |kernel, at| Some(start("w", kernel, at));
        let journal = |kernel, at| Some(start("j", kernel, at));
        let (w, j) = ("w: started at 1970-01-02T00:00:00Z", "j: started at 1970-01-02T00:00:01Z");
        check(None, None, None);
        check(wtmp(Some("6.1"), 86400), None, Some(("6.1", Medium, w)));
        check(None, journal(Some("6.1"), 86401), Some(("6.1", Medium, j)));
        check(None, journal(None, 86401), None);
        let both = format!("{j}; {w}");
        check(wtmp(Some("6.1"), 86400), journal(Some("6.1"), 86401), Some(("6.1", High, &both)));
        let both = format!("{j}; but {w} with 5.10");
        check(wtmp(Some("5.10"), 86400), journal(Some("6.1"), 86401), Some(("6.1", Medium, &both)));
        let old = "j: started at 1970-01-01T00:00:01Z";
        let both = format!("{w}; but {old} with 6.1");
        check(wtmp(Some("6.6"), 86400), journal(Some("6.1"), 1), Some(("6.6", Medium, &both)));
        check(wtmp(Some("6.1"), 86400), journal(None, 86401), Some(("6.1", Medium, w)));
        let late =
            format!("{w}; but j: started at 1970-01-03T00:00:00Z with a kernel that is not told");
        check(wtmp(Some("6.1"), 86400), journal(None, 2 * 86400), Some(("6.1", Low, &late)));
    }
}
