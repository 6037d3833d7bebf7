//! IP addresses that a disk knows: static configuration and DHCP leases.
//!
//! Each kind of file is a row in [`SOURCES`]: the folder, the name's ending, and how a line gives
//! an address. Loopback, link-local and unspecified addresses are left out.

use super::{Tree, identity};
use crate::model::{Gap, GapReason};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Most files of one folder that are read.
const MOST_FILES: usize = 1000;

type Extract = fn(&str) -> Vec<&str>;

struct Source {
    folder: &'static str,
    prefix: &'static str,
    suffix: &'static str,
    extract: Extract,
}

const fn source(
    folder: &'static str,
    prefix: &'static str,
    suffix: &'static str,
    extract: Extract,
) -> Source {
    Source { folder, prefix, suffix, extract }
}

const SOURCES: &[Source] = &[
    source("/etc/netplan", "", ".yaml", netplan),
    source("/etc/network", "interfaces", "interfaces", ifupdown),
    source("/etc/network/interfaces.d", "", "", ifupdown),
    source("/etc/sysconfig/network-scripts", "ifcfg-", "", ifcfg),
    source("/etc/NetworkManager/system-connections", "", "", network_manager),
    source("/etc/systemd/network", "", ".network", networkd),
    source("/var/lib/dhcp", "", ".leases", dhclient),
    source("/var/lib/dhclient", "", ".leases", dhclient),
    source("/var/lib/NetworkManager", "", ".lease", lease_assignments),
];

/// The folders that are looked through.
pub(super) fn folders() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.folder)
}

/// All addresses, sorted.
pub fn find(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<String> {
    let mut found = BTreeSet::new();
    let parts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            SOURCES.iter().map(|source| scope.spawn(|| read_source(tree, source))).collect();
        let ends = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    for (addresses, more) in parts {
        found.extend(addresses);
        gaps.extend(more);
    }
    found.into_iter().map(|address| address.to_string()).collect()
}

fn read_source(tree: &Tree, source: &Source) -> (Vec<IpAddr>, Vec<Gap>) {
    let (mut addresses, mut gaps) = (Vec::new(), Vec::new());
    let (prefix, suffix) = (source.prefix.as_bytes(), source.suffix.as_bytes());
    let mut entries = tree.list(source.folder.as_bytes(), &mut gaps);
    entries.retain(|entry| entry.name.starts_with(prefix) && entry.name.ends_with(suffix));
    if entries.len() > MOST_FILES {
        let detail = format!("{} files; only the first {MOST_FILES} were read", entries.len());
        gaps.push(Gap::new(source.folder, GapReason::Limit, detail));
    }
    for entry in entries.iter().take(MOST_FILES) {
        let path = [source.folder.as_bytes(), b"/", &entry.name].concat();
        let text = identity::text(tree, path, &mut gaps).unwrap_or_default();
        addresses.extend((source.extract)(&text).into_iter().filter_map(address));
    }
    (addresses, gaps)
}

/// An address that tells hosts apart, without its prefix length.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim().trim_matches(['"', '\'']).split(['/', ',', ';']).next()?;
    let address: IpAddr = bare.trim().parse().ok()?;
    let local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    (!local && !address.is_loopback() && !address.is_unspecified()).then_some(address)
}

fn ifupdown(text: &str) -> Vec<&str> {
    lines_after(text, &["address"])
}

fn ifcfg(text: &str) -> Vec<&str> {
    keyed(text, |key| key == "IPV6ADDR" || key.starts_with("IPADDR"))
}

fn networkd(text: &str) -> Vec<&str> {
    keyed(text, |key| key == "Address")
}

fn lease_assignments(text: &str) -> Vec<&str> {
    keyed(text, |key| key == "ADDRESS")
}

/// `address1=10.0.0.5/24,10.0.0.1`, but not `addr-gen-mode=…`.
fn network_manager(text: &str) -> Vec<&str> {
    keyed(text, |key| {
        key.strip_prefix("address").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn dhclient(text: &str) -> Vec<&str> {
    lines_after(text, &["fixed-address", "iaaddr"])
        .into_iter()
        .map(|rest| rest.trim_end_matches([';', '{', ' ']))
        .collect()
}

/// What follows one of these words and white space.
fn lines_after<'a>(text: &'a str, words: &[&str]) -> Vec<&'a str> {
    text.lines()
        .filter_map(|line| line.trim_start().split_once([' ', '\t']))
        .filter(|(word, _)| words.contains(word))
        .map(|(_, rest)| rest)
        .collect()
}

fn keyed(text: &str, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .filter(|(key, _)| wanted(key.trim()))
        .map(|(_, value)| value)
        .collect()
}

/// Addresses under `addresses:`, in either YAML writing, but not those of name servers.
fn netplan(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut within, mut foreign) = (None, None);
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let indent = line.len() - line.trim_start().len();
        let body = line.trim();
        if body.is_empty() {
            continue;
        }
        let ends = |start: Option<usize>| {
            start.filter(|start| indent > *start || (indent == *start && body.starts_with('-')))
        };
        (within, foreign) = (ends(within), ends(foreign));
        let item = body.strip_prefix('-').map_or(body, str::trim);
        if matches!(item.split(':').next(), Some("nameservers" | "routes" | "routing-policy")) {
            foreign = Some(indent);
        }
        if foreign.is_some() {
            continue;
        }
        if let Some(rest) = item.strip_prefix("addresses:") {
            within = Some(indent);
            found.extend(rest.trim().trim_matches(['[', ']']).split(','));
        } else if within.is_some() {
            found.push(item.trim_end_matches(':'));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(extract: Extract, text: &str, expected: &[&str]) {
        let found: Vec<_> =
            extract(text).into_iter().filter_map(address).map(|a| a.to_string()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn netplan_both_writings_without_name_servers() {
        let text = "network:\n  ethernets:\n    ens5:\n      addresses:\n        - 10.0.1.5/24\n        - \"2001:db8::5/64\"\n      nameservers:\n        addresses: [1.1.1.1]\n    ens6:\n      addresses: [10.0.2.5/24, 10.0.2.6/24]\n      nameservers:\n          addresses:\n          - 8.8.8.8\n";
        check(netplan, text, &["10.0.1.5", "2001:db8::5", "10.0.2.5", "10.0.2.6"]);
    }

    #[test]
    fn leases_and_static_files() {
        check(dhclient, "lease {\n  fixed-address 172.31.4.9;\n}\n", &["172.31.4.9"]);
        check(dhclient, "  iaaddr 2001:db8::9 {\n", &["2001:db8::9"]);
        check(
            ifupdown,
            "iface lo inet loopback\n  address 127.0.0.1\niface eth0\n\taddress 10.1.1.1/24\niface eth1\n\taddress\t 10.1.1.2\n",
            &["10.1.1.1", "10.1.1.2"],
        );
        check(
            ifcfg,
            "IPADDR0=10.2.2.2\nIPV6ADDR=\"2001:db8::2/64\"\nGATEWAY=10.2.2.1\n",
            &["10.2.2.2", "2001:db8::2"],
        );
        check(network_manager, "addr-gen-mode=1\naddress1=10.3.3.3/24,10.3.3.1\n", &["10.3.3.3"]);
        check(networkd, "[Network]\nAddress=10.4.4.4/16\nAddress=fe80::1/64\n", &["10.4.4.4"]);
    }
}
