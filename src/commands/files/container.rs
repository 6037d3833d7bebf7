//! The filesystem of a container, chosen by its name or id.

use crate::containers::{self, Container};
use crate::host::{Located, Tree};
use crate::model::printable_str;
use anyhow::{Context, bail};

/// Its merged tree. Several that fit are named.
pub fn open(host: &Tree, wanted: &str) -> anyhow::Result<Tree> {
    let found = containers::find(host);
    let fits = |it: &&Container| it.name == wanted || it.id == wanted;
    let mut fitting: Vec<&Container> = found.containers.iter().filter(fits).collect();
    if fitting.is_empty() && wanted.len() >= 4 {
        let begins = |it: &&Container| it.id.starts_with(wanted);
        fitting = found.containers.iter().filter(begins).collect();
    }
    let container = match fitting[..] {
        [one] => one,
        [] if found.containers.is_empty() => bail!("no container was found on these disks"),
        [] => {
            let known = named(found.containers.iter());
            bail!("no container {}; there are: {known}", printable_str(wanted));
        }
        _ => bail!(
            "several containers are called so; choose one by its id: {}",
            named(fitting.into_iter())
        ),
    };
    let layers = container.layers.as_ref();
    let layers = layers.map_err(|gap| anyhow::anyhow!("{}: {}", gap.place, gap.detail))?;
    let folders: Vec<Located> = layers.folders.iter().map(|layer| layer.at).collect();
    let marks = found.marks.get(&container.context.store).copied().unwrap_or_default();
    host.merged(&folders, marks).context("the layers of the container cannot be merged")
}

fn named<'a>(containers: impl Iterator<Item = &'a Container>) -> String {
    let name = |it: &Container| {
        let short: String = it.id.chars().take(12).collect();
        let namespace = it.context.namespace.as_ref().map(|it| format!(", namespace {it}"));
        format!(
            "{} ({} {short}{})",
            it.name,
            it.context.engine.as_str(),
            namespace.unwrap_or_default()
        )
    };
    containers.map(name).collect::<Vec<_>>().join(", ")
}
