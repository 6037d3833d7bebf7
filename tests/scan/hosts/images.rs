//! Hosts that are made from images: ostree deployments, and systems that are kept twice.

mod formats;

use super::{Content, LINUX, MIB, Part, Seen, debian, disk, file, part, part_with, status, with};
use crate::support::tool;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Attribute bits of a partition.
type Bits = &'static [u32];

const OLD: &str = "0a11aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.0";
const NEW: &str = "0b22bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.0";

/// As Fedora CoreOS has it: `/boot` with one entry for each deployment, and the deployments, `/var`
/// beside them. dpkg's status stands for the package database in each place.
fn coreos(entries: &[(&'static str, &str)]) -> Vec<Part> {
    let entry = |(path, text): &(&'static str, &str)| file(path, text);
    let mut boot: Vec<_> = entries.iter().map(entry).collect();
    boot.extend([
        file("loader", "-> loader.1"),
        file("boot", "-> ."),
        file(
            "grub2/grub.cfg",
            "set default=0\nif [ -f x ]; then\nset ignition_firstboot=\nfi\nblscfg\n",
        ),
    ]);
    let mut root = vec![
        file("ostree/boot.1", "-> boot.1.1"),
        file("boot/", ""),
        file("ostree/repo/config", "[core]\n"),
        status("ostree/deploy/fedora-coreos/var/lib/dpkg/status", "good"),
        // What the filesystem itself has there is not the host's.
        file("etc/os-release", "ID=wrong\nVERSION_ID=0\n"),
        status("var/lib/dpkg/status", "wrong"),
    ];
    for (serial, deployment, version) in [("0", NEW, "43"), ("1", OLD, "42")] {
        root.extend(self::deployment(serial, deployment, version));
    }
    vec![part_with("boot", &["-L", "boot"], boot), part_with("root", &["-L", "root"], root)]
}

fn deployment(serial: &str, name: &str, version: &str) -> Vec<(&'static str, String)> {
    let fixed = |path: String| -> &'static str { Box::leak(path.into_boxed_str()) };
    let folder = format!("ostree/deploy/fedora-coreos/deploy/{name}");
    let link = format!("ostree/boot.1.1/fedora-coreos/abcd/{serial}");
    let target = format!("-> ../../../deploy/fedora-coreos/deploy/{name}");
    let release = format!("ID=fedora\nVERSION_ID={version}\n");
    vec![
        (fixed(link), target),
        (fixed(format!("{folder}.origin")), "[origin]\n".to_owned()),
        (fixed(format!("{folder}/usr/lib/os-release")), release),
        (fixed(format!("{folder}/etc/os-release")), "-> ../usr/lib/os-release".to_owned()),
        (fixed(format!("{folder}/etc/hostname")), format!("fcos-{version}\n")),
        (fixed(format!("{folder}/var/")), String::new()),
        (fixed(format!("{folder}/sysroot/")), String::new()),
        (fixed(format!("{folder}/boot/")), String::new()),
    ]
}

const FIRST_ENTRY: (&str, &str) = (
    "loader.1/entries/ostree-1.conf",
    "title Fedora CoreOS 42 (ostree:1)\nversion 1\noptions rw ostree=/ostree/boot.1/fedora-coreos/abcd/1 root=LABEL=root\nlinux /ostree/x\n",
);
const SECOND_ENTRY: (&str, &str) = (
    "loader.1/entries/ostree-2.conf",
    "title Fedora CoreOS 43 (ostree:0)\nversion 2\noptions rw $ignition_firstboot ostree=/ostree/boot.1/fedora-coreos/abcd/0 root=LABEL=root\nlinux /ostree/x\n",
);

#[test]
fn the_deployment_of_the_newest_entry_is_the_root() {
    let work = tempfile::tempdir().expect("a folder");
    let image = disk(work.path(), "disk.img", &coreos(&[FIRST_ENTRY, SECOND_ENTRY]));
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.os(), ("fedora", "43"));
    assert_eq!(seen.report["host"]["hostname"], "fcos-43");
    let expected =
        ["/ disk.img:p2", "/boot disk.img:p1", "/sysroot disk.img:p2", "/var disk.img:p2"];
    assert_eq!(seen.mounts(), expected);
    let root = format!("/ostree/deploy/fedora-coreos/deploy/{NEW}");
    assert_eq!(seen.report["host"]["mounts"][0]["root"], root);
    let (state, detail) = seen.part("disk.img:p2");
    assert_eq!(state, "scanned");
    assert!(detail.starts_with("other deployments, not scanned: ") && detail.contains(OLD));
}

#[test]
fn an_entry_that_is_the_only_one_names_the_older_deployment() {
    let work = tempfile::tempdir().expect("a folder");
    let image = disk(work.path(), "disk.img", &coreos(&[FIRST_ENTRY]));
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.os(), ("fedora", "42"));
}

#[test]
fn without_an_entry_it_is_told_that_nobody_knows() {
    let work = tempfile::tempdir().expect("a folder");
    let parts = coreos(&[]);
    let image = disk(work.path(), "disk.img", &parts[1..]);
    let seen = Seen::of(&[&image]);
    assert_eq!((seen.code, seen.packages()), (3, vec!["good"]));
    assert!(seen.gaps()[0].contains("which of 2 deployments is started"), "{:?}", seen.gaps());
}

/// With composefs the folder may be left out; then the system is in an image.
#[test]
fn a_deployment_without_files_is_a_gap() {
    let work = tempfile::tempdir().expect("a folder");
    let folder = "ostree/deploy/fedora-coreos/deploy/0c33.0/.ostree.cfs";
    let image = disk(work.path(), "disk.img", &[part("root", vec![file(folder, "image")])]);
    let seen = Seen::of(&[&image]);
    assert_eq!(seen.code, 3);
    let told = "disk.img:p1/ostree/deploy/fedora-coreos/deploy/0c33.0: a deployment whose folder holds no system";
    assert!(seen.gaps().iter().any(|gap| gap.starts_with(told)), "{:?}", seen.gaps());
}

const BOOT: &str = "6b636168-7420-6568-2070-6c616e657421";
const ROOT: &str = "5526016a-1a97-4ea4-b39a-b7c8c6ca4502";
const HASH: &str = "598f10af-c955-4456-6a99-7720068a6cea";
const RESERVED: &str = "0c5d99a5-d331-4147-baef-08e2b855bdc9";
const PRIVATE: &str = "440408bb-eb0b-4328-a6e5-a29038fad706";
const DATA: &str = "626f7474-6c65-6474-6861-726d61726b73";

/// The units are Bottlerocket's own, shortened; the links to them are made at boot.
fn bottlerocket_root(version: &str) -> Vec<(&'static str, String)> {
    let unit = |what: &str, place: &str, rest: &str| {
        format!(
            "[Unit]\nBefore=local-fs.target\n[Mount]\nWhat={what}\nWhere={place}\n{rest}\n[Install]\nWantedBy=local-fs.target\n"
        )
    };
    let label = "/dev/disk/by-partlabel/";
    let release = format!(
        "ID=bottlerocket\nVERSION_ID={version}\nPRETTY_NAME=\"Bottlerocket OS {version}\"\n"
    );
    vec![
        file("usr/lib/os-release", &release),
        file(
            "usr/lib/systemd/system/local.mount",
            &unit(&format!("{label}BOTTLEROCKET-DATA"), "/local", "Type=ext4"),
        ),
        file(
            "usr/lib/systemd/system/var.mount",
            &unit("/local/var", "/var", "Type=none\nOptions=bind"),
        ),
        file(
            "usr/lib/systemd/system/opt.mount",
            &unit("/local/opt", "/opt", "Type=none\nOptions=bind"),
        ),
        file(
            "usr/lib/systemd/system/var-lib-bottlerocket.mount",
            &unit(&format!("{label}BOTTLEROCKET-PRIVATE"), "/var/lib/bottlerocket", "Type=ext4"),
        ),
        file("usr/lib/systemd/system/etc-cni.mount", &unit("tmpfs", "/etc/cni", "Type=tmpfs")),
        file("local/", ""),
        file("var/", ""),
        file("opt/", ""),
        file("boot/", ""),
        file("etc/", ""),
    ]
}

/// The set of partitions that has the letter, its boot partition with these bits.
fn set(letter: [&'static str; 4], bits: &'static [u32], version: &str) -> Vec<Part> {
    let kinds = [BOOT, ROOT, HASH, RESERVED];
    let contents = [
        Content::Ext4(
            vec![
                file("grub/grub.cfg", ""),
                file(if version == "1.20" { "vmlinuz-6.1.1" } else { "vmlinuz-5.1.1" }, ""),
            ],
            &[],
        ),
        Content::Ext4(bottlerocket_root(version), &[]),
        Content::Noise,
        Content::Blank,
    ];
    let parts = letter.into_iter().zip(kinds).zip(contents);
    parts
        .map(|((label, kind), content)| {
            let bits = if kind == BOOT { bits } else { &[] };
            Part { label, kind, bits, mib: 2, content }
        })
        .collect()
}

const A: [&str; 4] = [
    "BOTTLEROCKET-BOOT-A",
    "BOTTLEROCKET-ROOT-A",
    "BOTTLEROCKET-HASH-A",
    "BOTTLEROCKET-RESERVED-A",
];
const B: [&str; 4] = [
    "BOTTLEROCKET-BOOT-B",
    "BOTTLEROCKET-ROOT-B",
    "BOTTLEROCKET-HASH-B",
    "BOTTLEROCKET-RESERVED-B",
];

fn bottlerocket(work: &Path, a: &'static [u32], b: &'static [u32]) -> PathBuf {
    let mut parts = set(A, a, "1.19");
    parts.extend(set(B, b, "1.20"));
    let private = vec![file("datastore/current/x", "")];
    parts.push(Part { kind: PRIVATE, ..part("BOTTLEROCKET-PRIVATE", private) });
    disk(work, "os.img", &parts)
}

fn data() -> Vec<(&'static str, String)> {
    vec![
        status("var/lib/dpkg/status", "good"),
        file("var/lib/bottlerocket/", ""),
        file("opt/app/run", ""),
    ]
}

#[test]
fn bottlerocket_starts_the_set_of_the_higher_priority() {
    let work = tempfile::tempdir().expect("a folder");
    let second =
        disk(work.path(), "data.img", &[Part { kind: DATA, ..part("BOTTLEROCKET-DATA", data()) }]);
    // A: priority 1, successful. B: priority 2, successful, or one try left, or none.
    let cases: [(Bits, &str, [&str; 2], [&str; 2]); 3] = [
        (&[49, 56], "1.20", ["os.img:p5", "os.img:p6"], ["os.img:p1", "os.img:p2"]),
        (&[49, 52], "1.20", ["os.img:p5", "os.img:p6"], ["os.img:p1", "os.img:p2"]),
        (&[49], "1.19", ["os.img:p1", "os.img:p2"], ["os.img:p5", "os.img:p6"]),
    ];
    for (b, version, active, other) in cases {
        let first = bottlerocket(work.path(), &[48, 56], b);
        let seen = Seen::of(&[&first, &second]);
        seen.is_whole(&["good"]);
        assert_eq!(seen.os(), ("bottlerocket", version));
        let [boot, root] = active;
        let expected = [
            format!("/ {root}"),
            format!("/boot {boot}"),
            "/local data.img:p1".to_owned(),
            "/var/lib/bottlerocket os.img:p9".to_owned(),
        ];
        assert_eq!(seen.mounts(), expected);
        for part in other {
            let (state, detail) = seen.part(part);
            assert_eq!(state, "not_needed", "{part}");
            assert!(detail.contains("kept twice"), "{part}: {detail}");
        }
        assert_eq!(seen.part("os.img:p3"), ("not_needed", "dm-verity"));
        assert_eq!(seen.part("os.img:p4"), ("not_needed", "blank"));
    }
}

/// The data disk has XFS on newer releases; it is filled by mkfs.xfs from a list.
#[test]
fn bottlerocket_with_data_on_xfs() {
    let work = tempfile::tempdir().expect("a folder");
    let status_file = work.path().join("status");
    fs::write(&status_file, status("", "good").1).expect("written");
    let list = work.path().join("list");
    let text = format!(
        "/\n0 0\nd--755 0 0\nvar d--755 0 0\nlib d--755 0 0\nbottlerocket d--755 0 0\n$\ndpkg d--755 0 0\nstatus ---644 0 0 {}\n$\n$\n$\nopt d--755 0 0\n$\n$\n",
        status_file.display()
    );
    fs::write(&list, text).expect("written");
    let xfs = work.path().join("xfs");
    File::create(&xfs).expect("made").set_len(320 * MIB).expect("grown");
    tool("mkfs.xfs", &["-q", "-p", list.to_str().expect("UTF-8"), xfs.to_str().expect("UTF-8")]);
    let content = Content::Image(xfs);
    let data = Part { label: "BOTTLEROCKET-DATA", kind: DATA, bits: &[], mib: 320, content };
    let second = disk(work.path(), "data.img", &[data]);
    let first = bottlerocket(work.path(), &[48, 56], &[]);
    let seen = Seen::of(&[&second, &first]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.os(), ("bottlerocket", "1.19"));
}

const USR: &str = "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6";
const RESIZE: &str = "3884dd41-8582-4404-b9a8-e9b84f2df50e";

fn flatcar(a: &'static [u32], b: &'static [u32]) -> Vec<Part> {
    let usr = |version: &str| {
        vec![
            file("lib/os-release", &format!("ID=flatcar\nVERSION_ID={version}\n")),
            file(
                "lib/systemd/system/oem.mount",
                "[Mount]\nWhat=/dev/disk/by-label/OEM\nWhere=/oem\nType=ext4\n",
            ),
        ]
    };
    let root = vec![
        file("etc/hostname", "flat\n"),
        file("usr/", ""),
        file("oem/", ""),
        status("var/lib/dpkg/status", "good"),
    ];
    vec![
        Part { kind: USR, bits: a, ..part("USR-A", usr("3975.2.0")) },
        Part { kind: USR, bits: b, ..part("USR-B", usr("4081.2.0")) },
        part_with("OEM", &["-L", "OEM"], vec![file("grub.cfg", "# oem\n")]),
        Part { kind: RESIZE, ..part_with("ROOT", &["-L", "ROOT"], root) },
    ]
}

#[test]
fn flatcar_has_the_usr_of_the_higher_priority() {
    let cases: [(Bits, Bits, &str, &str, &str); 2] = [
        (&[48, 56], &[], "3975.2.0", "disk.img:p1", "disk.img:p2"),
        (&[48, 56], &[49, 52], "4081.2.0", "disk.img:p2", "disk.img:p1"),
    ];
    for (a, b, version, usr, other) in cases {
        let work = tempfile::tempdir().expect("a folder");
        let image = disk(work.path(), "disk.img", &flatcar(a, b));
        let seen = Seen::of(&[&image]);
        seen.is_whole(&["good"]);
        assert_eq!(seen.os(), ("flatcar", version));
        assert_eq!(seen.report["host"]["hostname"], "flat");
        let expected =
            ["/ disk.img:p4".to_owned(), "/oem disk.img:p3".to_owned(), format!("/usr {usr}")];
        assert_eq!(seen.mounts(), expected);
        assert_eq!(seen.part(other).0, "not_needed");
    }
}

/// On the first boot the other half is blank.
#[test]
fn flatcar_with_an_other_half_that_is_blank() {
    let work = tempfile::tempdir().expect("a folder");
    let mut parts = flatcar(&[48, 56], &[]);
    parts[1].content = Content::Blank;
    let image = disk(work.path(), "disk.img", &parts);
    let seen = Seen::of(&[&image]);
    seen.is_whole(&["good"]);
    assert_eq!(seen.os().1, "3975.2.0");
}

const KERNEL: &str = "fe3a2a5d-4f32-41a7-b725-accc3285a309";
const CHROME_ROOT: &str = "3cb8e202-3b7e-47dd-8a3c-7ff2a13cfcec";

/// As Container-Optimized OS: the bits are those of the kernels' partitions.
#[test]
fn of_two_roots_the_kernel_of_the_higher_priority_names_one() {
    let kernel = |label, bits| Part { label, kind: KERNEL, bits, mib: 2, content: Content::Noise };
    let root = |label, version, package| Part {
        kind: CHROME_ROOT,
        ..part(label, debian(version, package))
    };
    let cases: [(Bits, Bits, &str); 3] = [
        (&[48, 56], &[49, 56], "second"),
        (&[49, 56], &[48, 56], "first"),
        (&[48, 56], &[48, 56], "first"),
    ];
    for (a, b, package) in cases {
        let work = tempfile::tempdir().expect("a folder");
        let stateful = with(vec![], vec![file("var_overlay/x", "")]);
        let parts = [
            kernel("KERN-A", a),
            root("ROOT-A", "1", "first"),
            kernel("KERN-B", b),
            root("ROOT-B", "2", "second"),
            Part { kind: LINUX, ..part("STATE", stateful) },
        ];
        let image = disk(work.path(), "disk.img", &parts);
        let seen = Seen::of(&[&image]);
        assert_eq!(seen.packages(), [package]);
        let gaps = seen.gaps();
        assert!(gaps.len() == 1 && gaps[0].starts_with("disk.img:p5: "), "{gaps:?}");
        assert_eq!(seen.part("disk.img:p1"), ("not_needed", "kernel"));
    }
}
