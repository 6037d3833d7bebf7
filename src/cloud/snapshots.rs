//! The snapshots that a scan makes, told by their tags alone: made, waited for, deleted.

use super::{Account, Error, Instance, Kind, tags};
use aws_sdk_ec2::types::{
    Filter, InstanceSpecification, ResourceType, SnapshotState, Tag, TagSpecification,
};
use std::collections::BTreeMap;

/// Marks every snapshot of ours; its value is always the same.
const PURPOSE: (&str, &str) = ("sidelight:purpose", "scan");
const SWEEP: &str = "sidelight:sweep";
const CREATED: &str = "sidelight:created";
const EXPIRES: &str = "sidelight:expires";
const SOURCE: &str = "sidelight:source";
const PAGE: i32 = 500;
/// Ids in one call.
const IDS: usize = 200;

/// What a snapshot is made for, kept in its tags.
#[derive(Debug, Clone)]
pub struct Purpose {
    /// The sweep.
    pub sweep: String,
    /// Now, RFC 3339.
    pub created: String,
    /// After this time it is a leftover, RFC 3339.
    pub expires: String,
}

/// A snapshot that was just asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub snapshot: String,
    /// The volume it is of.
    pub volume: String,
}

/// How far a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// On its way, with its progress as AWS writes it.
    Pending(String),
    /// Readable.
    Completed,
    /// It will never be readable.
    Failed(String),
}

/// A snapshot that bears our tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its id.
    pub snapshot: String,
    /// The sweep that made it.
    pub sweep: String,
    /// When it was made, as its tag says.
    pub created: String,
    /// After this time it is a leftover, as its tag says.
    pub expires: String,
    /// What it is of.
    pub source: String,
}

impl Account {
    /// How many snapshots of the account are pending, its own backups among them.
    pub fn pending_snapshots(&self) -> Result<usize, Error> {
        let pending = Filter::builder().name("status").values("pending").build();
        Ok(self.own_snapshots(pending)?.len())
    }

    /// Asks for snapshots of the volumes of an instance at one point in time, without those that
    /// are left out.
    pub fn create_snapshots(
        &self,
        instance: &Instance,
        left_out: &[String],
        purpose: &Purpose,
    ) -> Result<Vec<Created>, Error> {
        let what = specification(instance, left_out);
        let call = self.clients.create.create_snapshots().instance_specification(what);
        let call = call.description(description(instance.id()));
        let call = call.tag_specifications(purpose.tags(instance.id()));
        let answer = self.wait(async move { call.send().await })?;
        let answer = answer.map_err(|error| Error::from_sdk("ec2:CreateSnapshots", &error))?;
        let created = answer.snapshots().iter();
        let created = created.map(|it| Created::new(it.snapshot_id()?, it.volume_id()?));
        // Without an id it cannot be deleted; as an answer that was lost, it is found by its tags.
        created.collect::<Option<_>>().ok_or_else(|| {
            Error::new("ec2:CreateSnapshots", Kind::Other, "a snapshot without an id came")
        })
    }

    /// Asks for a snapshot of one volume.
    pub fn create_snapshot(&self, volume: &str, purpose: &Purpose) -> Result<Created, Error> {
        const ACTION: &str = "ec2:CreateSnapshot";
        let call = self
            .clients
            .create
            .create_snapshot()
            .volume_id(volume)
            .description(description(volume));
        let call = call.tag_specifications(purpose.tags(volume));
        let answer = self.wait(async move { call.send().await })?;
        let answer = answer.map_err(|error| Error::from_sdk(ACTION, &error))?;
        let created = answer.snapshot_id().and_then(|id| Created::new(id, volume));
        created.ok_or_else(|| Error::new(ACTION, Kind::Other, "no snapshot id came"))
    }

    /// How far these snapshots are; one that is gone is not in the answer.
    pub fn snapshot_states(&self, ids: &[String]) -> Result<BTreeMap<String, State>, Error> {
        let mut states = BTreeMap::new();
        for some in ids.chunks(IDS) {
            let only =
                Filter::builder().name("snapshot-id").set_values(Some(some.to_vec())).build();
            for found in self.own_snapshots(only)? {
                let text =
                    |text: Option<&str>| crate::model::printable_str(text.unwrap_or_default());
                let state = match found.state() {
                    Some(SnapshotState::Completed) => State::Completed,
                    Some(SnapshotState::Pending) => State::Pending(text(found.progress())),
                    _ => State::Failed(text(found.state_message())),
                };
                states.extend(found.snapshot_id().map(|id| (id.to_owned(), state)));
            }
        }
        Ok(states)
    }

    /// Deletes a snapshot; one that is gone is deleted.
    pub fn delete_snapshot(&self, id: &str) -> Result<(), Error> {
        let call = self.clients.delete.delete_snapshot().snapshot_id(id);
        let answer = self.wait(async move { call.send().await })?;
        match answer.map_err(|error| Error::from_sdk("ec2:DeleteSnapshot", &error)) {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All snapshots that bear all of our tags, whoever made them. One that lacks some is not ours to
    /// delete.
    pub fn tagged_snapshots(&self) -> Result<Vec<Tagged>, Error> {
        let (key, value) = PURPOSE;
        let ours = Filter::builder().name(format!("tag:{key}")).values(value).build();
        let whole = |tags: &BTreeMap<String, String>| {
            [SWEEP, EXPIRES].iter().all(|key| tags.contains_key(*key))
        };
        let found = self.own_snapshots(ours)?;
        let mut tagged: Vec<_> = found
            .iter()
            .filter_map(|found| {
                let mut tags = tags(found.tags());
                if !whole(&tags) {
                    return None;
                }
                let mut tag = |key: &str| tags.remove(key).unwrap_or_default();
                Some(Tagged {
                    snapshot: found.snapshot_id()?.to_owned(),
                    sweep: tag(SWEEP),
                    created: tag(CREATED),
                    expires: tag(EXPIRES),
                    source: tag(SOURCE),
                })
            })
            .collect();
        tagged.sort_by(|a, b| a.snapshot.cmp(&b.snapshot));
        Ok(tagged)
    }

    /// The tags of a snapshot that is never made, for roles that may only make tagged ones.
    pub(super) fn trial_tags(&self, source: &str) -> TagSpecification {
        let never = "1970-01-01T00:00:00Z".to_owned();
        let sweep = format!("doctor-{}", self.region);
        Purpose { sweep, created: never.clone(), expires: never }.tags(source)
    }

    fn own_snapshots(&self, filter: Filter) -> Result<Vec<aws_sdk_ec2::types::Snapshot>, Error> {
        let call = self.clients.discovery.describe_snapshots().owner_ids("self").filters(filter);
        let pages = call.max_results(PAGE).into_paginator().items();
        let found = self.wait(async move { pages.send().collect::<Result<Vec<_>, _>>().await })?;
        found.map_err(|error| Error::from_sdk("ec2:DescribeSnapshots", &error))
    }
}

impl Created {
    fn new(snapshot: &str, volume: &str) -> Option<Self> {
        let known = snapshot.starts_with("snap-");
        known.then(|| Self { snapshot: snapshot.to_owned(), volume: volume.to_owned() })
    }
}

impl Purpose {
    fn tags(&self, source: &str) -> TagSpecification {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        TagSpecification::builder()
            .resource_type(ResourceType::Snapshot)
            .tags(tag(PURPOSE.0, PURPOSE.1))
            .tags(tag(SWEEP, &self.sweep))
            .tags(tag(CREATED, &self.created))
            .tags(tag(EXPIRES, &self.expires))
            .tags(tag(SOURCE, source))
            .build()
    }
}

/// An instance without the volumes that are left out.
pub(super) fn specification(instance: &Instance, left_out: &[String]) -> InstanceSpecification {
    let boot = instance.volumes.iter().find(|volume| volume.root).map(|it| &it.context.id);
    let (boot, data): (Vec<_>, Vec<_>) =
        left_out.iter().cloned().partition(|volume| Some(volume) == boot);
    InstanceSpecification::builder()
        .instance_id(instance.id())
        .exclude_boot_volume(!boot.is_empty())
        .set_exclude_data_volume_ids((!data.is_empty()).then_some(data))
        .build()
}

fn description(source: &str) -> String {
    format!("Sidelight scan of {source}; deleted when the scan ends")
}
