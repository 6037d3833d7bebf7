//! Who a Windows host is: version and build, name, addresses, time zone.

use super::{Fields, Hive, SOFTWARE, SYSTEM, VERSION, find};
use crate::host::{Tree, addresses};
use crate::model::{Gap, GapReason, HostContext, Os};
use std::collections::BTreeSet;

/// The first build of Windows 11, which calls itself 10 in the registry.
const ELEVEN: u32 = 22000;
/// Network interfaces that are looked at; each adapter that ever was has one.
const MOST_INTERFACES: usize = 1000;

/// Problems that are listed.
const MOST_PROBLEMS: usize = 100;

/// Reads the hives into what is known of the host.
pub fn complete(tree: &Tree, context: &mut HostContext, gaps: &mut Vec<Gap>) {
    let mut found = Vec::new();
    read(tree, context, &mut found);
    let more = found.len().saturating_sub(MOST_PROBLEMS);
    gaps.extend(found.into_iter().take(MOST_PROBLEMS));
    if more > 0 {
        let detail = format!("{more} more problems that are not listed");
        gaps.push(Gap::new(SYSTEM, GapReason::Limit, detail));
    }
}

fn read(tree: &Tree, context: &mut HostContext, gaps: &mut Vec<Gap>) {
    if let Some(software) = open(tree, SOFTWARE, gaps) {
        if let Some(mut version) = software.fields_at(VERSION, gaps) {
            context.os = os(&mut version);
            gaps.extend(version.into_gaps());
        }
        context.machine_id = one(&software, "Microsoft\\Cryptography", "MachineGuid", gaps);
    }
    if let Some(system) = open(tree, SYSTEM, gaps) {
        let set = control_set(&system, gaps);
        context.hostname = hostname(&system, &set, gaps);
        context.ips = ips(&system, &set, gaps);
        let zone = format!("{set}\\Control\\TimeZoneInformation");
        context.timezone = one(&system, &zone, "TimeZoneKeyName", gaps)
            .or_else(|| one(&system, &zone, "StandardName", gaps));
    }
}

fn open(tree: &Tree, path: &str, gaps: &mut Vec<Gap>) -> Option<Hive> {
    let path = find(tree, path, gaps)?;
    Hive::open(tree, &path, gaps)
}

/// One text of a key.
fn one(hive: &Hive, path: &str, name: &str, gaps: &mut Vec<Gap>) -> Option<String> {
    let mut fields = hive.fields_at(path, gaps)?;
    let found = fields.text(name);
    gaps.extend(fields.into_gaps());
    found
}

/// `version_id` is the build and its revision: `19045.3803`.
fn os(version: &mut Fields) -> Os {
    let build = version.text("CurrentBuildNumber").or_else(|| version.text("CurrentBuild"));
    let build = build.unwrap_or_default();
    let release = version.text("DisplayVersion").or_else(|| version.text("ReleaseId"));
    let product = version.text("ProductName").unwrap_or_else(|| "Windows".to_owned());
    let mut pretty_name = product_name(&product, build.parse().unwrap_or_default());
    for more in [release.clone(), version.text("CSDVersion")].into_iter().flatten() {
        pretty_name = format!("{pretty_name} {more}");
    }
    if version.text("InstallationType").as_deref() == Some("Server Core") {
        pretty_name += " (Server Core)";
    }
    let version_id = match version.number("UBR") {
        Some(revision) if !build.is_empty() => format!("{build}.{revision}"),
        _ => build,
    };
    Os { id: "windows".to_owned(), version_id, codename: release, pretty_name, ..Os::default() }
}

fn product_name(product: &str, build: u32) -> String {
    match product.strip_prefix("Windows 10") {
        Some(rest) if build >= ELEVEN => format!("Windows 11{rest}"),
        _ => product.to_owned(),
    }
}

/// The control set that the system was started with.
fn control_set(system: &Hive, gaps: &mut Vec<Gap>) -> String {
    let mut select = system.fields_at("Select", gaps);
    let mut number = |name| select.as_mut().and_then(|select| select.number(name));
    let current = number("Current").or_else(|| number("Default")).unwrap_or(1);
    gaps.extend(select.into_iter().flat_map(Fields::into_gaps));
    format!("ControlSet{current:03}")
}

/// The name that the host answers to. That of NetBIOS is its first 15 letters in upper case; the whole
/// one stands beside the settings of the network.
fn hostname(system: &Hive, set: &str, gaps: &mut Vec<Gap>) -> Option<String> {
    let path = format!("{set}\\Control\\ComputerName\\ComputerName");
    let short = one(system, &path, "ComputerName", gaps);
    let path = format!("{set}\\Services\\Tcpip\\Parameters");
    let whole = one(system, &path, "NV Hostname", gaps);
    let Some(short) = short else { return whole };
    let is_whole = |whole: &String| {
        let start = whole.get(..short.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(&short))
    };
    Some(whole.filter(is_whole).unwrap_or(short))
}

/// Addresses of all interfaces, sorted: those that were set, or the last that a DHCP server gave.
fn ips(system: &Hive, set: &str, gaps: &mut Vec<Gap>) -> Vec<String> {
    let path = format!("{set}\\Services\\Tcpip\\Parameters\\Interfaces");
    let mut found = BTreeSet::new();
    let keys = system.subkeys(&path, gaps);
    if keys.len() > MOST_INTERFACES {
        let detail = format!("{} network interfaces; only {MOST_INTERFACES} were read", keys.len());
        gaps.push(Gap::new(system.place(), GapReason::Limit, detail));
    }
    for key in keys.iter().take(MOST_INTERFACES) {
        let mut fields = system.fields(key, &format!("{path}\\{}", key.name()));
        // What was set before stays in the other value.
        let names: &[&str] = match fields.number("EnableDHCP") {
            Some(0) => &["IPAddress"],
            Some(_) => &["DhcpIPAddress"],
            None => &["IPAddress", "DhcpIPAddress"],
        };
        let texts = names.iter().flat_map(|name| fields.texts(name));
        found.extend(texts.filter_map(|text| addresses::address(&text)));
        gaps.extend(fields.into_gaps());
    }
    found.into_iter().map(|address| address.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::product_name;

    #[test]
    fn windows_11_calls_itself_10() {
        assert_eq!(product_name("Windows 10 Pro", 22631), "Windows 11 Pro");
        assert_eq!(product_name("Windows 10 Pro", 19045), "Windows 10 Pro");
        let server = "Windows Server 2025 Datacenter";
        assert_eq!(product_name(server, 26100), server);
    }
}
