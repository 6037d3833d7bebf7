//! Which of several systems is the host: what the boot configuration starts, and what is said of the
//! others.

use super::{Part, Seen, debian, disk, file, part, part_with, with};
use std::path::PathBuf;
use tempfile::TempDir;

const FIRST: &[&str] = &["-U", "11111111-0000-4000-8000-000000000001"];
const SECOND: &[&str] = &["-U", "22222222-0000-4000-8000-000000000002"];

/// As grub-mkconfig and os-prober write it, shortened.
const GRUB: &str = r#"if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   boot_once=true
else
   set default="${saved_entry}"
fi
menuentry 'First' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	linux	/boot/vmlinuz-6.1.0-18-amd64 root=UUID=11111111-0000-4000-8000-000000000001 ro quiet
}
menuentry 'Second (on /dev/sda2)' --class debian $menuentry_id_option 'osprober-2' {
	linux	/boot/vmlinuz-5.10.0-28-amd64 root=UUID=22222222-0000-4000-8000-000000000002 ro
}
"#;

fn grub(default: &str) -> Vec<(&'static str, String)> {
    let env = format!("# GRUB Environment Block\nsaved_entry={default}\n#####");
    vec![file("boot/grub/grub.cfg", GRUB), file("boot/grub/grubenv", &env)]
}

fn made(parts: &[Part]) -> (TempDir, PathBuf) {
    let work = tempfile::tempdir().expect("a folder");
    let image = disk(work.path(), "disk.img", parts);
    (work, image)
}

#[test]
fn the_default_entry_decides_between_two_systems() {
    for (default, version, package, other) in [
        ("gnulinux-simple-1", "12", "first", "disk.img:p2: another system, Debian GNU/Linux 11"),
        ("osprober-2", "11", "second", "disk.img:p1: another system, Debian GNU/Linux 12"),
    ] {
        let (_work, image) = made(&[
            part_with("one", FIRST, with(debian("12", "first"), grub(default))),
            part_with("two", SECOND, debian("11", "second")),
        ]);
        let seen = Seen::of(&[&image]);
        assert_eq!((seen.os(), seen.packages()), (("debian", version), vec![package]));
        let gaps = seen.gaps();
        assert!(gaps.len() == 1 && gaps[0].starts_with(other), "{gaps:?}");
        assert!(gaps[0].ends_with("and not scanned"), "{gaps:?}");
        assert_eq!(seen.part(other.split(": ").next().expect("a place")).0, "gap");
    }
}

/// The older system has more signs of a root than the one that is started.
#[test]
fn loader_entries_on_a_separate_boot_filesystem_name_the_root() {
    let entry = |root: &str, version: &str| {
        format!(
            "title Fedora ({version})\nversion {version}\nlinux /vmlinuz-{version}\noptions root=UUID={root} ro\n"
        )
    };
    let old = entry("22222222-0000-4000-8000-000000000002", "6.1.9-200.fc37.x86_64");
    let new = entry("11111111-0000-4000-8000-000000000001", "6.1.10-200.fc37.x86_64");
    let script = "set default=\"${saved_entry}\"\ninsmod blscfg\nblscfg\n";
    for (saved, package) in [("", "started"), ("saved_entry=m-6.1.9-200.fc37.x86_64\n", "old")] {
        let small = vec![
            file("usr/lib/os-release", "ID=fedora\nVERSION_ID=37\n"),
            file("boot/", ""),
            super::status(super::STATUS, "started"),
        ];
        let (_work, image) = made(&[
            part(
                "boot",
                vec![
                    file("grub2/grub.cfg", script),
                    file("grub2/grubenv", &format!("# GRUB Environment Block\n{saved}####")),
                    file("loader/entries/m-6.1.10-200.fc37.x86_64.conf", &new),
                    file("loader/entries/m-6.1.9-200.fc37.x86_64.conf", &old),
                    file("vmlinuz-6.1.10-200.fc37.x86_64", "kernel"),
                ],
            ),
            part_with("old", SECOND, with(debian("11", "old"), vec![file("boot/", "")])),
            part_with("new", FIRST, small),
        ]);
        let seen = Seen::of(&[&image]);
        assert_eq!(seen.packages(), [package], "{:?}", seen.gaps());
        assert!(seen.mounts().contains(&"/boot disk.img:p1".to_owned()), "{:?}", seen.mounts());
        assert_eq!(seen.report["host"]["kernels"][0], "6.1.10-200.fc37.x86_64");
        assert_eq!(seen.gaps().len(), 1, "{:?}", seen.gaps());
    }
}

/// An old root volume that is attached as a data disk, each with a boot configuration of its own.
#[test]
fn an_old_root_on_a_data_disk_is_another_system() {
    let work = tempfile::tempdir().expect("a folder");
    let cfg = |id: &str| {
        let text = format!("set default=0\nmenuentry 'x' {{\n linux /vmlinuz root=UUID={id}\n}}\n");
        vec![file("boot/grub/grub.cfg", &text)]
    };
    let root = with(debian("12", "now"), cfg(FIRST[1]));
    let old = with(debian("10", "once"), cfg(SECOND[1]));
    let first = disk(work.path(), "first.img", &[part_with("root", FIRST, root)]);
    let second = disk(work.path(), "second.img", &[part_with("root", SECOND, old)]);
    let seen = Seen::of(&[&first, &second]);
    assert_eq!((seen.os(), seen.packages()), (("debian", "12"), vec!["now"]));
    let expected = "second.img:p1: another system, Debian GNU/Linux 10, was found on second.img:p1 and not scanned";
    assert_eq!(seen.gaps(), [expected]);
}

/// fstab mounts it, but nobody looks for packages there.
#[test]
fn another_system_is_a_gap_where_it_is_mounted_too() {
    let fstab = file("etc/fstab", "PARTLABEL=two /mnt ext4 defaults 0 2\n");
    let (_work, image) = made(&[
        part_with(
            "one",
            FIRST,
            with(debian("12", "first"), with(grub("0"), vec![fstab, file("mnt/", "")])),
        ),
        part_with("two", SECOND, debian("11", "second")),
    ]);
    let seen = Seen::of(&[&image]);
    assert_eq!(seen.mounts(), ["/ disk.img:p1", "/mnt disk.img:p2"]);
    assert_eq!(seen.gaps().len(), 1, "{:?}", seen.gaps());
    assert!(seen.gaps()[0].contains("another system, Debian GNU/Linux 11"));
}

#[test]
fn a_root_that_boot_names_and_is_not_there_is_a_gap() {
    let text =
        "menuentry 'x' {\n linux /vmlinuz root=UUID=99999999-0000-4000-8000-000000000009\n}\n";
    let (_work, image) = made(&[
        part("boot", vec![file("grub/grub.cfg", text)]),
        part_with("old", SECOND, debian("11", "old")),
    ]);
    let seen = Seen::of(&[&image]);
    assert_eq!((seen.code, seen.packages()), (3, vec!["old"]));
    let gaps = seen.gaps();
    let expected = "disk.img:p2: disk.img:p1/grub/grub.cfg starts the system on UUID=99999999-0000-4000-8000-000000000009, which is not among what could be read; this one was scanned instead";
    assert!(gaps.contains(&expected.to_owned()), "{gaps:?}");
}

#[test]
fn a_hostile_boot_configuration_ends_nothing() {
    let deep = "submenu 'x' {\n".repeat(40_000);
    let loops = "set a=\"${a}${a}\"\nmenuentry 'x' {\nlinux /v root=$a$b${c\n}\n".repeat(2000);
    let doubled: String = (1..5000).fold(String::new(), |text, at| {
        format!("{text}set v{at}=\"${{v{0}}}${{v{0}}}\"\n", at - 1)
    });
    let doubled = format!("set v0=xxxx\n{doubled}menuentry x {{\nlinux /v root=$v4999\n}}\n");
    for script in [
        deep,
        loops,
        doubled,
        "menuentry 'x' {\nlinux".to_owned(),
        "set default=9>9>9\n}}}}".to_owned(),
    ] {
        let (_work, image) = made(&[
            part_with(
                "one",
                FIRST,
                with(debian("12", "first"), vec![file("boot/grub/grub.cfg", &script)]),
            ),
            part("two", Vec::new()),
        ]);
        Seen::of(&[&image]).is_whole(&["first"]);
    }
}

/// The root says who it is only with its `/usr`; a folder for chroot on a data disk has more signs.
#[test]
fn a_root_that_its_own_fstab_names_comes_before_one_with_more_signs() {
    let fstab = "UUID=11111111-0000-4000-8000-000000000001 / ext4 defaults 0 1\nPARTLABEL=usr /usr ext4 defaults 0 2\nPARTLABEL=data /data ext4 defaults 0 2\n";
    let root = || {
        let mut root = debian("12", "good");
        root.retain(|(path, _)| !matches!(*path, "etc/debian_version" | "usr/bin/"));
        let link = file("etc/os-release", "-> ../usr/lib/os-release");
        with(root, vec![link, file("etc/fstab", fstab), file("usr/", ""), file("data/", "")])
    };
    let usr = || part("usr", vec![file("lib/os-release", "ID=debian\nVERSION_ID=12\n")]);
    let copy = || with(debian("11", "copy"), vec![file("usr/lib/os-release", "ID=debian\n")]);
    let (_work, image) = made(&[part("data", copy()), part_with("root", FIRST, root()), usr()]);
    let seen = Seen::of(&[&image]);
    assert_eq!((seen.os(), seen.packages()), (("debian", "12"), vec!["good"]));
    let told = "disk.img:p1: another system, Debian GNU/Linux 11, was found on disk.img:p1 and not scanned";
    assert_eq!(seen.gaps(), [told]);
    // Where a menu starts the other, this one is told.
    let copy = with(copy(), grub("osprober-2"));
    let (_work, image) =
        made(&[part_with("data", SECOND, copy), part_with("root", FIRST, root()), usr()]);
    let seen = Seen::of(&[&image]);
    let told = "disk.img:p2: another system, which does not say its name, was found on disk.img:p2 and not scanned";
    assert_eq!(seen.packages(), ["copy"]);
    assert!(seen.gaps().contains(&told.to_owned()), "{:?}", seen.gaps());
}
