//! Boot entries that are on the filesystem of the boot firmware only: files of systemd-boot, and
//! unified kernel images, whose sections objcopy writes.

use super::{Content, MIB, Part, Seen, disk, file, filesystem, on, part_with, roots, text};
use crate::support::tool;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const ESP: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const XBOOTLDR: &str = "bc13c2ff-59e6-4262-a352-b275fd6f7172";

/// A partition of FAT with these files.
fn fat(work: &Path, kind: &'static str, files: &[(&str, &[u8])]) -> Part {
    let image = work.join(format!("fat-{}", &kind[..4]));
    File::create(&image).expect("made").set_len(40 * MIB).expect("grown");
    tool("mkfs.vfat", &["-F", "32", text(&image)]);
    let mut made = Vec::new();
    for (path, content) in files {
        let folders: Vec<_> =
            path.match_indices('/').map(|(at, _)| format!("::{}", &path[..at])).collect();
        for folder in folders {
            if !made.contains(&folder) {
                tool("mmd", &["-i", text(&image), &folder]);
                made.push(folder);
            }
        }
        let from = work.join("file");
        fs::write(&from, content).expect("written");
        tool("mcopy", &["-i", text(&image), text(&from), &format!("::{path}")]);
    }
    Part { label: "esp", kind, bits: &[], mib: 40, content: Content::Image(image) }
}

/// A PE file with this command line, made by binutils.
fn image(work: &Path, line: &str) -> Vec<u8> {
    let [object, plain, section, whole] =
        ["uki.o", "uki.plain", "uki.line", "uki.efi"].map(|name| work.join(name));
    // Without any section objcopy takes no file.
    tool("sh", &["-c", r#"echo .long 1 | as -o "$1" -"#, "sh", text(&object)]);
    tool("objcopy", &["-O", "pei-x86-64", text(&object), text(&plain)]);
    fs::write(&section, line).expect("written");
    let added = format!(".cmdline={}", text(&section));
    let rest = [
        "--set-section-flags",
        ".cmdline=data,readonly",
        "--change-section-vma",
        ".cmdline=0x30000",
    ];
    tool(
        "objcopy",
        &[&["--add-section", &added], &rest[..], &[text(&plain), text(&whole)]].concat(),
    );
    fs::read(&whole).expect("read")
}

/// Two systems that nothing but a boot entry tells apart; the first is what a mount without one would be
/// taken to be.
fn two(work: &Path) -> PathBuf {
    let script =
        "new @arch @other; system @arch arch rolling first; system @other debian 12 second";
    filesystem(work, "filesystem", script)
}

fn line(root: &Path, subvolume: &str) -> String {
    format!("root=UUID={} rw rootflags=subvol={subvolume}", super::id(root))
}

fn entry(root: &Path, subvolume: &str) -> Vec<u8> {
    format!("title x\nlinux /vmlinuz-linux\noptions {}\n", line(root, subvolume)).into_bytes()
}

#[track_caller]
fn check(work: &Path, parts: &[Part], expected: &str) {
    let image = disk(work, "disk.img", parts);
    let seen = Seen::of(&[&image]);
    assert_eq!(seen.packages(), [expected]);
    let root = if expected == "first" { "/ /@arch" } else { "/ /@other" };
    assert_eq!(roots(&seen)[0], root);
    // The other one is told, and nothing else.
    assert!(
        matches!(&seen.gaps()[..], [gap] if gap.contains("another system")),
        "{:?}",
        seen.gaps()
    );
    assert_eq!(
        seen.part("disk.img:p1").0,
        if parts[0].kind == ESP { "not_needed" } else { "scanned" }
    );
}

#[test]
fn entries_of_systemd_boot_name_the_subvolume() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = two(work.path());
    let (arch, other) = (entry(&root, "@arch"), entry(&root, "@other"));
    let cases: [(&[u8], &str); 4] = [
        (b"timeout 3\ndefault  arch.conf\n", "first"),
        (b"default\tother.conf\n", "second"),
        (b"default oth*\n", "second"),
        // Without a word of it the newest name comes first.
        (b"timeout 3\n", "second"),
    ];
    for (loader, expected) in cases {
        let files: [(&str, &[u8]); 3] = [
            ("loader/loader.conf", loader),
            ("loader/entries/arch.conf", &arch),
            ("loader/entries/other.conf", &other),
        ];
        for kind in [ESP, XBOOTLDR] {
            check(work.path(), &[fat(work.path(), kind, &files), on(&root)], expected);
        }
    }
}

#[test]
fn a_unified_image_has_its_command_line_inside() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = two(work.path());
    for (subvolume, expected) in [("@arch", "first"), ("@other", "second")] {
        let uki = image(work.path(), &line(&root, subvolume));
        let esp = fat(work.path(), ESP, &[("EFI/Linux/arch-linux.efi", &uki)]);
        check(work.path(), &[esp, on(&root)], expected);
    }
    // Entries that are files come first.
    let uki = image(work.path(), &line(&root, "@other"));
    let arch = entry(&root, "@arch");
    let files: [(&str, &[u8]); 2] =
        [("EFI/Linux/z.efi", &uki), ("loader/entries/arch.conf", &arch)];
    check(work.path(), &[fat(work.path(), ESP, &files), on(&root)], "first");
    let more: [(&str, &[u8]); 3] = [files[0], files[1], ("loader/loader.conf", b"default z.efi\n")];
    check(work.path(), &[fat(work.path(), ESP, &more), on(&root)], "second");
}

#[test]
fn a_damaged_image_is_a_gap() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = two(work.path());
    let mut uki = image(work.path(), &line(&root, "@other"));
    let line = uki.windows(5).position(|it| it == b"root=").expect("the command line");
    uki.truncate(line + 20);
    let esp = fat(work.path(), ESP, &[("EFI/Linux/arch-linux.efi", &uki)]);
    let image = disk(work.path(), "disk.img", &[esp, on(&root)]);
    let seen = Seen::of(&[&image]);
    let expected = "disk.img:p1/EFI/Linux/arch-linux.efi: damaged: the command line is beyond the end of the image";
    assert!(seen.gaps().contains(&expected.to_owned()), "{:?}", seen.gaps());
}

/// Where the disk has a boot menu of its own, the firmware's filesystem is not read: it may be broken.
#[test]
fn the_firmwares_filesystem_is_read_only_where_there_is_no_other_menu() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = two(work.path());
    let arch = entry(&root, "@other");
    let esp = fat(work.path(), ESP, &[("loader/entries/arch.conf", &arch)]);
    let script = format!("menuentry 'x' {{\n linux /vmlinuz {}\n}}\n", line(&root, "@arch"));
    let boot = part_with("boot", &["-L", "boot"], vec![file("grub/grub.cfg", &script)]);
    check(work.path(), &[esp, on(&root), boot], "first");
}

/// As CentOS 7 has its menu there; that of another vendor only leads on.
#[test]
fn a_menu_of_grub_and_its_saved_entry_on_the_firmwares_filesystem_name_the_subvolume() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let root = two(work.path());
    let entry = |subvolume: &str| {
        format!("menuentry '{subvolume}' {{\n linuxefi /vmlinuz {}\n}}\n", line(&root, subvolume))
    };
    let script = format!("set default=\"${{saved_entry}}\"\n{}{}", entry("@arch"), entry("@other"));
    for (saved, expected) in [("@other", "second"), ("@arch", "first")] {
        let environment = format!("# GRUB Environment Block\nsaved_entry={saved}\n###");
        let files: [(&str, &[u8]); 3] = [
            ("EFI/BOOT/grub.cfg", b"configfile $prefix/grub.cfg\n"),
            ("EFI/centos/grub.cfg", script.as_bytes()),
            ("EFI/centos/grubenv", environment.as_bytes()),
        ];
        check(work.path(), &[fat(work.path(), ESP, &files), on(&root)], expected);
    }
}
