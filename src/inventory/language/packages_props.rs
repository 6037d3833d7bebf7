//! .NET: `Directory.Packages.props`, where a solution keeps the versions of all its packages
//! (<https://learn.microsoft.com/nuget/consume-packages/central-package-management>), and the older `Packages.props`.
//!
//! A version that is a property of the same file is that property's, if it is set once; one that is set elsewhere, a range and
//! a floating one are no version of a package.

use super::{Collector, Manifest, place, xml};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};
use std::collections::HashMap;

/// The cataloger.
pub const PACKAGES_PROPS: Manifest = Manifest {
    name: "nuget-central",
    patterns: &[PathPattern::Ending("packages.props")],
    takes,
    ecosystem: Ecosystem::Nuget,
    state: PackageState::Locked,
    read,
};

fn takes(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_ascii_lowercase();
    matches!(name.as_slice(), b"packages.props" | b"directory.packages.props")
        && place::of_application(path)
}

/// A package that a tag names.
#[derive(Default)]
struct Named<'a> {
    id: &'a str,
    version: &'a str,
}

fn read(text: &str, found: &mut Collector) {
    let properties = properties(text);
    let (mut is_project, mut open) = (false, None::<Named>);
    for (tag, value) in xml::tags(text) {
        is_project |= tag == "Project" || tag.starts_with("Project ");
        if let Some(named) = named(tag) {
            add(&named, &properties, found);
            // Its version may be a tag in it.
            open = (named.version.is_empty() && !tag.ends_with('/')).then_some(named);
        } else if tag.trim() == "Version"
            && let Some(named) = open.take()
        {
            add(&Named { version: value.trim(), ..named }, &properties, found);
        }
    }
    if !is_project {
        found.corrupt("no project of MSBuild");
    }
}

fn named(tag: &str) -> Option<Named<'_>> {
    let kinds = ["PackageVersion", "PackageReference", "GlobalPackageReference"];
    let attributes = kinds.iter().find_map(|kind| xml::attributes(tag, kind))?;
    Some(attributes.fold(Named::default(), |named, (name, value)| match name {
        "Include" | "Update" => Named { id: value, ..named },
        "Version" => Named { version: value, ..named },
        _ => named,
    }))
}

fn add(named: &Named, properties: &Properties, found: &mut Collector) {
    let property = named.version.strip_prefix("$(").and_then(|it| it.strip_suffix(')'));
    let version = property.map_or(Some(named.version), |name| *properties.get(name)?);
    let version = version.map(|it| it.trim_start_matches('[').trim_end_matches(']').trim());
    let is_plain = |it: &&str| !it.contains(['$', '*', ',', '(', ')', '[', ']', ' ']);
    if let Some(version) = version.filter(is_plain).filter(|_| !named.id.contains('$')) {
        found.add(named.id, version);
    }
}

/// Values that tags without attributes set, by their names; none of those that are set twice.
type Properties<'a> = HashMap<&'a str, Option<&'a str>>;

/// All in one pass: a file may have as many packages as properties.
fn properties(text: &str) -> Properties<'_> {
    let mut properties = Properties::new();
    for (name, value) in xml::tags(text).filter(|(tag, _)| !tag.starts_with('/')) {
        properties.entry(name).and_modify(|value| *value = None).or_insert(Some(value.trim()));
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    const PROPS: &str = "<Project>\n  <PropertyGroup>\n    <SerilogVersion>2.10.0</SerilogVersion>\n  </PropertyGroup>\n  <ItemGroup>\n    <!-- <PackageVersion Include=\"Z\" Version=\"9\" /> -->\n    <PackageVersion Include=\"Newtonsoft.Json\" Version=\"9.0.1\" />\n    <PackageVersion Include=\"Serilog\" Version=\"$(SerilogVersion)\" />\n    <PackageVersion Include=\"A\"><Version>[1.0]</Version></PackageVersion>\n    <PackageReference Update=\"B\" Version=\"2.*\" />\n    <PackageVersion Include=\"C\" Version=\"$(Other)\" />\n    <PackageVersion Include=\"D\" Version=\"[1,2)\" />\n  </ItemGroup>\n</Project>\n";

    #[test]
    fn versions() {
        check(&PACKAGES_PROPS, PROPS, &["A 1.0", "Newtonsoft.Json 9.0.1", "Serilog 2.10.0"]);
        check(&PACKAGES_PROPS, "rubbish", &["corrupt"]);
        let twice = PROPS.replace("<ItemGroup>", "<SerilogVersion>3</SerilogVersion>");
        check(&PACKAGES_PROPS, &twice, &["A 1.0", "Newtonsoft.Json 9.0.1"]);
    }

    #[test]
    fn names_in_any_case() {
        assert!(takes(b"/srv/Directory.Packages.props"));
        assert!(takes(b"/srv/packages.props"));
        assert!(!takes(b"/srv/My.Packages.props"));
    }

    #[test]
    fn damage() {
        survive_damage(&PACKAGES_PROPS, PROPS);
    }
}
