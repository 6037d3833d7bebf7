//! The texts that say how a host starts and what it mounts, and who it is: `grub.cfg`, `grubenv`,
//! entries of the Boot Loader Specification, kernel command lines, fstab, mount units, os-release,
//! network configuration.
//!
//! An input is one or several of them with a byte 0xff between: a byte that says which it is, then
//! its text. Those for which [`PLACES`] has a folder begin with a line that is the file's name.

#![no_main]

#[path = "support/memory.rs"]
mod memory;

use libfuzzer_sys::fuzz_target;
use memory::Memory;
use sidelight::host::{Found, identify, join};
use std::sync::Arc;

/// Where each kind of text goes; the letters are those of the seeds.
const PLACES: &[(u8, &str)] = &[
    (b'g', "/boot/grub/grub.cfg"),
    (b'e', "/boot/grub/grubenv"),
    (b'b', "/boot/loader/entries/"),
    (b'l', "/boot/loader/loader.conf"),
    (b'c', "/etc/kernel/cmdline"),
    (b'd', "/etc/default/grub"),
    (b'f', "/etc/fstab"),
    (b'u', "/etc/systemd/system/"),
    (b'w', "/etc/systemd/system/local-fs.target.wants/"),
    (b'p', "/etc/systemd/system/srv-data.mount.d/"),
    (b'v', "/usr/lib/systemd/system/"),
];
/// Of who the host is; these need the root only.
const IDENTITY: &[(u8, &str)] = &[
    (b'o', "/etc/os-release"),
    (b'r', "/etc/redhat-release"),
    (b'h', "/etc/hostname"),
    (b's', "/etc/sysconfig/network"),
    (b'n', "/etc/netplan/a.yaml"),
    (b'i', "/etc/network/interfaces"),
    (b'y', "/etc/sysconfig/network-scripts/ifcfg-a"),
    (b'm', "/etc/NetworkManager/system-connections/a"),
    (b'k', "/etc/systemd/network/a.network"),
    (b't', "/var/lib/dhcp/a.leases"),
];
/// Gaps of so few texts.
const MOST_GAPS: usize = 20_000;

fuzz_target!(|data: &[u8]| {
    let mut root = Memory::new("root", "11111111-1111-1111-1111-111111111111");
    for path in ["/var/lib/dpkg/status", "/etc/passwd", "/etc/fstab", "/etc/debian_version"] {
        root.put(path.as_bytes(), b"");
    }
    let mut asks_who = false;
    for text in data.split(|byte| *byte == 0xff) {
        let Some((kind, text)) = text.split_first() else { continue };
        let known = |places: &[(u8, &'static str)]| {
            places.iter().find(|place| place.0 == *kind).map(|place| place.1)
        };
        asks_who |= known(IDENTITY).is_some();
        let Some(place) = known(PLACES).or_else(|| known(IDENTITY)) else { continue };
        put(&mut root, place, text);
    }
    let mut other = Memory::new("data", "22222222-2222-2222-2222-222222222222");
    other.put(b"/lib/file", b"");
    let mut gaps = Vec::new();
    let joined = join(&[found(root, 0), found(other, 1)], &mut gaps);
    assert!(gaps.len() < MOST_GAPS);
    let Some(tree) = joined.tree else { return };
    if asks_who {
        let context = identify(&tree, &mut gaps);
        assert!(context.ips.iter().all(|ip| ip.parse::<std::net::IpAddr>().is_ok()));
    }
});

fn put(root: &mut Memory, place: &str, text: &[u8]) {
    if !place.ends_with('/') {
        return root.put(place.as_bytes(), text);
    }
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (name, text) = text.split_at(end);
    if !name.is_empty() && name.len() < 256 && !name.contains(&b'/') && !name.contains(&0) {
        root.put(&[place.as_bytes(), name].concat(), text);
    }
}

fn found(filesystem: Memory, part: usize) -> Found {
    Found {
        device: format!("disk:{}", part + 1),
        part,
        disk: 0,
        names: vec!["vg/data".to_owned()],
        partition: Some(part as u32 + 1),
        part_label: None,
        part_uuid: Some(format!("{part}0000000-0000-0000-0000-000000000000")),
        part_kind: None,
        part_attributes: 0,
        filesystem: Some(Arc::new(filesystem)),
        kind: "ext4".to_owned(),
        optional: false,
    }
}
