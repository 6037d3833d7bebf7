//! What is said of subvolumes that are not a part of the host, and in what form.

use super::{Seen, boot, disk, filesystem, host, on, roots, state, text};
use crate::support::sidelight;

/// Two distributions in one filesystem, each with snapshots of its own.
const TWO: &str = r#"
    new @ubuntu @arch @data @empty; system @ubuntu ubuntu 24.04 first; system @arch arch rolling second
    for it in @ubuntu @arch; do
        echo "UUID=$ID / btrfs subvol=$it 0 0" > $it/etc/fstab
        for n in 1 2 3; do snapshot -r $it $it-$n; done
        snapshot $it $it-next
    done
    echo x > @data/x
"#;

#[test]
fn another_system_in_the_same_filesystem_is_a_gap_and_its_snapshots_are_no_more() {
    if !test_material::root() {
        return;
    }
    for (named, package, other, name) in [
        ("@ubuntu", "first", "@arch", "arch rolling"),
        ("@arch", "second", "@ubuntu", "ubuntu 24.04"),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        let filesystem = filesystem(work.path(), "filesystem", TWO);
        let parts = [boot(&filesystem, &format!("rootflags=subvol={named}")), on(&filesystem)];
        let image = disk(work.path(), "disk.img", &parts);
        let seen = Seen::of(&[&image]);
        assert_eq!(seen.packages(), [package]);
        let expected = [
            "disk.img:p2/@data: a subvolume that nothing mounts: its files were not looked at"
                .to_owned(),
            format!(
                "disk.img:p2/{other}: another system, {name}, was found in subvolume /{other} of disk.img:p2 and not scanned"
            ),
        ];
        let mut gaps = seen.gaps();
        gaps.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(gaps, expected);
        for (path, expected) in [
            (named.to_owned(), "scanned /".to_owned()),
            (format!("{named}-1"), format!("not_needed a snapshot of {named}")),
            (format!("{named}-next"), format!("not_needed a snapshot of {named}")),
            (other.to_owned(), format!("gap another system, {name}")),
            (format!("{other}-2"), format!("gap another system, {name}")),
            ("@data".to_owned(), "gap nothing mounts it".to_owned()),
            ("@empty".to_owned(), "not_needed it holds no files".to_owned()),
        ] {
            assert_eq!(state(&seen, "disk.img:p2", &path), expected, "{path}");
        }
    }
}

#[test]
fn a_hundred_snapshots_are_listed_and_no_gap() {
    if !test_material::root() {
        return;
    }
    let script = r#"
        new @ @snapshots; system @ debian 12 good; echo "UUID=$ID / btrfs subvol=@ 0 0" > @/etc/fstab
        for n in $(seq 100); do echo $n > @/etc/state; snapshot $FLAG @ @snapshots/$n; done"#;
    for flag in ["-r", ""] {
        let (_work, _, image) = host(&format!("FLAG={flag}\n{script}"));
        let seen = Seen::of(&[&image]);
        seen.is_whole(&["good"]);
        assert_eq!(roots(&seen), ["/ /@"]);
        for n in [1, 50, 100] {
            let state = state(&seen, "disk.img:p1", &format!("@snapshots/{n}"));
            assert_eq!(state, "not_needed a snapshot of @");
        }
    }
}

#[test]
fn the_tree_of_disks_has_rows_for_subvolumes_and_one_for_many_snapshots() {
    if !test_material::root() {
        return;
    }
    let script = r#"
        new @ @home @snapshots; system @ debian 12 good; echo x > @home/x
        for it in /:@ /home:@home; do
            echo "UUID=$ID ${it%:*} btrfs subvol=${it#*:} 0 0" >> @/etc/fstab
        done
        for n in 1 2 3; do snapshot -r @ @snapshots/$n; done"#;
    let (_work, _, image) = host(script);
    let output = sidelight(&["disks", text(&image)]);
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Vec<&str>> = shown.lines().map(|it| it.split_whitespace().collect()).collect();
    for expected in [
        vec!["├─", "@", "subvolume", "scanned", "/"],
        vec!["├─", "@home", "subvolume", "scanned", "/home"],
        vec!["├─", "@snapshots", "subvolume", "not", "needed", "it", "holds", "no", "files"],
        vec![
            "└─",
            "@snapshots/1",
            "and",
            "2",
            "more",
            "subvolume",
            "not",
            "needed",
            "a",
            "snapshot",
            "of",
            "@",
        ],
    ] {
        assert!(rows.contains(&expected), "{expected:?}\n{shown}");
    }
}
