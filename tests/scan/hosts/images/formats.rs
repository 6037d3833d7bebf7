//! The same hosts with their images in the formats that they have now: Flatcar's `/usr` on btrfs in
//! mixed groups, Bottlerocket's root on EROFS.

use super::*;

/// A filesystem that a tool makes of these files.
fn made(work: &Path, name: &str, files: &[(&'static str, String)], command: &str) -> Content {
    let (folder, image) = (work.join(format!("{name}.files")), work.join(name));
    for (path, content) in files {
        crate::hosts::write(&folder, path, content);
    }
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    tool("sh", &["-ec", command, "sh", &text(&image), &text(&folder)]);
    Content::Image(image)
}

#[test]
fn flatcar_with_usr_on_btrfs() {
    let command = r#"truncate -s 64M "$1"; mkfs.btrfs -q -M -m single -d single -r "$2" "$1""#;
    let cases: [(Bits, Bits, &str); 2] =
        [(&[48, 56], &[], "3975.2.0"), (&[48, 56], &[49, 52], "4081.2.0")];
    for (a, b, version) in cases {
        let work = tempfile::tempdir().expect("a folder");
        let mut parts = flatcar(a, b);
        for part in &mut parts[..2] {
            let Content::Ext4(files, _) = &part.content else { panic!("not ext4") };
            part.content = made(work.path(), part.label, files, command);
            part.mib = 64;
        }
        let image = disk(work.path(), "disk.img", &parts);
        let seen = Seen::of(&[&image]);
        seen.is_whole(&["good"]);
        assert_eq!(seen.os(), ("flatcar", version));
        let other = if version == "3975.2.0" { "disk.img:p2" } else { "disk.img:p1" };
        assert_eq!(seen.part(other).0, "not_needed");
    }
}

#[test]
fn bottlerocket_with_roots_on_erofs() {
    let command = r#"mkfs.erofs -zlz4 --quiet "$1" "$2""#;
    let work = tempfile::tempdir().expect("a folder");
    let (mut parts, mut second) = (set(A, &[48, 56], "1.19"), set(B, &[49, 56], "1.20"));
    for (part, version) in [(&mut parts[1], "1.19"), (&mut second[1], "1.20")] {
        part.content = made(work.path(), part.label, &bottlerocket_root(version), command);
    }
    parts.extend(second);
    let private = vec![file("datastore/current/x", "")];
    parts.push(Part { kind: PRIVATE, ..super::part("BOTTLEROCKET-PRIVATE", private) });
    let os = disk(work.path(), "os.img", &parts);
    let data = Part { kind: DATA, ..super::part("BOTTLEROCKET-DATA", data()) };
    let data = disk(work.path(), "data.img", &[data]);
    let seen = Seen::of(&[&os, &data]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.os(), ("bottlerocket", "1.20"));
    assert_eq!(seen.mounts()[0], "/ os.img:p6");
    assert_eq!(seen.part("os.img:p2").0, "not_needed");
}
