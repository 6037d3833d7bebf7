//! Which packages hold a kernel, and whether it runs.
//!
//! A package holds the kernel whose image or modules are among its files: `/boot/vmlinuz-RELEASE`,
//! `/lib/modules/RELEASE/kernel`. One that has none of them (the package `kernel` of Red Hat, whose parts hold
//! them) holds what its name and version say, if a kernel of that release is there.

use super::Owners;
use crate::model::{
    Confidence, Ecosystem, HostContext, KernelState, Package, PackagedKernel, printable,
};
use std::collections::BTreeMap;

/// Flavours of kernels that have packages of their own.
const FLAVOURS: &[&str] =
    &["64k", "azure", "debug", "default", "rt", "rt-64k", "rt-debug", "uek", "zfcpdump"];
/// What the names of Debian's begin with, before the release, and may end with behind it.
const IMAGES: [&str; 3] = ["linux-image-unsigned-", "linux-image-", "linux-modules-"];
const UNSIGNED: &str = "-unsigned";

/// Marks the packages that hold a kernel.
pub fn mark(packages: &mut [Package], owners: &Owners, context: &HostContext) {
    let mut held: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (package, release) in owners.kernels() {
        held.entry(package).or_default().push(release);
    }
    for package in packages.iter_mut().filter(|package| package.ecosystem.is_system()) {
        let release = match held.get(package.name.as_str()) {
            Some(releases) => of_several(package, releases).or_else(|| named(package, context)),
            None => named(package, context),
        };
        package.kernel = release.map(|release| PackagedKernel {
            state: state(release, context),
            release: release.to_owned(),
        });
    }
}

/// The kernel of a package, of all that packages of its name hold: where several versions are
/// installed, each has its own.
fn of_several<'a>(package: &Package, releases: &[&'a str]) -> Option<&'a str> {
    let fitting = releases.iter().find(|release| fits(package, release));
    fitting
        .or_else(|| releases.first().filter(|first| releases.iter().all(|it| it == *first)))
        .copied()
}

/// The kernel that a package without files means.
fn named<'a>(package: &Package, context: &'a HostContext) -> Option<&'a str> {
    let running = context.running_kernel.iter().map(|sign| &sign.version);
    let mut known = context.kernels.iter().chain(running).map(String::as_str);
    match package.ecosystem {
        Ecosystem::Deb => {
            let rest = IMAGES.iter().find_map(|prefix| package.name.strip_prefix(prefix))?;
            let rest = rest.strip_suffix(UNSIGNED).unwrap_or(rest);
            known.find(|release| *release == rest)
        }
        Ecosystem::Rpm => {
            let flavour = match package.name.strip_prefix("kernel")? {
                "" => "",
                rest => rest.strip_prefix('-').filter(|it| FLAVOURS.contains(it))?,
            };
            known.find(|release| fits(package, release) && is_of_flavour(release, flavour))
        }
        _ => None,
    }
}

/// Red Hat's newer kernels have their flavour behind the version of the plain one, others inside: `…+rt`,
/// `….el9uek.x86_64`.
fn is_of_flavour(release: &str, flavour: &str) -> bool {
    match release.split_once('+') {
        Some((_, behind)) => behind == flavour,
        None => release.contains(flavour),
    }
}

/// Whether a release may be of a package's version: `5.14.0-427.el9.x86_64` of `5.14.0-427.el9`, or with
/// the number of a build more in the version, `5.14.21-150400.24.100-default` of
/// `5.14.21-150400.24.100.2`.
fn fits(package: &Package, release: &str) -> bool {
    let version = package.version.split_once(':').map_or(&*package.version, |(_, rest)| rest);
    let begins = |text: &str, start: &str| {
        let rest = text.strip_prefix(start);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    };
    let base = release.rsplit_once('-').map_or(release, |(base, _)| base);
    begins(release, version) || (base.contains('-') && begins(version, base))
}

/// A sign that is not sure says nothing.
fn state(release: &str, context: &HostContext) -> KernelState {
    match &context.running_kernel {
        Some(sign) if sign.confidence != Confidence::Low => {
            if sign.version == release {
                KernelState::Running
            } else {
                KernelState::NotRunning
            }
        }
        _ => KernelState::Unknown,
    }
}

/// The release of the kernel that a file is a part of, without a slash at the start of its path.
/// Modules that others built stand in folders of their own, and headers are no kernel.
pub(super) fn release_of(path: &[u8]) -> Option<String> {
    let path = path.strip_prefix(b"usr/").unwrap_or(path);
    let release = match path.strip_prefix(b"boot/") {
        Some(image) => {
            image.strip_prefix(b"vmlinuz-").or_else(|| image.strip_prefix(b"vmlinux-"))?
        }
        None => of_modules(path.strip_prefix(b"lib/modules/")?)?,
    };
    let is_release = release.first().is_some_and(u8::is_ascii_digit) && release.contains(&b'.');
    is_release.then(|| printable(release))
}

/// The folder of modules that a part of a kernel is in.
fn of_modules(path: &[u8]) -> Option<&[u8]> {
    let mut names = path.split(|byte| *byte == b'/');
    let (release, part) = (names.next()?, names.next()?);
    let is_part = matches!(part, b"kernel" | b"vmlinuz") || part.starts_with(b"modules.");
    is_part.then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Tree;
    use crate::model::KernelSign;

    fn package(ecosystem: Ecosystem, name: &str, version: &str) -> Package {
        Package::new(ecosystem, name.to_owned(), version.to_owned(), "/database".to_owned())
    }

    fn context(kernels: &[&str], running: Option<(&str, Confidence)>) -> HostContext {
        let sign = |(version, confidence): (&str, _)| KernelSign {
            version: version.to_owned(),
            evidence: String::new(),
            confidence,
        };
        let kernels = kernels.iter().map(|it| (*it).to_owned()).collect();
        HostContext { kernels, running_kernel: running.map(sign), ..HostContext::default() }
    }

    /// Kind, name and version of a package, and the release and state of its kernel.
    type Marked<'a> = (Ecosystem, &'a str, &'a str, Option<(&'a str, KernelState)>);

    /// Files of packages, then packages with the releases and states that they get.
    #[track_caller]
    fn check(context: &HostContext, files: &[(&str, &[&str])], expected: &[Marked]) {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::of_directory(folder.path()).unwrap();
        let mut owners = Owners::new(&tree, &mut Vec::new());
        for (package, files) in files {
            owners.package(package);
            files.iter().for_each(|file| owners.file(file.as_bytes()));
        }
        let packages =
            expected.iter().map(|(kind, name, version, _)| package(*kind, name, version));
        let mut packages: Vec<_> = packages.collect();
        mark(&mut packages, &owners, context);
        for (package, (.., expected)) in packages.iter().zip(expected) {
            let kernel = package.kernel.as_ref().map(|it| (it.release.as_str(), it.state));
            assert_eq!(kernel, *expected, "{} {}", package.name, package.version);
        }
    }

    use Ecosystem::{Alpm, Apk, Deb, Rpm};
    use KernelState::{NotRunning, Running, Unknown};

    #[test]
    fn kernels_of_debian_by_their_files() {
        let (old, new) = ("5.10.0-28-amd64", "6.1.0-18-amd64");
        let files: &[(&str, &[&str])] = &[
            ("linux-image-5.10.0-28-amd64", &["/boot/vmlinuz-5.10.0-28-amd64"]),
            ("linux-image-6.1.0-18-amd64", &["/lib/modules/6.1.0-18-amd64/kernel/fs/a.ko"]),
            ("linux-headers-6.1.0-18-amd64", &["/lib/modules/6.1.0-18-amd64/build"]),
            ("own-modules", &["/lib/modules/6.1.0-18-amd64/updates/dkms/own.ko"]),
        ];
        let expected = |old_state, new_state| {
            [
                (Deb, "linux-image-5.10.0-28-amd64", "5.10.209-2", Some((old, old_state))),
                (Deb, "linux-image-6.1.0-18-amd64", "6.1.76-1", Some((new, new_state))),
                (Deb, "linux-image-amd64", "6.1.76-1", None),
                (Deb, "linux-headers-6.1.0-18-amd64", "6.1.76-1", None),
                (Deb, "own-modules", "1", None),
            ]
        };
        let both = [old, new];
        let sure = context(&both, Some((new, Confidence::Medium)));
        check(&sure, files, &expected(NotRunning, Running));
        check(&context(&both, None), files, &expected(Unknown, Unknown));
        let unsure = context(&both, Some((old, Confidence::Low)));
        check(&unsure, files, &expected(Unknown, Unknown));
        let only = context(&[new], Some((new, Confidence::Low)));
        check(&only, files, &expected(Unknown, Unknown));
        // Lists of files that are lost leave the names.
        let mut named = expected(NotRunning, Running);
        named[4].3 = None;
        check(&sure, &[], &named);
    }

    #[test]
    fn several_versions_of_one_package() {
        let (old, new) = ("5.14.0-362.el9.x86_64", "5.14.0-427.13.1.el9_4.x86_64");
        let rt = "5.14.0-427.13.1.el9_4.x86_64+rt";
        let image = |release: &str| format!("/lib/modules/{release}/vmlinuz");
        let images = [image(old), image(new), image(rt)];
        let files: &[(&str, &[&str])] = &[
            ("kernel-core", &[&images[0]]),
            ("kernel-core", &[&images[1]]),
            ("kernel-rt-core", &[&images[2]]),
        ];
        let uek = "5.15.0-200.131.27.el9uek.x86_64";
        let context = context(&[old, new, rt, uek], Some((new, Confidence::High)));
        let (before, now) = ("5.14.0-362.el9", "5.14.0-427.13.1.el9_4");
        check(
            &context,
            files,
            &[
                (Rpm, "kernel-core", before, Some((old, NotRunning))),
                (Rpm, "kernel-core", now, Some((new, Running))),
                (Rpm, "kernel", before, Some((old, NotRunning))),
                (Rpm, "kernel", now, Some((new, Running))),
                (Rpm, "kernel-rt-core", now, Some((rt, NotRunning))),
                (Rpm, "kernel-rt", now, Some((rt, NotRunning))),
                (Rpm, "kernel-64k", now, None),
                (Rpm, "kernel-uek", "5.15.0-200.131.27.el9uek", Some((uek, NotRunning))),
                (Rpm, "kernel-tools", now, None),
                (Rpm, "kernel", "5.14.0-42.el9", None),
            ],
        );
    }

    #[test]
    fn kernels_of_other_systems() {
        let suse = "5.14.21-150400.24.100-default";
        let (alpine, arch) = ("6.6.30-0-lts", "6.8.4-arch1-1");
        let image = |release: &str| format!("/usr/lib/modules/{release}/vmlinuz");
        let images = [image(suse), image("5.14.21-150400.24.97-default"), image(arch)];
        let modules = format!("lib/modules/{alpine}/modules.order");
        let files: &[(&str, &[&str])] = &[
            ("kernel-default", &[&images[0]]),
            ("kernel-default", &[&images[1]]),
            ("linux-lts", &["boot/vmlinuz-lts", &modules]),
            ("linux", &[&images[2]]),
        ];
        let context = context(&[suse, alpine, arch], Some((suse, Confidence::High)));
        check(
            &context,
            files,
            &[
                (Rpm, "kernel-default", "5.14.21-150400.24.100.2", Some((suse, Running))),
                (
                    Rpm,
                    "kernel-default",
                    "5.14.21-150400.24.97.1",
                    Some(("5.14.21-150400.24.97-default", NotRunning)),
                ),
                (Apk, "linux-lts", "6.6.30-r0", Some((alpine, NotRunning))),
                (Alpm, "linux", "6.8.4.arch1-1", Some((arch, NotRunning))),
            ],
        );
    }

    #[test]
    fn files_that_are_parts_of_kernels() {
        for (path, expected) in [
            ("boot/vmlinuz-6.1.0-18-amd64", Some("6.1.0-18-amd64")),
            ("boot/vmlinux-6.4.0-150600.21-default", Some("6.4.0-150600.21-default")),
            ("usr/lib/modules/6.8.4-arch1-1/kernel/a.ko.zst", Some("6.8.4-arch1-1")),
            ("lib/modules/6.8.4/modules.builtin", Some("6.8.4")),
            ("lib/modules/6.8.4/extra/a.ko", None),
            ("lib/modules/6.8.4/build", None),
            ("lib/modules/6.8.4", None),
            ("boot/vmlinuz-lts", None),
            ("usr/share/boot/vmlinuz-6.1.0", None),
            ("boot/config-6.1.0", None),
        ] {
            assert_eq!(release_of(path.as_bytes()).as_deref(), expected, "{path}");
        }
    }
}
