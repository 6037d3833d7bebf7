//! Stores that are damaged, half written or made to mislead: what is wrong costs what it hits, and is told.

use super::super::Found;
use super::made::Made;
use super::real::unpack;
use super::{container, found, layers};
use crate::model::{ContainerState, Engine, Gap, GapReason};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The gap of a container whose layers are not known, after which all others must be whole.
fn gap_of(found: &Found, name: &str) -> Gap {
    let (folders, own) = layers(container(found, "one"));
    assert_eq!((folders.len(), own), (3, 1));
    container(found, name).layers.clone().unwrap_err()
}

/// A store with `one`, which is whole, and containers of these records and layers.
fn with(containers: &str, records: &str) -> Made {
    let made = Made::three();
    made.write("overlay-containers/volatile-containers.json", containers);
    made.write("overlay-layers/volatile-layers.json", records);
    made
}

#[test]
fn a_list_that_is_cut_is_read_up_to_there() {
    let made = Made::three();
    let whole =
        r#"[{"id":"1111","names":["one"],"layer":"c"},{"id":"2222","names":["two"],"layer":"b"}]"#;
    for end in 0..whole.len() {
        made.write("overlay-containers/containers.json", &whole[..end]);
        let found = made.found();
        let first = whole.find("},").unwrap() + 1;
        let second = whole.len() - 1;
        let expected = usize::from(end >= first) + usize::from(end >= second);
        assert_eq!(found.containers.len(), expected, "{end}");
        assert_eq!(found.gaps.len(), 1, "{end}: {:#?}", found.gaps);
        assert_eq!(found.gaps[0].reason, GapReason::Corrupt);
        assert!(found.gaps[0].place.ends_with("/overlay-containers/containers.json"));
    }
}

#[test]
fn a_broken_record_costs_itself() {
    let made = with(r#"[{"id":7},{"id":"2222","layer":"b"},"x",{"id":"3333","layer":[]}]"#, "[]");
    let found = made.found();
    assert_eq!(found.containers.len(), 2);
    assert_eq!(layers(container(&found, "2222")).0.len(), 2);
    assert_eq!(found.gaps.len(), 3, "{:#?}", found.gaps);
}

#[test]
fn json_that_is_no_list_is_told() {
    for text in ["{}", "7", "\"x\"", "[", "[[[[", "nul", "[] x", "\u{0}"] {
        let found = with(text, text).found();
        assert_eq!(found.containers.len(), 1, "{text}");
        assert_eq!(found.gaps.len(), 2, "{text}: {:#?}", found.gaps);
    }
    // As Go writes a list that never had anything in it.
    assert_eq!(with("null", "null").found().gaps, []);
}

#[test]
fn parents_in_a_circle_are_told() {
    let records = r#"[{"id":"x","parent":"y"},{"id":"y","parent":"x"},{"id":"z","parent":"z"}]"#;
    let made = with(r#"[{"id":"2222","layer":"x"},{"id":"3333","layer":"z"}]"#, records);
    let found = made.found();
    for name in ["2222", "3333"] {
        let gap = gap_of(&found, name);
        assert_eq!(gap.reason, GapReason::Corrupt);
        assert!(gap.detail.ends_with("lies below itself"), "{gap:?}");
        assert!(gap.place.starts_with(&format!("podman container {name} ({name}): ")), "{gap:?}");
    }
}

#[test]
fn more_layers_than_an_engine_makes_are_told() {
    let records: Vec<_> =
        (0..600).map(|n| format!(r#"{{"id":"n{n}","parent":"n{}"}}"#, n + 1)).collect();
    let made = with(r#"[{"id":"2222","layer":"n0"}]"#, &format!("[{}]", records.join(",")));
    assert_eq!(gap_of(&made.found(), "2222").reason, GapReason::Limit);
}

#[test]
fn ids_that_are_paths_lead_nowhere() {
    for id in ["../../etc", "..", ".", "", "/etc", "a/../../..", "l/A"] {
        let id = serde_json::to_string(id).unwrap();
        let containers = format!(
            r#"[{{"id":{id},"names":["two"],"layer":"c","metadata":"{{\"pod-id\":\"x\"}}"}},
                {{"id":"3333","names":["three"],"layer":{id}}},
                {{"id":"4444","names":["four"],"layer":"x","image":{id}}}]"#
        );
        let made = with(&containers, &format!(r#"[{{"id":"x","parent":{id}}},{{"id":{id}}}]"#));
        made.write("overlay-images/images.json", &format!(r#"[{{"id":{id},"layer":{id}}}]"#));
        let found = made.found();
        for name in ["two", "three"] {
            assert_eq!(gap_of(&found, name).reason, GapReason::Corrupt, "{id} {name}");
        }
        // A layer without one below is whole in all but its files.
        let reason = if id == "\"\"" { GapReason::Missing } else { GapReason::Corrupt };
        assert_eq!(gap_of(&found, "four").reason, reason, "{id}");
    }
}

#[test]
fn links_in_a_store_are_not_followed() {
    let made = with(
        r#"[{"id":"2222","layer":"x"},{"id":"3333","layer":"y"}]"#,
        r#"[{"id":"x"},{"id":"y"}]"#,
    );
    fs::create_dir_all(made.path().join("outside/diff")).unwrap();
    let overlay = made.path().join("storage/overlay");
    symlink("/outside", overlay.join("x")).unwrap();
    fs::create_dir(overlay.join("y")).unwrap();
    symlink("../../../outside/diff", overlay.join("y/diff")).unwrap();
    let found = made.found();
    assert_eq!(gap_of(&found, "2222").reason, GapReason::Corrupt);
    assert_eq!(gap_of(&found, "3333").reason, GapReason::Unsupported);
}

#[test]
fn lower_counts_against_the_records() {
    let made = Made::three();
    // The record says b and a; the engine would mount what `lower` names.
    made.write("overlay/c/lower", "l/A");
    let found = made.found();
    let (folders, own) = layers(container(&found, "one"));
    assert_eq!(folders, ["/storage/overlay/c/diff", "/storage/overlay/a/diff"]);
    assert_eq!((own, found.gaps.len()), (1, 1), "{:#?}", found.gaps);
    assert_eq!(found.gaps[0].place, "podman container one (1111): /storage/overlay/c/lower");
    assert_eq!(found.gaps[0].reason, GapReason::Corrupt);
}

#[test]
fn a_lower_that_says_nothing_leaves_the_records() {
    let long = "l/A:".repeat(20_000);
    for lower in
        [long.as_str(), "l/NONE", "l/../../etc", "l/", "nothing", "../x/diff/..", "/etc", "l/A:l/?"]
    {
        let made = Made::three();
        made.write("overlay/c/lower", lower);
        let found = made.found();
        assert_eq!(layers(container(&found, "one")).0.len(), 3);
        assert_eq!(found.gaps.len(), 1, "{:#?}", found.gaps);
    }
    let made = Made::three();
    fs::remove_file(made.path().join("storage/overlay/c/lower")).unwrap();
    let found = made.found();
    assert_eq!(layers(container(&found, "one")).0.len(), 3);
    assert_eq!(found.gaps[0].reason, GapReason::Missing);
}

#[test]
fn lost_records_of_layers_leave_lower() {
    for records in ["", "[]", "[{\"id\":\"c\""] {
        let made = Made::three();
        made.write("overlay-layers/layers.json", records);
        let found = made.found();
        assert_eq!(layers(container(&found, "one")).0.len(), 3);
        assert_eq!(found.gaps.len(), 1, "{:#?}", found.gaps);
    }
}

#[test]
fn a_layer_that_is_not_there_or_not_whole_is_told() {
    let made = with(
        r#"[{"id":"2222","layer":"x"},{"id":"3333","layer":"y"},{"id":"4444","layer":"w"}]"#,
        r#"[{"id":"x","parent":"gone"},{"id":"gone"},{"id":"y","parent":"half"},{"id":"w"},
            {"id":"half","flags":{"incomplete":true}}]"#,
    );
    made.layer("storage", "x", &["gone"]).layer("storage", "half", &[]);
    made.layer("storage", "y", &["half"]).write("overlay/w/diff", "a file");
    let found = made.found();
    assert_eq!(gap_of(&found, "2222").reason, GapReason::Missing);
    assert_eq!(gap_of(&found, "3333").reason, GapReason::Missing);
    assert_eq!(gap_of(&found, "4444").reason, GapReason::Corrupt);
    assert!(gap_of(&found, "2222").place.ends_with(": /storage/overlay/gone/diff"));
}

#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let made = with("[]", "[]");
    let store = made.path().join("storage");
    fs::write(store.join("overlay-containers/containers.json"), b"[{\"id\":\"\xff\"}]").unwrap();
    fs::write(store.join("overlay/c/lower"), b"l/\xff:\xff").unwrap();
    assert!(!made.found().gaps.is_empty());
}

/// Numbers that look random, the same at each run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }

    /// Bytes that are cut, changed or out of place.
    fn damaged(&mut self, whole: &[u8], round: usize) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        match round % 3 {
            0 => bytes.truncate(self.below(whole.len())),
            1 => (0..20).for_each(|_| {
                let at = self.below(whole.len());
                bytes[at] = self.below(256) as u8;
            }),
            _ => {
                let length = whole.len().min(4096);
                let (from, to) =
                    (self.below(whole.len() - length + 1), self.below(whole.len() - length + 1));
                bytes.copy_within(from..from + length, to);
            }
        }
        bytes
    }
}

/// Podman's databases, with the bytes of some places changed: never a panic, and the containers of the storage
/// are there.
fn check_damage(store: &str, database: &str, containers: usize) {
    let Some((folder, _)) = unpack(store) else { return };
    let path = folder.path().join("storage").join(database);
    let whole = fs::read(&path).unwrap();
    let mut random = Random(7);
    for round in 0..120 {
        fs::write(&path, random.damaged(&whole, round)).unwrap();
        let found = found(folder.path());
        let stored = found.containers.iter().filter(|it| it.layers.is_ok()).count();
        assert!(stored >= containers, "round {round}: {stored}");
    }
}

#[test]
fn damage_of_any_small_file_does_no_harm() {
    let Some((folder, _)) = unpack("podman-containers-storage-small") else { return };
    let mut files = Vec::new();
    small_files(&folder.path().join("storage"), &mut files);
    assert!(files.len() > 20, "{files:?}");
    let mut random = Random(11);
    for path in files {
        let whole = fs::read(&path).unwrap();
        for round in 0..6 {
            fs::write(&path, random.damaged(&whole, round)).unwrap();
            let found = found(folder.path());
            // Podman's database knows three, and what it lost the storage knows.
            assert!(found.containers.len() >= 3, "{}", path.display());
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(found(folder.path()).gaps, []);
}

/// What is read of a store beside its databases, all of it outside of layers.
fn small_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        let is_read = kind.is_file() && entry.metadata().unwrap().len() > 0;
        if kind.is_dir() && entry.file_name() != "diff" {
            small_files(&entry.path(), files);
        } else if is_read && !entry.path().ends_with("libpod/bolt_state.db") {
            files.push(entry.path());
        }
    }
}

#[test]
fn damage_of_bolt_does_no_harm() {
    check_damage("podman-containers-storage-small", "libpod/bolt_state.db", 4);
}

#[test]
fn damage_of_sqlite_does_no_harm() {
    check_damage("podman5-sqlite-small", "db.sql", 3);
}

#[test]
fn a_lost_database_leaves_what_the_storage_knows() {
    let Some((folder, _)) = unpack("podman5-sqlite-small") else { return };
    fs::write(folder.path().join("storage/db.sql"), "").unwrap();
    let all = found(folder.path());
    assert_eq!(all.containers.len(), 3);
    assert_eq!(all.gaps.len(), 1, "{:#?}", all.gaps);
    let running = container(&all, "running1");
    assert_eq!(running.context.engine, Engine::Podman);
    assert_eq!(running.context.state, ContainerState::Unknown);
    assert_eq!(running.context.image.reference.as_deref(), Some("127.0.0.1:5100/team/app:2"));
    assert!(running.context.created.is_some());
}

#[test]
fn what_podman_knows_and_the_storage_lost_is_found() {
    for store in ["podman-containers-storage-small", "podman5-sqlite-small"] {
        let Some((folder, _)) = unpack(store) else { return };
        let before = found(folder.path());
        let path = folder.path().join("storage/overlay-containers/containers.json");
        fs::write(&path, "[{\"id\"").unwrap();
        let after = found(folder.path());
        check_same(&before, &after);
        // Without the runtime's configurations layers are told by their names.
        remove_configurations(path.parent().unwrap());
        check_same(&before, &found(folder.path()));
    }
}

fn check_same(before: &Found, after: &Found) {
    assert_eq!(after.gaps.len(), 1, "{:#?}", after.gaps);
    for one in before.containers.iter().filter(|it| it.context.engine == Engine::Podman) {
        let other = container(after, &one.name);
        assert_eq!(one.context, other.context);
        assert_eq!(layers(one), layers(other));
    }
}

fn remove_configurations(containers: &Path) {
    for entry in fs::read_dir(containers).unwrap() {
        let _ = fs::remove_file(entry.unwrap().path().join("userdata/config.json"));
    }
}

#[test]
fn broken_metadata_and_annotations_are_told() {
    let made = with(
        r#"[{"id":"2222","layer":"b","metadata":"{"},
            {"id":"3333","layer":"b","metadata":"{\"pod-id\":\"p\"}"},
            {"id":"4444","layer":"b","metadata":"{\"pod-id\":\"p\"}"}]"#,
        "[]",
    );
    let annotations = r#"{"io.kubernetes.cri-o.Labels":"{","io.kubernetes.cri-o.Volumes":"{}"}"#;
    let spec = format!("{{\"annotations\":{annotations}}}");
    made.write("overlay-containers/3333/userdata/config.json", &spec);
    made.write("overlay-containers/4444/userdata/config.json", "{");
    made.write("overlay-containers/4444/userdata/state.json", "7");
    let found = made.found();
    let mut places: Vec<_> = found.gaps.iter().map(|gap| gap.place.as_str()).collect();
    places.sort_unstable();
    let beside = |id: &str, file: &str| {
        format!(
            "cri-o container {id} ({id}): /storage/overlay-containers/{id}/userdata/{file}.json"
        )
    };
    let expected = [
        beside("3333", "config"),
        beside("3333", "config"),
        beside("4444", "config"),
        beside("4444", "state"),
        "podman container 2222 (2222): /storage/overlay-containers".to_owned(),
    ];
    assert_eq!(places, expected);
    assert!(found.containers.iter().all(|it| it.layers.is_ok()));
}

#[test]
fn a_small_store_cannot_name_any_number_of_layers() {
    let made = Made::three();
    let below: Vec<_> = (0..400).map(|n| format!("n{n}")).collect();
    let below: Vec<_> = below.iter().map(String::as_str).collect();
    for id in &below {
        made.layer("storage", id, &[]);
    }
    made.layer("storage", "top", &below);
    let containers: Vec<_> =
        (0..1000).map(|n| format!(r#"{{"id":"x{n}","layer":"top"}}"#)).collect();
    made.write(
        "overlay-containers/volatile-containers.json",
        &format!("[{}]", containers.join(",")),
    );
    made.write("overlay-layers/layers.json", "");
    let found = made.found();
    assert_eq!(found.containers.len(), 1001);
    let whole = found.containers.iter().filter(|it| it.layers.is_ok()).count();
    assert_eq!(whole, 1 + 250_000 / 401);
    let last = found.containers.last().unwrap().layers.clone().unwrap_err();
    assert_eq!(last.reason, GapReason::Limit);
}
