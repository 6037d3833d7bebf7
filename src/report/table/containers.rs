//! Containers and images, for people: what each is, and what differs from its image.

use crate::model::{Asset, AssetKind, ContainerContext, Drift, printable_str};
use std::io::{self, Write};

/// Characters of an id that tell it from others.
const SHORT: usize = 12;

/// Writes what an asset is, above its findings.
pub fn write(asset: &Asset, packages: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = printable_str(&asset.name);
    let Some(context) = &asset.container else {
        return writeln!(out, "\n{packages} in {} {name}", asset.kind.as_str());
    };
    let id = asset.id.strip_prefix("sha256:").unwrap_or(&asset.id);
    let short: String = printable_str(id).chars().take(SHORT).collect();
    let (engine, kind) = (context.engine.as_str(), asset.kind.as_str());
    writeln!(out, "\n{packages} in {engine} {kind} {name} ({short})")?;
    writeln!(out, "  {}", about(asset, context).join(", "))?;
    match context.drift.as_ref().and_then(drifted) {
        Some(drift) => writeln!(out, "  differs from its image: {drift}"),
        None => Ok(()),
    }
}

fn about(asset: &Asset, context: &ContainerContext) -> Vec<String> {
    let mut about = Vec::new();
    if asset.kind == AssetKind::Container {
        about.push(context.state.as_str().to_owned());
        let image = &context.image;
        let name = image.reference.as_ref().or(image.names.first()).or(image.id.as_ref());
        about.push(format!("image {}", name.map_or("unknown".to_owned(), |it| printable_str(it))));
    }
    about.extend(
        Some(&context.os.pretty_name).filter(|it| !it.is_empty()).map(|it| printable_str(it)),
    );
    if let Some(kubernetes) = &context.kubernetes {
        let (namespace, pod) = (&kubernetes.namespace, &kubernetes.pod);
        about.push(format!("pod {}/{}", printable_str(namespace), printable_str(pod)));
    }
    about
}

fn drifted(drift: &Drift) -> Option<String> {
    let counts = [
        (drift.packages_added.len(), "packages added"),
        (drift.packages_changed.len(), "packages changed"),
        (drift.packages_removed.len(), "packages removed"),
        (drift.executables_added.len(), "programs added"),
        (drift.executables_changed.len(), "programs changed"),
        (drift.removed.len(), "files or folders removed"),
    ];
    let told = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"));
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}
