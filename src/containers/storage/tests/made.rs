//! Small stores made by hand.

use super::super::Found;
use super::{container, found, found_with, layers};
use crate::filesystem::Marks;
use crate::model::{ContainerState, Engine, GapReason};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

/// A folder with a store `storage`.
pub struct Made(TempDir);

impl Made {
    pub fn new() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        fs::create_dir(made.0.path().join("storage")).unwrap();
        made
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn found(&self) -> Found {
        found(self.path())
    }

    /// Writes a file below the store.
    pub fn write(&self, path: &str, text: &str) -> &Self {
        self.write_in("storage", path, text)
    }

    pub fn write_in(&self, store: &str, path: &str, text: &str) -> &Self {
        let path = self.path().join(store).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Makes a layer of overlay as the driver does: its files, its link and what is below it.
    pub fn layer(&self, store: &str, id: &str, below: &[&str]) -> &Self {
        let short = |id: &str| id.to_uppercase();
        self.write_in(store, &format!("overlay/{id}/diff/of-{id}"), "");
        self.write_in(store, &format!("overlay/{id}/link"), &short(id));
        if !below.is_empty() {
            let lower: Vec<_> = below.iter().map(|id| format!("l/{}", short(id))).collect();
            self.write_in(store, &format!("overlay/{id}/lower"), &lower.join(":"));
        }
        let links = self.path().join(store).join("overlay/l");
        fs::create_dir_all(&links).unwrap();
        symlink(format!("../{id}/diff"), links.join(short(id))).unwrap();
        self
    }

    /// A store with a container `one` of the layers c, b and a.
    pub fn three() -> Self {
        let made = Self::new();
        made.layer("storage", "a", &[]).layer("storage", "b", &["a"]);
        made.layer("storage", "c", &["b", "a"]);
        made.write("overlay-layers/layers.json", LAYERS);
        made.write("overlay-containers/containers.json", ONE);
        made
    }
}

const LAYERS: &str =
    r#"[{"id":"a"},{"id":"b","parent":"a"},{"id":"c","parent":"b","names":["one-layer"]}]"#;
const ONE: &str = r#"[{"id":"1111","names":["one"],"layer":"c"}]"#;

fn paths(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("/storage/overlay/{id}/diff")).collect()
}

#[test]
fn volatile_records_are_as_good_as_others() {
    let made = Made::three();
    made.write(
        "overlay-containers/volatile-containers.json",
        r#"[{"id":"2222","layer":"d"},
        {"id":"1111","names":["again"],"layer":"d"}]"#,
    );
    made.write("overlay-layers/volatile-layers.json", r#"[{"id":"d","parent":"a"}]"#);
    made.layer("storage", "d", &["a"]);
    let found = made.found();
    assert_eq!(found.gaps, []);
    assert_eq!(layers(container(&found, "one")), (paths(&["c", "b", "a"]), 1));
    assert_eq!(layers(container(&found, "2222")), (paths(&["d", "a"]), 1));
    assert_eq!(found.containers.len(), 2);
}

#[test]
fn parts_of_a_layer_lie_below_it() {
    let made = Made::three();
    for part in ["c/diff1", "c/diff2", "a/diff1"] {
        made.write(&format!("overlay/{part}/file"), "");
    }
    let (folders, own) = layers(container(&made.found(), "one"));
    let expected = ["c/diff", "c/diff1", "c/diff2", "b/diff", "a/diff", "a/diff1"];
    assert_eq!(folders, expected.map(|path| format!("/storage/overlay/{path}")));
    assert_eq!(own, 3);
}

#[test]
fn layers_and_images_of_stores_behind_are_found() {
    let made = Made::new();
    made.layer("behind", "a", &[]).layer("behind", "b", &["a"]);
    made.write_in(
        "behind",
        "overlay-layers/layers.json",
        r#"[{"id":"a"},{"id":"b","parent":"a"}]"#,
    );
    let image = r#"[{"id":"i","names":["name:1"],"layer":"b"}]"#;
    made.write_in("behind", "overlay-images/images.json", image);
    made.layer("storage", "c", &["b", "a"]);
    made.write("overlay-layers/layers.json", r#"[{"id":"c","parent":"b"}]"#);
    made.write("overlay-containers/containers.json", r#"[{"id":"1","layer":"c","image":"i"}]"#);
    let found = found_with(made.path(), &["behind"]);
    assert_eq!(found.gaps, []);
    let one = container(&found, "1");
    let (folders, _) = layers(one);
    assert_eq!(folders[0], "/storage/overlay/c/diff");
    assert_eq!(folders[1..], ["b", "a"].map(|id| format!("/behind/overlay/{id}/diff")));
    assert_eq!(one.context.image.names, ["name:1"]);
    assert_eq!(found.images.len(), 0);
    // The engine may have written the link with the whole path.
    let link = made.path().join("storage/overlay/l/B");
    symlink("/somewhere/else/overlay/b/diff", link).unwrap();
    assert_eq!(layers(container(&found_with(made.path(), &["behind"]), "1")).0, folders);
}

#[test]
fn lost_links_are_made_anew() {
    let made = Made::three();
    fs::remove_dir_all(made.path().join("storage/overlay/l")).unwrap();
    let found = made.found();
    assert_eq!(found.gaps, []);
    assert_eq!(layers(container(&found, "one")), (paths(&["c", "b", "a"]), 1));
}

#[test]
fn whole_copies_are_one_folder() {
    let made = Made::new();
    made.write("vfs/dir/c/file", "").write("vfs-layers/layers.json", LAYERS);
    made.write("vfs-containers/containers.json", ONE);
    made.write("btrfs/subvolumes/x/file", "").write("btrfs-layers/layers.json", r#"[{"id":"x"}]"#);
    made.write("btrfs-containers/containers.json", r#"[{"id":"2222","layer":"x"}]"#);
    let found = made.found();
    assert_eq!(found.gaps, []);
    assert_eq!(layers(container(&found, "one")), (vec!["/storage/vfs/dir/c".to_owned()], 0));
    let whole = vec!["/storage/btrfs/subvolumes/x".to_owned()];
    assert_eq!(layers(container(&found, "2222")), (whole, 0));
}

#[test]
fn what_is_not_read_is_said() {
    let made = Made::three();
    made.write("zfs-containers/containers.json", r#"[{"id":"2222","layer":"x"}]"#);
    made.write("overlay-containers/volatile-containers.json", r#"[{"id":"3333","layer":"e"}]"#);
    made.write("overlay-layers/volatile-layers.json", r#"[{"id":"e"}]"#);
    made.layer("storage", "e", &[]).write("overlay/e/composefs-data/composefs.blob", "");
    let found = made.found();
    for (name, detail) in [
        ("2222", "layers of the storage driver zfs are not read"),
        ("3333", "layers of composefs are not read"),
    ] {
        let gap = container(&found, name).layers.clone().unwrap_err();
        assert_eq!((gap.reason, gap.detail.as_str()), (GapReason::Unsupported, detail));
        assert!(gap.place.starts_with(&format!("podman container {name} ({name}): /storage/")));
    }
    assert_eq!(layers(container(&found, "one")), (paths(&["c", "b", "a"]), 1));
}

#[test]
fn a_store_without_an_engines_record_tells_what_it_can() {
    let found = Made::three().found();
    let one = container(&found, "one");
    assert_eq!(one.context.engine, Engine::Podman);
    assert_eq!(one.context.state, ContainerState::Unknown);
    assert_eq!(one.context.image.id, None);
}

#[test]
fn a_list_of_images_is_no_image() {
    let made = Made::three();
    made.write(
        "overlay-images/images.json",
        r#"[{"id":"l","names":["list"],"big-data-names":["manifest","instances.json"]},
            {"id":"i","names":["name:1"],"layer":"b"},{"id":"s","names":["scratch"]}]"#,
    );
    let found = made.found();
    let names: Vec<_> = found.images.iter().map(|it| it.image.names[0].as_str()).collect();
    assert_eq!(names, ["name:1", "scratch"]);
    assert_eq!(found.gaps, []);
}

#[test]
fn a_copy_for_other_owners_lies_over_what_it_is_of() {
    let made = Made::three();
    // As Podman 5 made it for `--uidmap`: m is b for other owners, and has b's parent.
    made.write(
        "overlay-layers/volatile-layers.json",
        r#"[{"id":"m","parent":"a"},{"id":"d","parent":"m"}]"#,
    );
    made.layer("storage", "m", &["b", "a"]).layer("storage", "d", &["m", "b", "a"]);
    made.write("overlay/m/diff1/file", "");
    made.write("overlay-containers/volatile-containers.json", r#"[{"id":"2222","layer":"d"}]"#);
    let found = made.found();
    assert_eq!(found.gaps, []);
    let folders = ["d/diff", "m/diff", "m/diff1", "b/diff", "a/diff"];
    let folders = folders.map(|path| format!("/storage/overlay/{path}")).to_vec();
    assert_eq!(layers(container(&found, "2222")), (folders, 1));
}

#[test]
fn layers_of_fuse_overlayfs_have_marks_of_their_own() {
    let made = Made::three();
    made.write("overlay/.has-mount-program", "false");
    assert_eq!(made.found().marks.len(), 0);
    made.write("overlay/.has-mount-program", "true");
    let marks = made.found().marks;
    assert!(matches!(marks.get("/storage"), Some(Marks::User)));
}
