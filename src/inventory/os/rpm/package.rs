//! A package of an rpm database in the words of the model.

use crate::inventory::purl::purl;
use crate::model::{Ecosystem, Os, Package, PackageState, SourcePackage, printable_str};

/// Bytes of a name, a version or any other word of a package; real ones have some dozens.
const MOST_WORD: usize = 1024;

/// The package, or which of its words is too long.
pub(super) fn package(
    header: rpmdb_reader::Package,
    evidence: &str,
    os: &Os,
) -> Result<Package, String> {
    let optional = |what, text: Option<String>| text.map(|text| word(what, &text)).transpose();
    let name = word("name", &header.name)?;
    let without_epoch =
        format!("{}-{}", word("version", &header.version)?, word("release", &header.release)?);
    let arch = optional("architecture", header.arch)?.unwrap_or_default();
    let source_rpm = optional("source package", header.source_rpm)?;
    let epoch = header.epoch.map(|epoch| epoch.to_string());
    let version = match &epoch {
        Some(epoch) => format!("{epoch}:{without_epoch}"),
        None => without_epoch.clone(),
    };
    let own = || SourcePackage { name: name.clone(), version: without_epoch.clone() };
    Ok(Package {
        kernel: None,
        purl: rpm_purl(
            (&name, &without_epoch),
            [&arch, epoch.as_deref().unwrap_or(""), source_rpm.as_deref().unwrap_or("")],
            os,
        ),
        source: source_rpm.as_deref().and_then(source).unwrap_or_else(own),
        origin: None,
        repository: None,
        vendor: optional("vendor", header.vendor)?,
        module: optional("module", header.module)?,
        installed_at: header.installed.and_then(time),
        signing_key: header.key.map(|key| key.to_string()),
        evidence: vec![evidence.to_owned()],
        ecosystem: Ecosystem::Rpm,
        state: PackageState::Installed,
        owner: None,
        name,
        version,
        arch,
    })
}

/// Bytes of what the package says of itself.
pub(super) fn length(package: &Package) -> usize {
    let optional = [&package.vendor, &package.module].into_iter().flatten().map(String::len);
    let words = [&package.name, &package.version, &package.arch, &package.purl];
    optional.chain(words.into_iter().map(String::len)).sum()
}

/// A word of a package, made printable.
fn word(what: &str, text: &str) -> Result<String, String> {
    if text.len() > MOST_WORD {
        return Err(format!("package whose {what} has {} bytes", text.len()));
    }
    Ok(printable_str(text))
}

/// The epoch is no part of a purl's version, and the source package stands beside it. A namespace is a
/// vendor, which the id of a system mostly names too.
fn rpm_purl((name, version): (&str, &str), [arch, epoch, source]: [&str; 3], os: &Os) -> String {
    let release = &os.version_id;
    let tag = if release.is_empty() { String::new() } else { format!("{}-{release}", os.id) };
    let qualifiers = [("arch", arch), ("distro", &tag), ("epoch", epoch), ("upstream", source)];
    let namespace = match os.id.to_ascii_lowercase().as_str() {
        "rhel" => "redhat".to_owned(),
        id if id.starts_with("opensuse-") => "opensuse".to_owned(),
        id => id.to_owned(),
    };
    purl(Ecosystem::Rpm.purl_type(), &namespace, name, version, &qualifiers)
}

/// `NAME-VERSION-RELEASE.src.rpm`, of which neither version nor release has a dash. A source package
/// whose sources may not be given away ends in `nosrc`.
fn source(file: &str) -> Option<SourcePackage> {
    let stem = [".src.rpm", ".nosrc.rpm"].iter().find_map(|ending| file.strip_suffix(ending))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let found = !name.is_empty() && !version.is_empty() && !release.is_empty();
    let version = format!("{version}-{release}");
    found.then(|| SourcePackage { name: name.to_owned(), version })
}

fn time(seconds: u64) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_package_is_read_from_its_right_end() {
        let of = |file| source(file).map(|source| format!("{} {}", source.name, source.version));
        for (file, expected) in [
            (
                "java-1.8.0-openjdk-1.8.0.402.b06-2.el8.src.rpm",
                "java-1.8.0-openjdk 1.8.0.402.b06-2.el8",
            ),
            ("sdk-1-2.nosrc.rpm", "sdk 1-2"),
        ] {
            assert_eq!(of(file).as_deref(), Some(expected));
        }
        for file in ["(none)", "a-1.src.rpm", "-1-2.src.rpm", "a-1-.src.rpm", "a-1-2.rpm", ""] {
            assert_eq!(of(file), None, "{file}");
        }
    }

    #[test]
    fn an_rpm_purl_as_the_specification_writes_it() {
        let os = Os { id: "fedora".to_owned(), version_id: "25".to_owned(), ..Os::default() };
        let found = rpm_purl(("curl", "7.50.3-1.fc25"), ["i386", "", ""], &os);
        assert_eq!(found, "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25");
        let os = Os { id: "centerim".to_owned(), ..Os::default() };
        let found = rpm_purl(("centerim", "4.22.10-1.el6"), ["i686", "1", ""], &os);
        assert_eq!(found, "pkg:rpm/centerim/centerim@4.22.10-1.el6?arch=i686&epoch=1");
    }
}
