//! What is known of the host and of the scan, as properties of the document.

use crate::model::ScanReport;
use cyclonedx_bom::models::property::Property;

/// A property of ours.
pub(super) fn property(name: &str, value: &str) -> Property {
    Property::new(format!("sidelight:{name}"), value)
}

/// The host's identity, its mounts, what the cloud says of it, and the gaps.
pub(super) fn properties(report: &ScanReport) -> Vec<Property> {
    let host = &report.host;
    let mut context = Vec::new();
    let mut add = |name: &str, value: &str| context.push(property(name, value));
    host.hostname.iter().for_each(|name| add("hostname", name));
    host.machine_id.iter().for_each(|id| add("machine_id", id));
    host.os.codename.iter().for_each(|name| add("os:codename", name));
    // How many days are left would make two documents of one disk differ.
    if let Some(end) = &host.end_of_life {
        add("os:end_of_life", &end.date);
        if let Some(it) = &end.extended {
            add(&format!("os:end_of_life:{}", it.name), &it.date);
        }
    }
    if let Some(access) = &host.mandatory_access {
        add("mandatory_access", &format!("{}: {}", access.system, access.mode.as_str()));
    }
    if let Some(left) = &host.cloud_init {
        left.instance_id.iter().for_each(|id| add("cloud_init:instance_id", id));
        left.datasource.iter().for_each(|name| add("cloud_init:datasource", name));
    }
    host.ips.iter().for_each(|address| add("ip", address));
    host.kernels.iter().for_each(|kernel| add("kernel", kernel));
    host.running_kernel.iter().for_each(|kernel| add("running_kernel", &kernel.version));
    host.next_kernel.iter().for_each(|kernel| add("next_kernel", &kernel.version));
    for mount in &host.mounts {
        add(&format!("mount:{}", mount.path), &format!("{} on {}", mount.filesystem, mount.device));
    }
    let cloud = &host.cloud;
    for (name, value) in [
        ("account", &cloud.account),
        ("account_alias", &cloud.account_alias),
        ("region", &cloud.region),
        ("availability_zone", &cloud.availability_zone),
        ("instance_id", &cloud.instance_id),
        ("instance_name", &cloud.instance_name),
        ("instance_type", &cloud.instance_type),
        ("architecture", &cloud.architecture),
        ("image_id", &cloud.image_id),
        ("launch_time", &cloud.launch_time),
        ("vpc_id", &cloud.vpc_id),
        ("subnet_id", &cloud.subnet_id),
    ] {
        if let Some(value) = value {
            add(&format!("cloud:{name}"), value);
        }
    }
    cloud.private_ips.iter().for_each(|address| add("cloud:private_ip", address));
    cloud.public_ips.iter().for_each(|address| add("cloud:public_ip", address));
    cloud.security_groups.iter().for_each(|group| add("cloud:security_group", &group.id));
    cloud.volumes.iter().for_each(|volume| add("cloud:volume", &volume.id));
    host.cloud.snapshots.iter().for_each(|id| add("cloud:snapshot", id));
    host.cloud.tags.iter().for_each(|(key, value)| add(&format!("cloud:tag:{key}"), value));
    for gap in &report.gaps {
        add("gap", &format!("{}: {}: {}", gap.place, gap.reason.as_str(), gap.detail));
    }
    context
}

/// The feeds that the vulnerabilities come from, and of when they are.
pub(super) fn feeds(report: &ScanReport) -> Vec<Property> {
    report
        .feeds
        .iter()
        .flat_map(|feed| {
            let name = format!("feed:{}", feed.name);
            [
                property(&format!("{name}:date"), &feed.date),
                property(&format!("{name}:sha256"), &feed.sha256),
            ]
        })
        .collect()
}
