//! Subvolumes, snapshots, the default one, and mounts by `subvol=`, as the kernel has them.

use crate::support::{Reader, open, same, script};
use conformance::{Mounted, can_mount, witness, workplace};
use sidelight::filesystem::FileSystem;
use sidelight::host::Tree;
use std::path::PathBuf;
use std::sync::Arc;

/// A layout as distributions have it: `@` with a nested subvolume in folders, `@home`, snapshots of
/// both kinds, one of them with what is left of a nested subvolume; the default is a snapshot.
const LAYOUT: &str = r#"
    truncate -s 300M "$1"; mkfs.btrfs -q -L label "$1" > /dev/null; mkdir "$2"
    mount -o loop "$1" "$2"; cd "$2"
    btrfs -q subvolume create @; btrfs -q subvolume create @home
    mkdir -p @/etc @/var/lib; echo first > @/etc/os-release; echo home > @home/file
    btrfs -q subvolume create @/var/lib/machines; echo inner > @/var/lib/machines/inner
    mkdir .snapshots
    btrfs -q subvolume snapshot -r @ .snapshots/1
    echo second > @/etc/os-release
    btrfs -q subvolume snapshot @ .snapshots/2
    echo default > .snapshots/2/etc/os-release
    btrfs -q subvolume create gone; btrfs -q subvolume delete -c gone
    btrfs subvolume set-default .snapshots/2
    btrfs subvolume list -q -u . | sed -E 's/ID ([0-9]+) .*parent_uuid (\S+) +uuid (\S+) path (.*)/\1 \2 \3 \4/'
    cd /; umount "$2"
"#;

struct Made {
    _work: tempfile::TempDir,
    image: PathBuf,
    place: PathBuf,
    listed: String,
}

fn made() -> Made {
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    let listed = script(LAYOUT, &[&image, &place]);
    Made { _work: work, image, place, listed }
}

#[test]
fn the_list_is_that_of_btrfs_progs() {
    if !can_mount() {
        return;
    }
    let made = made();
    let reader = open("btrfs", &[&made.image]);
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut found: Vec<_> = reader.filesystem.subvolumes();
    found.sort_by_key(|it| it.id);
    let lines: Vec<_> = found
        .iter()
        .map(|it| format!("{} {} {} {}", it.id, dash(&it.snapshot_of), dash(&it.uuid), it.path))
        .collect();
    assert_eq!(lines.join("\n"), made.listed.trim());
    let read_only: Vec<_> = found.iter().filter(|it| it.read_only).map(|it| &it.path).collect();
    assert_eq!(read_only, [".snapshots/1"]);
    let at = found.iter().find(|it| it.path == "@").unwrap().id;
    let snapshots: Vec<_> = found.iter().filter(|it| it.source == Some(at)).collect();
    assert_eq!(snapshots.len(), 2);
}

/// What the kernel shows by these options, or by none.
fn check(made: &Made, options: &str) -> Reader {
    let with = if options.is_empty() { String::new() } else { format!(",{options}") };
    let mounted = Mounted::new(&made.image, &made.place, &format!("ro,noatime,loop{with}"));
    let mut tree = witness(mounted.path());
    drop(mounted);
    // The kernel gives the empty folder in place of a subvolume the time of the mount.
    let stubs: Vec<_> = tree.nodes.values_mut().filter(|it| it.inode == 2).collect();
    let expected = match options {
        "subvolid=5" => 2,
        "" | "subvol=.snapshots/1" => 1,
        _ => 0,
    };
    assert_eq!(stubs.len(), expected);
    let mut reader = open("btrfs", &[&made.image]);
    for stub in stubs {
        stub.modified = conformance::Time::default();
    }
    reader.root = reader.filesystem.subtree(options).unwrap().unwrap_or(reader.root);
    same(&format!("mounted by {options:?}"), "kernel", tree, reader)
}

#[test]
fn each_way_to_mount_shows_what_the_kernel_shows() {
    if !can_mount() {
        return;
    }
    let made = made();
    // By default the snapshot, whose nested subvolume stayed behind.
    assert_eq!(check(&made, "").content("etc/os-release"), b"default\n");
    // The top, and all below it through its folders.
    let top = check(&made, "subvolid=5");
    assert_eq!(top.content(".snapshots/1/etc/os-release"), b"first\n");
    assert_eq!(top.content("@/var/lib/machines/inner"), b"inner\n");
    for options in ["subvol=@home", "subvol=/@home", "subvol=/@", "subvol=.snapshots/1"] {
        check(&made, options);
    }
    let id = made.listed.lines().find(|it| it.ends_with(" @home")).unwrap();
    check(&made, &format!("subvolid={}", id.split(' ').next().unwrap()));
}

#[test]
fn a_walk_meets_the_roots_that_the_list_names() {
    if !can_mount() {
        return;
    }
    let made = made();
    let mut reader = open("btrfs", &[&made.image]);
    reader.root = reader.filesystem.subtree("subvolid=5").unwrap().unwrap();
    for subvolume in reader.filesystem.subvolumes() {
        assert_eq!(reader.find(&subvolume.path), Some(subvolume.root), "{}", subvolume.path);
    }
}

#[test]
fn options_that_name_no_subvolume_are_an_error_and_others_say_nothing() {
    if !can_mount() {
        return;
    }
    let made = made();
    let reader = open("btrfs", &[&made.image]);
    for options in ["subvol=@none", "subvolid=9999", "subvolid=x", "subvol=@/etc"] {
        let error = reader.filesystem.subtree(options).unwrap_err().to_string();
        assert!(error.starts_with("the filesystem has no subvolume"), "{error}");
    }
    assert_eq!(reader.filesystem.subtree("rw,noatime,compress=zstd").unwrap(), None);
    let identity = reader.filesystem.identity();
    assert_eq!(identity.label.as_deref(), Some("label"));
    let uuid = script("blkid -p -o value -s UUID \"$1\"", &[&made.image]);
    assert_eq!(identity.uuid.as_deref(), Some(uuid.trim()));
}

/// What a walk of a host's tree need not go into.
#[test]
fn snapshots_and_what_is_mounted_elsewhere_are_known_in_a_tree() {
    if !can_mount() {
        return;
    }
    let made = made();
    let filesystem: Arc<dyn FileSystem> = open("btrfs", &[&made.image]).filesystem.into();
    let at = |options: &str| filesystem.subtree(options).unwrap().unwrap();
    let check = |tree: &Tree, cases: &[(&str, bool)]| {
        for (path, expected) in cases {
            let found = tree.find(path.as_bytes()).unwrap().expect("it is there");
            assert_eq!(tree.is_snapshot(found), *expected, "{path}");
        }
    };
    // Of a snapshot that can be written to, nothing else is mounted: it is what there is.
    let top = Tree::at(filesystem.clone(), at("subvolid=5"));
    let cases = [
        ("/", false),
        ("/@", false),
        ("/@/etc", false),
        ("/@/var/lib/machines", false),
        ("/.snapshots", false),
        ("/.snapshots/1", true),
        ("/.snapshots/2", false),
    ];
    check(&top, &cases);
    let mut host = Tree::at(filesystem.clone(), at("subvol=@"));
    assert!(host.mount(b"/etc", filesystem.clone(), at("subvolid=5")).unwrap());
    let cases = [
        ("/", false),
        ("/etc", false),
        ("/etc/@", true),
        ("/etc/@home", false),
        ("/etc/.snapshots/1", true),
        ("/etc/.snapshots/2", true),
        ("/var/lib/machines", false),
    ];
    check(&host, &cases);
}

#[test]
fn states_of_one_subvolume_are_a_family() {
    if !can_mount() {
        return;
    }
    let made = made();
    let found = open("btrfs", &[&made.image]).filesystem.subvolumes();
    let family = |path: &str| found.iter().find(|it| it.path == path).unwrap().family;
    assert_eq!(family(".snapshots/1"), family("@"));
    assert_eq!(family(".snapshots/2"), family("@"));
    assert_ne!(family("@home"), family("@"));
    assert_ne!(family("@/var/lib/machines"), family("@"));
}
