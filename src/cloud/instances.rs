//! Instances, their volumes by device name, and what EC2 knows of them.

use super::{Account, Error, Kind, tags};
use crate::model::{CloudContext, CloudVolume, SecurityGroup, printable_str};
use aws_sdk_ec2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ec2::types::{self, Filter};
use std::collections::{BTreeMap, BTreeSet};

/// EC2 takes up to 200 values in one filter.
const FILTER_VALUES: usize = 150;
const PAGE: i32 = 500;

/// An instance and its EBS volumes.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What reports say of it; `volumes` and `snapshots` in it are for the scan to fill.
    pub context: CloudContext,
    /// State, as EC2 writes it (`running`).
    pub state: String,
    /// Its EBS volumes, the root's first, then by device name.
    pub volumes: Vec<Volume>,
}

/// A volume of an instance.
#[derive(Debug, Clone)]
pub struct Volume {
    /// What reports say of it.
    pub context: CloudVolume,
    /// The instance boots from it.
    pub root: bool,
    /// Its tags; `None` if EC2 did not list the volume, so that its owner's will is not known.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Instance {
    /// Its id.
    pub fn id(&self) -> &str {
        self.context.instance_id.as_deref().unwrap_or_default()
    }
}

impl Account {
    /// All instances of the region, or those with these ids, sorted by id.
    pub fn instances(&self, ids: &[String]) -> Result<Vec<Instance>, Error> {
        let mut found = self.describe_instances(ids)?;
        let attached: Vec<String> = found.iter().map(|it| it.id().to_owned()).collect();
        let volumes = self.volumes_of(&attached)?;
        for volume in found.iter_mut().flat_map(|instance| &mut instance.volumes) {
            if let Some(known) = volumes.get(&volume.context.id) {
                volume.context.encrypted = known.encrypted().unwrap_or(false);
                volume.context.kms_key = known.kms_key_id().map(printable_str);
                volume.tags = Some(tags(known.tags()));
            }
        }
        found.sort_by(|a, b| a.id().cmp(b.id()));
        Ok(found)
    }

    fn describe_instances(&self, ids: &[String]) -> Result<Vec<Instance>, Error> {
        let call = self.clients.discovery.describe_instances();
        let call = if ids.is_empty() {
            call.max_results(PAGE)
        } else {
            call.set_instance_ids(Some(ids.to_vec()))
        };
        let pages = call.into_paginator().items();
        let reservations =
            self.wait(async move { pages.send().collect::<Result<Vec<_>, _>>().await })?;
        let reservations =
            reservations.map_err(|error| Error::from_sdk("ec2:DescribeInstances", &error))?;
        let owned = reservations.iter().flat_map(types::Reservation::instances);
        let found: Vec<_> = owned.map(|instance| self.instance(instance)).collect();
        match found.iter().find(|instance| !is_plain(instance.id())) {
            Some(instance) => {
                let detail = format!("{:?} came as the id of an instance", instance.id());
                Err(Error::new("ec2:DescribeInstances", Kind::Other, detail))
            }
            None => Ok(found),
        }
    }

    fn volumes_of(&self, instances: &[String]) -> Result<BTreeMap<String, types::Volume>, Error> {
        let mut all = BTreeMap::new();
        for some in instances.chunks(FILTER_VALUES) {
            let filter = Filter::builder().name("attachment.instance-id");
            let filter = filter.set_values(Some(some.to_vec())).build();
            let call = self.clients.discovery.describe_volumes().filters(filter).max_results(PAGE);
            let pages = call.into_paginator().items();
            let volumes =
                self.wait(async move { pages.send().collect::<Result<Vec<_>, _>>().await })?;
            let volumes =
                volumes.map_err(|error| Error::from_sdk("ec2:DescribeVolumes", &error))?;
            all.extend(volumes.into_iter().filter_map(|it| Some((it.volume_id()?.to_owned(), it))));
        }
        Ok(all)
    }

    fn instance(&self, found: &types::Instance) -> Instance {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(printable_str);
        let tags = tags(found.tags());
        let interfaces = found.network_interfaces();
        let context = CloudContext {
            account: Some(self.id.clone()),
            account_alias: self.alias.clone(),
            region: Some(self.region.clone()),
            availability_zone: text(found.placement().and_then(|at| at.availability_zone())),
            instance_id: text(found.instance_id()),
            instance_name: text(tags.get("Name").map(String::as_str)),
            instance_type: text(found.instance_type().map(types::InstanceType::as_str)),
            architecture: text(found.architecture().map(types::ArchitectureValues::as_str)),
            image_id: text(found.image_id()),
            launch_time: found.launch_time().and_then(rfc3339),
            private_ips: private_ips(found, interfaces),
            public_ips: public_ips(found, interfaces),
            vpc_id: text(found.vpc_id()),
            subnet_id: text(found.subnet_id()),
            security_groups: security_groups(found),
            tags,
            ..CloudContext::default()
        };
        let state =
            found.state().and_then(|state| state.name()).map(types::InstanceStateName::as_str);
        let state = printable_str(state.unwrap_or("unknown"));
        Instance { context, state, volumes: volumes(found) }
    }
}

/// Ids name files and folders of reports.
fn is_plain(id: &str) -> bool {
    let digits = id.strip_prefix("i-").unwrap_or_default();
    !digits.is_empty()
        && digits.len() <= 32
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn volumes(found: &types::Instance) -> Vec<Volume> {
    let mappings = found.block_device_mappings().iter();
    let mut volumes: Vec<_> = mappings
        .filter_map(|mapping| {
            let id = printable_str(mapping.ebs()?.volume_id()?);
            let device = printable_str(mapping.device_name().unwrap_or_default());
            let root = mapping.device_name() == found.root_device_name();
            let context = CloudVolume { id, device, ..CloudVolume::default() };
            Some(Volume { context, root, tags: None })
        })
        .collect();
    volumes.sort_by(|a, b| (!a.root, &a.context.device).cmp(&(!b.root, &b.context.device)));
    volumes
}

type Interfaces<'a> = &'a [types::InstanceNetworkInterface];

fn private_ips(found: &types::Instance, interfaces: Interfaces) -> Vec<String> {
    let own = interfaces.iter().flat_map(types::InstanceNetworkInterface::private_ip_addresses);
    let v4 = own.filter_map(types::InstancePrivateIpAddress::private_ip_address);
    let v4 = found.private_ip_address().into_iter().chain(v4);
    let v6 = interfaces.iter().flat_map(types::InstanceNetworkInterface::ipv6_addresses);
    let v6 = v6.filter_map(types::InstanceIpv6Address::ipv6_address);
    once_each(v4.chain(found.ipv6_address()).chain(v6))
}

fn public_ips(found: &types::Instance, interfaces: Interfaces) -> Vec<String> {
    let own = interfaces.iter().flat_map(types::InstanceNetworkInterface::private_ip_addresses);
    let more = own.filter_map(|address| address.association()?.public_ip());
    let first = interfaces.iter().filter_map(|interface| interface.association()?.public_ip());
    once_each(found.public_ip_address().into_iter().chain(first).chain(more))
}

/// In the order given, without the empty ones.
fn once_each<'a>(addresses: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let new = addresses.filter(|address| !address.is_empty() && seen.insert(*address));
    new.map(printable_str).collect()
}

fn security_groups(found: &types::Instance) -> Vec<SecurityGroup> {
    let text = |text: Option<&str>| printable_str(text.unwrap_or_default());
    let groups = found.security_groups().iter();
    let mut groups: Vec<_> = groups
        .map(|group| SecurityGroup { id: text(group.group_id()), name: text(group.group_name()) })
        .collect();
    groups.sort();
    groups
}

fn rfc3339(time: &DateTime) -> Option<String> {
    time.fmt(DateTimeFormat::DateTime).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_plain_name() {
        assert!(is_plain("i-0123456789abcdef0"));
        for id in ["", "i-", "i-../../etc", "i-a/b", "vol-0123", "i-a b"] {
            assert!(!is_plain(id), "{id}");
        }
    }
}
