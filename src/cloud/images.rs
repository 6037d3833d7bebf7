//! AMIs: their snapshots are there already, so nothing is made to scan one.

use super::{Account, Error, Kind, tags};
use crate::model::{CloudContext, CloudVolume, printable_str};
use aws_sdk_ec2::types;

impl Account {
    /// What EC2 says of a volume that may be attached to nothing: enough to name it in a report.
    pub fn volume(&self, id: &str) -> Result<CloudContext, Error> {
        const ACTION: &str = "ec2:DescribeVolumes";
        let call = self.clients.discovery.describe_volumes().volume_ids(id);
        let answer = self.wait(async move { call.send().await })?;
        let answer = answer.map_err(|error| Error::from_sdk(ACTION, &error))?;
        let missing = || Error::new(ACTION, Kind::NotFound, format!("no volume {id}"));
        let found = answer.volumes().first().ok_or_else(missing)?;
        let attached = found.attachments().first();
        let text = |text: Option<&str>| text.map(printable_str);
        let volume = CloudVolume {
            id: id.to_owned(),
            device: text(attached.and_then(|it| it.device())).unwrap_or_default(),
            encrypted: found.encrypted().unwrap_or(false),
            kms_key: text(found.kms_key_id()),
            snapshot: None,
        };
        Ok(CloudContext {
            availability_zone: text(found.availability_zone()),
            instance_id: text(attached.and_then(|it| it.instance_id())),
            volumes: vec![volume],
            tags: tags(found.tags()),
            ..self.context()
        })
    }

    /// What EC2 says of an AMI; each of its volumes names its snapshot, the root's first.
    pub fn image(&self, id: &str) -> Result<CloudContext, Error> {
        const ACTION: &str = "ec2:DescribeImages";
        let call = self.clients.discovery.describe_images().image_ids(id);
        let answer = self.wait(async move { call.send().await })?;
        let answer = answer.map_err(|error| Error::from_sdk(ACTION, &error))?;
        let missing = || Error::new(ACTION, Kind::NotFound, format!("no image {id}"));
        let found = answer.images().first().ok_or_else(missing)?;
        let mut mappings: Vec<_> = found.block_device_mappings().iter().collect();
        let is_root =
            |mapping: &types::BlockDeviceMapping| mapping.device_name() == found.root_device_name();
        mappings.sort_by_key(|mapping| (!is_root(mapping), mapping.device_name()));
        let volumes: Vec<_> = mappings.into_iter().filter_map(image_volume).collect();
        if volumes.is_empty() {
            let detail = format!("image {id} has no snapshots: it is backed by instance store");
            return Err(Error::new(ACTION, Kind::State, detail));
        }
        Ok(CloudContext {
            instance_name: found.name().map(printable_str),
            architecture: found.architecture().map(|it| printable_str(it.as_str())),
            image_id: Some(id.to_owned()),
            volumes,
            tags: tags(found.tags()),
            ..self.context()
        })
    }

    /// What is known of the account alone.
    fn context(&self) -> CloudContext {
        CloudContext {
            account: Some(self.id.clone()),
            account_alias: self.alias.clone(),
            region: Some(self.region.clone()),
            ..CloudContext::default()
        }
    }
}

fn image_volume(mapping: &types::BlockDeviceMapping) -> Option<CloudVolume> {
    let ebs = mapping.ebs()?;
    Some(CloudVolume {
        id: String::new(),
        device: printable_str(mapping.device_name().unwrap_or_default()),
        encrypted: ebs.encrypted().unwrap_or(false),
        kms_key: ebs.kms_key_id().map(printable_str),
        snapshot: Some(ebs.snapshot_id()?.to_owned()),
    })
}
