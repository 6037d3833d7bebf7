//! The layouts of distributions.

use super::{Seen, boot, disk, filesystem, host, installed, on, roots, state};

/// As Ubuntu's installer makes it, with timeshift, whose snapshots can be written to.
const UBUNTU: &str = r#"
    new @ @home; system @ ubuntu 24.04 old; echo mine > @home/file
    cat > @/etc/fstab <<END
UUID=$ID / btrfs defaults,subvol=@ 0 1
UUID=$ID /home btrfs defaults,subvol=@home 0 2
END
    mkdir -p @/boot/grub timeshift-btrfs/snapshots/2026-01-01
    printf "set default=0\nmenuentry 'Ubuntu' {\n linux /@/boot/vmlinuz root=UUID=$ID ro $FLAGS\n}\n" > @/boot/grub/grub.cfg
    snapshot @ timeshift-btrfs/snapshots/2026-01-01/@
    snapshot @home timeshift-btrfs/snapshots/2026-01-01/@home
    echo '{}' > timeshift-btrfs/snapshots/2026-01-01/info.json
    package @ good; rm -rf $WITHOUT
"#;

fn ubuntu(flags: &str, without: &str) -> String {
    format!("FLAGS='{flags}'; WITHOUT='{without}'\n{UBUNTU}")
}

#[test]
fn ubuntu_has_its_root_in_a_subvolume_that_boot_names() {
    if !test_material::root() {
        return;
    }
    // Without the name in the command line, or without grub, fstab names it.
    for (flags, without) in [
        ("rootflags=subvol=@", ""),
        ("", ""),
        ("", "@/boot/grub"),
        ("rootflags=subvol=@", "@/etc/fstab"),
    ] {
        let (_work, filesystem, image) = host(&ubuntu(flags, without));
        assert_eq!(installed(&filesystem, "subvol=@", "var/lib/dpkg/status"), "good");
        let seen = Seen::of(&[&image]);
        if without == "@/etc/fstab" {
            assert_eq!(seen.packages(), ["good"]);
            assert_eq!(seen.gaps().len(), 1, "{:?}", seen.gaps());
            assert!(
                seen.gaps()[0].starts_with("disk.img:p1/@home: a subvolume that nothing mounts")
            );
            continue;
        }
        seen.is_whole(&["good"]);
        assert_eq!(seen.os(), ("ubuntu", "24.04"));
        assert_eq!(roots(&seen), ["/ /@", "/home /@home"]);
        for (path, expected) in [
            ("@", "scanned /"),
            ("@home", "scanned /home"),
            ("timeshift-btrfs/snapshots/2026-01-01/@", "not_needed a snapshot of @"),
            ("timeshift-btrfs/snapshots/2026-01-01/@home", "not_needed a snapshot of @home"),
        ] {
            assert_eq!(state(&seen, "disk.img:p1", path), expected, "{path}");
        }
    }
}

/// Fedora: the subvolumes beside each other, `/boot` on ext4; and one below the root, as systemd
/// makes it.
const FEDORA: &str = r"
    new root home; system root fedora 40 good; echo mine > home/file
    mkdir -p root/var/lib; new root/var/lib/portables; echo x > root/var/lib/portables/x
    cat > root/etc/fstab <<END
UUID=$ID / btrfs subvol=root,compress=zstd:1 0 0
UUID=$ID /home btrfs subvol=home,compress=zstd:1 0 0
LABEL=boot /boot ext4 defaults 1 2
END
";

fn fedora(more: &str) -> String {
    format!("{FEDORA}{more}")
}

#[test]
fn fedora_has_its_boot_entries_on_another_filesystem() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let filesystem = filesystem(work.path(), "filesystem", &fedora(""));
    let image = disk(
        work.path(),
        "disk.img",
        &[boot(&filesystem, "rootflags=subvol=root"), on(&filesystem)],
    );
    assert_eq!(installed(&filesystem, "subvol=root", "var/lib/dpkg/status"), "good");
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(roots(&seen), ["/ /root", "/boot -", "/home /home"]);
    let portables = state(&seen, "disk.img:p2", "root/var/lib/portables");
    assert_eq!(portables, "scanned /var/lib/portables");
}

/// The newest subvolume is not the one that is started; what new entries are made from names it.
#[test]
fn a_rollback_is_what_the_boot_entry_names() {
    if !test_material::root() {
        return;
    }
    let more = "snapshot root before; package root new; package before old\n\
        mkdir -p root/etc/kernel; echo root=UUID=$ID rootflags=subvol=root > root/etc/kernel/cmdline\n\
        ID_OF=$(btrfs subvolume show before | sed -n 's/.*Subvolume ID:[[:space:]]*//p')\n\
        sed -i 's/subvol=root,/subvol=before,/' before/etc/fstab; echo $ID_OF > id";
    for by_number in [false, true] {
        let work = tempfile::tempdir().expect("a folder");
        let filesystem = filesystem(work.path(), "filesystem", &fedora(more));
        let id = super::shown(&filesystem, "subvolid=5", "id");
        let named =
            if by_number { format!("subvolid={}", id.trim()) } else { "subvol=before".into() };
        let parts = [boot(&filesystem, &format!("rootflags=rw,{named}")), on(&filesystem)];
        let image = disk(work.path(), "disk.img", &parts);
        let expected = installed(&filesystem, &named, "var/lib/dpkg/status");
        assert_eq!(expected, "old");
        let seen = Seen::of(&[&image]);
        assert_eq!(seen.packages(), [expected]);
        assert_eq!(roots(&seen)[0], "/ /before");
        assert_eq!(state(&seen, "disk.img:p2", "root"), "not_needed another state of before");
        let below = state(&seen, "disk.img:p2", "root/var/lib/portables");
        assert_eq!(below, "not_needed below root, which is not started");
        // The file `id` is at the top, beside the subvolumes.
        assert_eq!(seen.gaps().len(), 1, "{:?}", seen.gaps());
        assert!(seen.gaps()[0].starts_with("disk.img:p2: files beside its subvolumes"));
    }
}

#[test]
fn a_subvolume_that_boot_names_and_is_not_there_is_told() {
    if !test_material::root() {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let filesystem = filesystem(work.path(), "filesystem", &fedora(""));
    let image = disk(
        work.path(),
        "disk.img",
        &[boot(&filesystem, "rootflags=subvol=gone"), on(&filesystem)],
    );
    let seen = Seen::of(&[&image]);
    // That one is not on the same disk's other filesystem does not hide the one that is there.
    assert_eq!((seen.code, seen.packages()), (3, vec!["good"]));
    let told = format!(
        "starts the system on UUID={} with subvol=gone, which is not among",
        super::id(&filesystem)
    );
    assert!(seen.gaps().iter().any(|gap| gap.contains(&told)), "{:?}", seen.gaps());
}

/// openSUSE: the root is the default subvolume, a snapshot of snapper's, with grub inside it.
const SUSE: &str = r#"
    new @ @/.snapshots @/home @/var; mkdir @/.snapshots/1; new @/.snapshots/1/snapshot
    R=@/.snapshots/1/snapshot; system $R opensuse-leap 15.6 wrong
    mkdir -p $R/.snapshots $R/boot/grub2 @/var/lib; mv $R/var/lib/dpkg @/var/lib; package @ good
    cat > $R/etc/fstab <<END
UUID=$ID / btrfs defaults 0 0
UUID=$ID /var btrfs subvol=/@/var 0 0
UUID=$ID /home btrfs subvol=/@/home 0 0
UUID=$ID /.snapshots btrfs subvol=/@/.snapshots 0 0
END
    printf "set default=0\nmenuentry 'openSUSE' {\n linux /boot/vmlinuz root=UUID=$ID \n}\n" > $R/boot/grub2/grub.cfg
    echo 1 > $R/etc/state; default $R
    for n in 2 3 4; do mkdir @/.snapshots/$n; snapshot -r $R @/.snapshots/$n/snapshot; done
"#;

fn suse(more: &str) -> String {
    format!("{SUSE}{more}")
}

#[test]
fn opensuse_has_its_root_in_the_default_subvolume() {
    if !test_material::root() {
        return;
    }
    let (_work, filesystem, image) = host(&suse(""));
    assert_eq!(installed(&filesystem, "subvol=@/var", "lib/dpkg/status"), "good");
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.os(), ("opensuse-leap", "15.6"));
    let expected =
        ["/ /@/.snapshots/1/snapshot", "/.snapshots /@/.snapshots", "/home /@/home", "/var /@/var"];
    assert_eq!(roots(&seen), expected);
    let expected = "not_needed a snapshot of @/.snapshots/1/snapshot";
    assert_eq!(state(&seen, "disk.img:p1", "@/.snapshots/2/snapshot"), expected);
    assert_eq!(state(&seen, "disk.img:p1", "@"), "not_needed it holds no files");
}

/// After `snapper rollback` the default is a snapshot of a snapshot, and what is between them may be
/// deleted in time.
#[test]
fn opensuse_after_a_rollback() {
    if !test_material::root() {
        return;
    }
    let rollback = "mkdir @/.snapshots/5; snapshot @/.snapshots/4/snapshot @/.snapshots/5/snapshot\n\
        default @/.snapshots/5/snapshot; echo 5 > @/.snapshots/5/snapshot/etc/hostname\n";
    for more in ["", "btrfs -q subvolume delete -c @/.snapshots/4/snapshot\n"] {
        let (_work, filesystem, image) = host(&suse(&format!("{rollback}{more}")));
        let hostname = super::shown(&filesystem, "", "etc/hostname");
        let seen = Seen::of(&[&image]);
        seen.is_whole(&["good"]);
        assert_eq!(seen.report["host"]["hostname"], hostname.trim());
        assert_eq!(roots(&seen)[0], "/ /@/.snapshots/5/snapshot");
        let first = state(&seen, "disk.img:p1", "@/.snapshots/1/snapshot");
        assert_eq!(first, "not_needed another state of @/.snapshots/5/snapshot");
    }
}

/// Fedora's atomic desktops: deployments in a subvolume.
#[test]
fn a_deployment_in_a_subvolume() {
    if !test_material::root() {
        return;
    }
    let script = r#"
        new root home var; D=root/ostree/deploy/fedora
        mkdir -p $D/deploy $D/var root/ostree/boot.1/fedora/ab
        for it in 40:aa.0 39:bb.0; do
            F=$D/deploy/${it#*:}; system $F fedora ${it%:*} wrong; mkdir $F/sysroot
            for at in /:root /var:var /home:home; do
                echo "UUID=$ID ${at%:*} btrfs subvol=${at#*:} 0 0" >> $F/etc/fstab
            done
        done
        mkdir -p var/lib/dpkg; sed 's/wrong/good/' $F/var/lib/dpkg/status > var/lib/dpkg/status
        ln -s ../../../deploy/fedora/deploy/aa.0 root/ostree/boot.1/fedora/ab/0
        ln -s ../../../deploy/fedora/deploy/bb.0 root/ostree/boot.1/fedora/ab/1
    "#;
    for (serial, version) in [("0", "40"), ("1", "39")] {
        let work = tempfile::tempdir().expect("a folder");
        let filesystem = filesystem(work.path(), "filesystem", script);
        let options = format!("rootflags=subvol=root ostree=/ostree/boot.1/fedora/ab/{serial}");
        let image = disk(work.path(), "disk.img", &[boot(&filesystem, &options), on(&filesystem)]);
        let seen = Seen::of(&[&image]);
        seen.is_whole(&["good"]);
        assert_eq!(seen.os(), ("fedora", version));
        let deployment = if serial == "0" { "aa.0" } else { "bb.0" };
        assert_eq!(roots(&seen)[0], format!("/ /root/ostree/deploy/fedora/deploy/{deployment}"));
        assert!(roots(&seen).contains(&"/sysroot /root".to_owned()), "{:?}", roots(&seen));
        assert!(roots(&seen).contains(&"/var /var".to_owned()), "{:?}", roots(&seen));
    }
}
