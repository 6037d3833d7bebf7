//! Which kernels are installed (a modules folder or an image in `/boot` each), which of them ran last, and
//! which is started next.

mod wtmp;

use super::{Tree, boot};
use crate::model::{Confidence, Gap, HostContext, KernelSign, printable};
use std::collections::BTreeSet;

const IMAGES: [&[u8]; 2] = [b"vmlinuz-", b"vmlinux-"];

/// Versions of the installed kernels, sorted.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let mut kernels = BTreeSet::new();
    for (path, prefixes) in [("/lib/modules", [b"".as_slice(); 2]), ("/boot", IMAGES)] {
        kernels.extend(tree.list(path.as_bytes(), gaps).iter().filter_map(|entry| {
            let version = prefixes.iter().find_map(|prefix| entry.name.strip_prefix(*prefix))?;
            // A rescue image is named after the machine id, which starts with no version.
            let is_version =
                version.first().is_some_and(u8::is_ascii_digit) && version.contains(&b'.');
            is_version.then(|| printable(version))
        }));
    }
    kernels.into_iter().collect()
}

/// What tells of the kernels in use.
#[derive(Debug, Default)]
pub struct InUse {
    started: Option<KernelSign>,
    next: Option<KernelSign>,
    gaps: Vec<Gap>,
}

impl InUse {
    /// Looks for it.
    pub fn find(tree: &Tree) -> Self {
        let mut gaps = Vec::new();
        let started = started(tree, &mut gaps);
        // What the menus lack was told when the host was joined.
        Self { started, next: next(tree, &mut Vec::new()), gaps }
    }

    /// Adds it to what is known of the host.
    pub fn add_to(self, context: &mut HostContext, gaps: &mut Vec<Gap>) {
        gaps.extend(self.gaps);
        context.running_kernel = self.started.or_else(|| only(&context.kernels));
        context.next_kernel = self.next;
        let both = context.running_kernel.as_ref().zip(context.next_kernel.as_ref());
        context.reboot_needed = both.map(|(running, next)| running.version != next.version);
    }
}

/// What `wtmp` says of the last start.
fn started(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<KernelSign> {
    let boot = wtmp::newest(tree, gaps)?;
    let at = jiff::Timestamp::from_second(boot.second.into()).unwrap_or_default();
    let evidence = format!("/var/log/wtmp: started at {at}");
    Some(KernelSign { version: boot.kernel, evidence, confidence: Confidence::High })
}

fn only(installed: &[String]) -> Option<KernelSign> {
    let [only] = installed else { return None };
    let evidence = "the only one that is installed".to_owned();
    Some(KernelSign { version: only.clone(), evidence, confidence: Confidence::Low })
}

/// The kernel that the boot menu starts next.
fn next(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<KernelSign> {
    let menu = boot::read(tree, gaps).filter(|configuration| configuration.is_menu)?;
    let version = version(&menu.kernel?)?;
    Some(KernelSign { version, evidence: menu.place, confidence: Confidence::High })
}

/// The version in the name of a kernel's file.
fn version(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let version = match IMAGES.iter().find_map(|prefix| name.as_bytes().strip_prefix(*prefix)) {
        Some(version) => printable(version),
        // The Boot Loader Specification has them in a folder of that name.
        None => path.rsplit('/').nth(1).filter(|_| name == "linux").map(str::to_owned)?,
    };
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_files_of_kernels() {
        for (path, expected) in [
            ("/boot/vmlinuz-6.1.0-18-amd64", Some("6.1.0-18-amd64")),
            ("/vmlinuz-5.14.0-427.el9.x86_64", Some("5.14.0-427.el9.x86_64")),
            ("/6f1c/6.8.4-arch1-1/linux", Some("6.8.4-arch1-1")),
            ("/vmlinuz", None),
            ("/boot/vmlinuz-linux", None),
            ("", None),
        ] {
            assert_eq!(version(path).as_deref(), expected, "{path}");
        }
    }
}
