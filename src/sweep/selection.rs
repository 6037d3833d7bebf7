//! Which instances a sweep scans. An owner's "never" goes over everything that is asked for.

use crate::cloud::{Instance, Volume};
use crate::model::{CloudVolume, GapReason, SkipReason};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The tag by which an owner keeps an instance or a volume out of every sweep.
pub const OPT_OUT: (&str, &str) = ("sidelight:scan", "never");

/// What the user asks for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Stopped instances too.
    pub stopped: bool,
    /// Only instances with one of these tags; all if there is none.
    pub include: Vec<TagFilter>,
    /// No instance with one of these tags.
    pub exclude: Vec<TagFilter>,
}

/// A tag, `KEY` or `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFilter {
    key: String,
    value: Option<String>,
}

impl FromStr for TagFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (text, None),
        };
        if key.is_empty() {
            return Err("a tag is KEY or KEY=VALUE".to_owned());
        }
        Ok(Self { key: key.to_owned(), value })
    }
}

impl TagFilter {
    fn fits(&self, tags: &BTreeMap<String, String>) -> bool {
        let value = tags.get(&self.key);
        value.is_some_and(|value| self.value.as_ref().is_none_or(|wanted| wanted == value))
    }
}

impl Selection {
    /// Why an instance is not scanned; `None` if it is.
    pub fn refuses(&self, instance: &Instance) -> Option<SkipReason> {
        let tags = &instance.context.tags;
        let fits = |filters: &[TagFilter]| filters.iter().any(|filter| filter.fits(tags));
        if opted_out(tags) {
            return Some(SkipReason::OptedOut);
        }
        if fits(&self.exclude) {
            return Some(SkipReason::Excluded);
        }
        if !self.include.is_empty() && !fits(&self.include) {
            return Some(SkipReason::NotIncluded);
        }
        match instance.state.as_str() {
            "running" => {}
            "stopped" if self.stopped => {}
            "stopped" | "stopping" => return Some(SkipReason::Stopped),
            _ => return Some(SkipReason::NotRunning),
        }
        if instance.volumes.is_empty() {
            return Some(SkipReason::InstanceStore);
        }
        // One whose tags are not known may be one that is wanted: the scan will tell.
        let never = |volume: &Volume| volume.tags.as_ref().is_some_and(opted_out);
        instance.volumes.iter().all(never).then_some(SkipReason::OptedOut)
    }
}

/// The volumes that are not scanned: those whose owner says never, or may have said so. Each with the
/// gap that it leaves.
pub fn left_out(instance: &Instance) -> Vec<(&CloudVolume, GapReason, &'static str)> {
    let volumes = instance.volumes.iter().filter_map(|volume| match &volume.tags {
        Some(tags) if opted_out(tags) => {
            Some((&volume.context, GapReason::Excluded, "its owner's tag says never"))
        }
        Some(_) => None,
        None => Some((
            &volume.context,
            GapReason::Missing,
            "EC2 did not list it, so that its owner's tags are not known",
        )),
    });
    volumes.collect()
}

/// Whether an owner says never.
pub(super) fn opted_out(tags: &BTreeMap<String, String>) -> bool {
    tags.get(OPT_OUT.0).is_some_and(|value| value.eq_ignore_ascii_case(OPT_OUT.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CloudContext;

    fn instance(state: &str, tags: &[(&str, &str)], volumes: &[&[(&str, &str)]]) -> Instance {
        let map = |tags: &[(&str, &str)]| {
            tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let volume = |(index, tags): (usize, &&[(&str, &str)])| Volume {
            context: CloudVolume { id: format!("vol-{index}"), ..CloudVolume::default() },
            root: index == 0,
            tags: Some(map(tags)),
        };
        Instance {
            context: CloudContext { tags: map(tags), ..CloudContext::default() },
            state: state.to_owned(),
            volumes: volumes.iter().enumerate().map(volume).collect(),
        }
    }

    #[track_caller]
    fn check(selection: &Selection, instance: &Instance, expected: Option<SkipReason>) {
        assert_eq!(selection.refuses(instance), expected);
    }

    #[test]
    fn an_owners_never_goes_over_everything() {
        let never = [("sidelight:scan", "Never"), ("team", "a")];
        let all = Selection { include: vec!["team=a".parse().unwrap()], ..Selection::default() };
        check(&all, &instance("running", &never, &[&[]]), Some(SkipReason::OptedOut));
        let volume: &[_] = &[("sidelight:scan", "never")];
        let some = instance("running", &[("team", "a")], &[&[], volume]);
        check(&all, &some, None);
        assert_eq!(left_out(&some)[0].0.id, "vol-1");
        check(&all, &instance("running", &[("team", "a")], &[volume]), Some(SkipReason::OptedOut));
    }

    #[test]
    fn a_volume_whose_tags_are_not_known_is_left_out_with_a_gap() {
        let mut some = instance("running", &[], &[&[], &[]]);
        some.volumes[1].tags = None;
        check(&Selection::default(), &some, None);
        let [(volume, reason, _)] = left_out(&some)[..] else { panic!("one of the two") };
        assert_eq!((volume.id.as_str(), reason), ("vol-1", GapReason::Missing));
    }

    #[test]
    fn tags_states_and_volumes_decide_in_this_order() {
        let selection = Selection {
            stopped: false,
            include: vec!["team".parse().unwrap()],
            exclude: vec!["env=dev".parse().unwrap()],
        };
        let team = ("team", "a");
        for (state, tags, volumes, expected) in [
            ("running", vec![team, ("env", "dev")], 1, Some(SkipReason::Excluded)),
            ("running", vec![team, ("env", "prod")], 1, None),
            ("running", vec![("env", "prod")], 1, Some(SkipReason::NotIncluded)),
            ("stopped", vec![team], 1, Some(SkipReason::Stopped)),
            ("terminated", vec![team], 1, Some(SkipReason::NotRunning)),
            ("running", vec![team], 0, Some(SkipReason::InstanceStore)),
        ] {
            let volumes: Vec<&[_]> = vec![&[]; volumes];
            check(&selection, &instance(state, &tags, &volumes), expected);
        }
        let stopped = Selection { stopped: true, ..Selection::default() };
        check(&stopped, &instance("stopped", &[], &[&[]]), None);
        assert!("=x".parse::<TagFilter>().is_err());
    }
}
