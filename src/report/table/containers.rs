//! Containers and images, for people: what each is, and what differs from its image.

use super::counted;
use super::grid::{Grid, cell};
use crate::model::{Asset, AssetKind, ContainerContext, Drift, printable_str};
use crate::report::Screen;
use std::io::{self, Write};

/// Characters of an id that tell it from others.
const SHORT: usize = 12;

/// Writes what an asset is, above its findings.
pub fn write(asset: &Asset, packages: &str, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let name = printable_str(&asset.name);
    let Some(context) = &asset.container else {
        return writeln!(out, "\n{packages} in {} {name}", asset.kind.as_str());
    };
    let (engine, kind) = (context.engine.as_str(), asset.kind.as_str());
    writeln!(out, "\n{packages} in {engine} {kind} {name}")?;
    let mut grid = Grid::new(screen);
    for (title, value) in about(asset, context) {
        grid.row([cell(title), cell(&value)]);
    }
    grid.write(out)
}

fn about(asset: &Asset, context: &ContainerContext) -> Vec<(&'static str, String)> {
    let id = asset.id.strip_prefix("sha256:").unwrap_or(&asset.id);
    let mut about = vec![("id", id.chars().take(SHORT).collect())];
    if asset.kind == AssetKind::Container {
        about.push(("state", context.state.as_str().to_owned()));
        let image = &context.image;
        let name = image.reference.as_ref().or(image.names.first()).or(image.id.as_ref());
        about.push(("image", name.map_or_else(|| "unknown".to_owned(), Clone::clone)));
    }
    let os = Some(&context.os.pretty_name).filter(|name| !name.is_empty());
    about.extend(os.map(|name| ("os", name.clone())));
    if let Some(kubernetes) = &context.kubernetes {
        let workload = kubernetes.workload.as_ref().map_or(String::new(), |it| format!(" of {it}"));
        let (namespace, pod) = (&kubernetes.namespace, &kubernetes.pod);
        about.push(("pod", format!("{namespace}/{pod}{workload}")));
    }
    let drift = context.drift.as_ref().and_then(drifted);
    about.extend(drift.map(|drift| ("drift", drift)));
    about
}

fn drifted(drift: &Drift) -> Option<String> {
    let counts = [
        (drift.packages_added.len(), "package", "added"),
        (drift.packages_changed.len(), "package", "changed"),
        (drift.packages_removed.len(), "package", "removed"),
        (drift.executables_added.len(), "program", "added"),
        (drift.executables_changed.len(), "program", "changed"),
        (drift.removed.len(), "path", "gone"),
    ];
    let told = counts.iter().filter(|(count, ..)| *count > 0);
    let told = told.map(|(count, what, how)| format!("{} {how}", counted(*count, what)));
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}
