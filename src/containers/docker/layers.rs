//! Where Docker's storage drivers have the files of a container or an image.
//!
//! Those of overlays name what is mounted: a file `lower` with short names, which are links in `l`. Where it
//! is not there, the store of layers tells the same: it keeps each layer's parent.

use crate::containers::Layers;
use crate::containers::oci;
use crate::containers::store::{Layer, Store, is_plain};
use crate::model::{Gap, GapReason};

/// Most layers of one chain.
const MOST: usize = 512;
/// Drivers that stack layers, and those of which each layer is a whole copy with the folder that has them.
const STACKED: &[&str] = &["overlay2", "fuse-overlayfs"];
const WHOLE: &[(&str, &str)] = &[("vfs", "vfs/dir"), ("btrfs", "btrfs/subvolumes")];

/// The drivers whose images are read.
pub fn drivers() -> impl Iterator<Item = &'static str> {
    STACKED.iter().copied().chain(WHOLE.iter().map(|(driver, _)| *driver))
}

/// The files of a container; none if the driver keeps none of it.
pub fn of_container(store: &Store, id: &str, driver: &str) -> Result<Option<Layers>, Gap> {
    // A record that does not name the driver is looked for with each.
    let is_it = |it: &&str| driver.is_empty() || *it == driver;
    for driver in drivers().filter(is_it) {
        let record = format!("image/{driver}/layerdb/mounts/{id}");
        let Some(mount) = name(store, &format!("{record}/mount-id"))? else { continue };
        let init = name(store, &format!("{record}/init-id"))?;
        let chain = store.text(&format!("{record}/parent"))?;
        if let Some((_, folder)) = WHOLE.iter().find(|(it, _)| *it == driver) {
            let folder = store.layer(&format!("{folder}/{mount}"))?;
            return Ok(Some(Layers { folders: vec![folder], own: 0 }));
        }
        let own = 1 + usize::from(init.is_some());
        let top = store.layer(&format!("{driver}/{mount}/diff"))?;
        let below = if let Some(lowers) = lowers(store, driver, &mount)? {
            lowers
        } else {
            let init = init.map(|init| store.layer(&format!("{driver}/{init}/diff")));
            let mut below: Vec<Layer> = init.transpose()?.into_iter().collect();
            below.extend(chained(store, driver, chain)?);
            below
        };
        let folders: Vec<Layer> = std::iter::once(top).chain(below).collect();
        // The layer that Docker prepares is not there in very old stores.
        return Ok(Some(Layers { own: own.min(folders.len()), folders }));
    }
    if drivers().any(|it| it == driver) {
        let place = store.place(&format!("image/{driver}/layerdb/mounts/{id}"));
        return Err(Gap::new(place, GapReason::Missing, "no record of its layers"));
    }
    Ok(None)
}

/// The files of an image, by the digests of its layers.
pub fn of_image(store: &Store, driver: &str, diff_ids: &[String]) -> Result<Layers, Gap> {
    let last = oci::chain_ids(diff_ids).pop();
    if let Some((_, folder)) = WHOLE.iter().find(|(it, _)| *it == driver) {
        let cache = match &last {
            Some(chain) => cache_id(store, driver, chain)?,
            None => {
                return Err(Gap::new(store.name(), GapReason::Missing, "an image without layers"));
            }
        };
        return Ok(Layers { folders: vec![store.layer(&format!("{folder}/{cache}"))?], own: 0 });
    }
    Ok(Layers { folders: chained(store, driver, last)?, own: 0 })
}

/// The layers below one, as they are mounted; none if that is not noted.
fn lowers(store: &Store, driver: &str, id: &str) -> Result<Option<Vec<Layer>>, Gap> {
    let path = format!("{driver}/{id}/lower");
    let Some(text) = store.text(&path)? else { return Ok(None) };
    let corrupt =
        || Gap::new(store.place(&path), GapReason::Corrupt, "names of layers that are none");
    let mut layers = Vec::new();
    for short in text.split(':') {
        let link = short.strip_prefix("l/").filter(|name| is_plain(name)).ok_or_else(corrupt)?;
        let link = format!("{driver}/l/{link}");
        let target = store.link(&link)?.ok_or_else(|| {
            Gap::new(store.place(&link), GapReason::Missing, "the link to a layer is not there")
        })?;
        let layer = target.strip_prefix("../").and_then(|it| it.strip_suffix("/diff"));
        let layer = layer.filter(|name| is_plain(name)).ok_or_else(|| {
            Gap::new(store.place(&link), GapReason::Corrupt, "a link that leads to no layer")
        })?;
        layers.push(store.layer(&format!("{driver}/{layer}/diff"))?);
        if layers.len() > MOST {
            return Err(Gap::new(store.place(&path), GapReason::Limit, too_many()));
        }
    }
    Ok(Some(layers))
}

/// A layer and all below it, by the store of layers.
fn chained(store: &Store, driver: &str, last: Option<String>) -> Result<Vec<Layer>, Gap> {
    let (mut layers, mut next) = (Vec::new(), last);
    while let Some(chain) = next {
        if layers.len() >= MOST {
            let place = store.place(&format!("image/{driver}/layerdb"));
            return Err(Gap::new(place, GapReason::Limit, too_many()));
        }
        let cache = cache_id(store, driver, &chain)?;
        layers.push(store.layer(&format!("{driver}/{cache}/diff"))?);
        next = store.text(&format!("{}/parent", record(store, driver, &chain)?))?;
    }
    Ok(layers)
}

fn too_many() -> String {
    format!("more than {MOST} layers, or a chain of layers that leads in a circle")
}

/// The folder of a layer.
fn cache_id(store: &Store, driver: &str, chain: &str) -> Result<String, Gap> {
    let path = format!("{}/cache-id", record(store, driver, chain)?);
    let missing = || Gap::new(store.place(&path), GapReason::Missing, "no record of a layer");
    name(store, &path)?.ok_or_else(missing)
}

/// Path of the record of a layer and all below it.
fn record(store: &Store, driver: &str, chain: &str) -> Result<String, Gap> {
    if !oci::is_digest(chain) {
        let place = store.place(&format!("image/{driver}/layerdb"));
        return Err(Gap::new(place, GapReason::Corrupt, "a layer whose digest is none"));
    }
    Ok(format!("image/{driver}/layerdb/{}", chain.replacen(':', "/", 1)))
}

/// The name of a folder that stands in a file.
fn name(store: &Store, path: &str) -> Result<Option<String>, Gap> {
    let Some(name) = store.text(path)? else { return Ok(None) };
    if is_plain(&name) {
        return Ok(Some(name));
    }
    Err(Gap::new(store.place(path), GapReason::Corrupt, "the name of a layer that is none"))
}
