//! The host, its operating system, its containers and their packages as components, and what
//! stands on what.
//!
//! Every reference is unique in the document: the host's packages are referred to by their purl,
//! those of a container by the container and their purl, and a repeated one gets a number.

use super::context::property;
use crate::model::{Asset, AssetKind, ContainerContext, Package, PackageState, ScanReport};
use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::uri::{Purl, validate_purl};
use cyclonedx_bom::models::component::{
    Classification, Component, ComponentEvidence, Occurrence, Occurrences,
};
use cyclonedx_bom::models::dependency::Dependency;
use cyclonedx_bom::models::property::{Properties, Property};
use std::collections::{HashMap, HashSet};
use std::str::FromStr;

/// Reference of the document's subject.
pub(super) const HOST: &str = "host";

/// The components of a document, and how they are referred to.
pub(super) struct Parts<'a> {
    /// Operating system, containers and packages.
    pub(super) components: Vec<Component>,
    /// What stands on what.
    pub(super) dependencies: Vec<Dependency>,
    taken: HashSet<String>,
    packages: HashMap<(usize, &'a str), Vec<(String, &'a Package)>>,
}

impl<'a> Parts<'a> {
    /// The parts of all assets.
    pub(super) fn of(report: &'a ScanReport) -> Self {
        let mut parts = Self {
            components: Vec::new(),
            dependencies: Vec::new(),
            taken: HashSet::from([HOST.to_owned()]),
            packages: HashMap::new(),
        };
        let assets = report.assets.iter().enumerate();
        let below = assets.map(|(index, asset)| parts.add_asset(report, index, asset)).collect();
        let host = Dependency { dependency_ref: HOST.to_owned(), dependencies: below };
        parts.dependencies.insert(0, host);
        parts
    }

    /// References to the packages of this purl on an asset; more than one if its manager lists
    /// the package twice.
    pub(super) fn packages(&self, asset: usize, purl: &'a str) -> &[(String, &'a Package)] {
        self.packages.get(&(asset, purl)).map_or(&[], Vec::as_slice)
    }

    /// All packages by their references.
    pub(super) fn by_reference(&self) -> HashMap<&str, &'a Package> {
        let all = self.packages.values().flatten();
        all.map(|(reference, package)| (reference.as_str(), *package)).collect()
    }

    /// A reference that nothing in the document has yet.
    pub(super) fn reference(&mut self, wanted: &str) -> String {
        let mut reference = wanted.to_owned();
        let mut number = 1;
        while !self.taken.insert(reference.clone()) {
            number += 1;
            reference = format!("{wanted}#{number}");
        }
        reference
    }

    /// Adds an asset with its packages; the reference to what they stand on.
    fn add_asset(&mut self, report: &ScanReport, index: usize, asset: &'a Asset) -> String {
        let (prefix, mut base) = match asset.kind {
            AssetKind::Host => (String::new(), operating_system(report)),
            AssetKind::Container | AssetKind::Image => {
                (format!("{}:{}:", asset.kind.as_str(), asset.id), container(asset))
            }
        };
        let wanted = base.bom_ref.take().unwrap_or_default();
        let base_ref = self.reference(&wanted);
        base.bom_ref = Some(base_ref.clone());
        self.components.push(base);
        let mut inside = Vec::with_capacity(asset.packages.len());
        for package in &asset.packages {
            let reference = self.reference(&format!("{prefix}{}", package.purl));
            self.components.push(component(package, reference.clone()));
            let known = self.packages.entry((index, &package.purl)).or_default();
            known.push((reference.clone(), package));
            inside.push(reference);
        }
        let dependency_ref = base_ref.clone();
        self.dependencies.push(Dependency { dependency_ref, dependencies: inside });
        base_ref
    }
}

/// The host, by the name that tells it from others.
pub(super) fn subject(report: &ScanReport) -> Component {
    let host = report.assets.iter().find(|asset| asset.kind == AssetKind::Host);
    let name = host.map_or("unknown", |asset| asset.name.as_str());
    let mut subject = Component::new(Classification::Device, name, "", Some(HOST.to_owned()));
    subject.version = None;
    let id = host.map(|asset| property("asset_id", &asset.id));
    subject.properties = id.map(|id| Properties(vec![id]));
    subject
}

fn operating_system(report: &ScanReport) -> Component {
    let os = &report.host.os;
    let name = if os.id.is_empty() { "unknown" } else { os.id.as_str() };
    let reference = Some("operating-system".to_owned());
    let mut system =
        Component::new(Classification::OperatingSystem, name, &os.version_id, reference);
    system.version = system.version.filter(|version| !version.is_empty());
    let pretty = Some(&os.pretty_name).filter(|name| !name.is_empty());
    system.description = pretty.map(|name| NormalizedString::new(name));
    system
}

fn container(asset: &Asset) -> Component {
    let reference = Some(format!("{}:{}", asset.kind.as_str(), asset.id));
    let mut container = Component::new(Classification::Container, &asset.name, "", reference);
    container.version = None;
    let mut properties =
        vec![property("asset_id", &asset.id), property("asset_kind", asset.kind.as_str())];
    properties.extend(asset.container.as_deref().into_iter().flat_map(about));
    container.properties = Some(Properties(properties));
    container
}

/// What is said of a container or an image.
fn about(context: &ContainerContext) -> Vec<Property> {
    let ContainerContext { image, os, kubernetes, .. } = context;
    let mut all = vec![("engine", context.engine.as_str()), ("state", context.state.as_str())];
    let kubernetes = kubernetes.as_ref();
    let named = [
        ("image_reference", image.reference.as_deref()),
        ("image_id", image.id.as_deref()),
        ("image_digest", image.digest.as_deref()),
        ("created", context.created.as_deref()),
        ("namespace", context.namespace.as_deref()),
        ("os_id", Some(os.id.as_str()).filter(|id| !id.is_empty())),
        ("os_version", Some(os.version_id.as_str()).filter(|version| !version.is_empty())),
        ("kubernetes_namespace", kubernetes.map(|it| it.namespace.as_str())),
        ("kubernetes_pod", kubernetes.map(|it| it.pod.as_str())),
        ("kubernetes_container", kubernetes.and_then(|it| it.container.as_deref())),
        ("kubernetes_workload", kubernetes.and_then(|it| it.workload.as_deref())),
    ];
    all.extend(named.into_iter().filter_map(|(name, value)| Some((name, value?))));
    all.into_iter().map(|(name, value)| property(name, value)).collect()
}

fn component(package: &Package, reference: String) -> Component {
    let kind = Classification::Library;
    let mut component = Component::new(kind, &package.name, &package.version, Some(reference));
    let mut properties = vec![
        property("source_name", &package.source.name),
        property("source_version", &package.source.version),
    ];
    properties.extend(package.origin.iter().map(|origin| property("origin", origin)));
    properties.extend(package.repository.iter().map(|it| property("repository", it)));
    properties.extend(package.vendor.iter().map(|vendor| property("vendor", vendor)));
    properties.extend(package.owner.iter().map(|owner| property("owner", owner)));
    if package.state != PackageState::Installed {
        properties.push(property("state", package.state.as_str()));
    }
    if let Some(kernel) = &package.kernel {
        properties.push(property("kernel", &kernel.release));
        properties.push(property("kernel_state", kernel.state.as_str()));
    }
    properties.extend(package.module.iter().map(|module| property("module", module)));
    match purl(package) {
        Ok(purl) => component.purl = Some(purl),
        Err(refused) => properties.push(refused),
    }
    component.properties = Some(Properties(properties));
    component.evidence = evidence(package);
    component
}

/// A purl that breaks its specification is given as a property, where no reader trips over it.
fn purl(package: &Package) -> Result<Purl, Property> {
    let refused = || property("invalid_purl", &package.purl);
    let purl = Purl::from_str(&package.purl).map_err(|()| refused())?;
    validate_purl(&purl).map(|()| purl).map_err(|_| refused())
}

fn evidence(package: &Package) -> Option<ComponentEvidence> {
    let occurrences: Vec<_> = package.evidence.iter().map(|path| Occurrence::new(path)).collect();
    let found = !occurrences.is_empty();
    found.then_some(ComponentEvidence {
        licenses: None,
        copyright: None,
        occurrences: Some(Occurrences(occurrences)),
        callstack: None,
        identity: None,
    })
}
