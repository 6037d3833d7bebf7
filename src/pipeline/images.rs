//! Disk images of the command line, opened: one disk or several a file, and what packed ones take.

use super::disks::{Disk, Target, TargetError, TargetProblem};
use super::progress::{Progress, Reading, Stage};
use crate::block::BlockCache;
use crate::model::{Gap, GapReason, printable, printable_str};
use crate::source::image_file::{self, Limits, Unpacking};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Missing parts of one disk that are told one by one.
const MOST_MISSING: usize = 8;

/// How images are opened.
pub struct Images<'a> {
    /// How far packed ones are unpacked.
    pub limits: Limits,
    /// Where their blocks are kept.
    pub cache: &'a Arc<BlockCache>,
    /// All that is opened, so that no two have one name.
    pub targets: &'a [Target],
    /// Is told what takes long.
    pub progress: &'a dyn Progress,
}

impl Images<'_> {
    /// Opens the disks in a file: one, or all those of an appliance, in which one that cannot be
    /// opened is noted. What of a disk is missing is a gap.
    pub fn open(
        &self,
        path: &Path,
        unopened: &mut Vec<Gap>,
        gaps: &mut Vec<Gap>,
    ) -> Result<Vec<Disk>, TargetError> {
        let opened = image_file::open(path, &self.limits, &|it| self.watch(&it));
        self.progress.stage(Stage::Opening);
        self.progress.count(Box::new(Reading::default));
        let opened = opened.map_err(|error| {
            let mut failed = TargetError::new(path.display(), told(&error));
            failed.kind = TargetProblem::Image(reason(&error));
            failed
        })?;
        let file = self.name(path);
        let inside = |member: &str| format!("{file}:{}", printable(member.as_bytes()));
        unopened.extend(opened.unread.iter().map(|unread| {
            Gap::new(inside(&unread.name), reason(&unread.error), told(&unread.error))
        }));
        let disks = opened.images.into_iter().map(|image| {
            let name = image.name.as_deref().map_or_else(|| file.clone(), &inside);
            gaps.extend(missing(&name, &image.missing));
            let allocated = image.allocated;
            Disk::new(&name, self.cache.device(image.fetcher), Box::new(move || allocated))
        });
        Ok(disks.collect())
    }

    /// The name of the file, or its path if another disk of this scan has that name too.
    pub fn name(&self, path: &Path) -> String {
        let own = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_owned();
        let namesakes = self
            .targets
            .iter()
            .filter(|target| matches!(target, Target::Image(other) if own(other) == own(path)));
        let name = if namesakes.count() > 1 { path.as_os_str().to_owned() } else { own(path) };
        printable(name.as_encoded_bytes())
    }

    /// Shows how much of a packed disk was unpacked.
    fn watch(&self, unpacking: &Unpacking) {
        let (read, total) = (unpacking.read.clone(), Some(unpacking.total));
        let reading = move || Reading { blocks: None, bytes: read.load(Ordering::Relaxed), total };
        self.progress.stage(Stage::Unpacking);
        self.progress.count(Box::new(reading));
    }
}

/// The parts of a disk that are missing; past the first ones their number.
fn missing(name: &str, parts: &[String]) -> Vec<Gap> {
    let gap = |detail: &str| Gap::new(name, GapReason::Unreadable, detail);
    let told = parts.iter().take(MOST_MISSING).map(|part| gap(&printable_str(part)));
    let more = parts.len().saturating_sub(MOST_MISSING);
    let more = (more > 0).then(|| gap(&format!("{more} more of its parts could not be opened")));
    told.chain(more).collect()
}

/// The reason word of the gap that an error ends as.
pub fn reason(error: &image_file::Error) -> GapReason {
    match error {
        image_file::Error::Read(error) if error.kind() == ErrorKind::NotFound => GapReason::Missing,
        image_file::Error::Corrupt { .. } => GapReason::Corrupt,
        image_file::Error::Unsupported { .. } => GapReason::Unsupported,
        image_file::Error::TooLarge { .. } | image_file::Error::NoRoom { .. } => GapReason::Limit,
        _ => GapReason::Unreadable,
    }
}

/// The error, with what the command line has against it.
pub fn told(error: &image_file::Error) -> String {
    match error {
        image_file::Error::TooLarge { .. } => format!("{error}, or raise --unpack-limit"),
        image_file::Error::NoRoom { .. } => format!("{error}; name a larger one in TMPDIR"),
        _ => error.to_string(),
    }
}
