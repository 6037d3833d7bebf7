//! Podman's own state: what it was told of each container when it was made, and what it did since.
//!
//! It is in `libpod/bolt_state.db`, or from Podman 5 in `db.sql`. Podman has one of both; where there are two,
//! one was left behind, and that which was written last counts.

mod bolt;
mod config;
mod sqlite;

use super::super::store::Store;
use super::about::{self, About};
use crate::containers::kubernetes;
use crate::containers::text;
use crate::model::{Confidence, ContainerState, Engine, Gap, GapReason};
use config::Config;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Bytes of the JSON of a container.
const MOST_VALUE: u64 = 4 << 20;
/// Bytes of a database.
const MOST_FILE: u64 = 1 << 30;
/// Containers and pods of a database.
const MOST_ROWS: usize = 10_000;
/// Problems of a database that are told.
const MOST_PROBLEMS: usize = 100;

/// What Podman knows of containers, by their ids.
#[derive(Debug, Default)]
pub struct Libpod {
    /// The containers.
    pub containers: BTreeMap<String, Known>,
    /// Labels of pods, by their ids.
    pods: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether there is a database at all.
    pub is_there: bool,
}

/// A container as Podman knows it.
#[derive(Debug, Default)]
pub struct Known {
    /// What it was made with; none if that could not be read.
    pub config: Option<Config>,
    state: Option<State>,
    /// The database.
    pub place: String,
    /// Whether the database was left behind.
    pub is_old: bool,
}

/// What a container did.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    state: u64,
    #[serde(rename = "startedTime")]
    started: String,
}

/// What of a pod is of interest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pod {
    labels: Option<BTreeMap<String, String>>,
}

/// Reads Podman's state of a store.
pub fn read(store: &Store, gaps: &mut Vec<Gap>) -> Libpod {
    let mut databases = Vec::new();
    for path in [bolt::PATH, sqlite::PATHS[0], sqlite::PATHS[1]] {
        match modified(store, path) {
            Ok(Some(time)) => databases.push((path, time)),
            Ok(None) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    databases.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    let mut libpod = Libpod { is_there: !databases.is_empty(), ..Libpod::default() };
    for (number, (path, _)) in databases.iter().enumerate() {
        let mut read = Reading { place: store.place(path), ..Reading::default() };
        let outcome = match *path {
            bolt::PATH => bolt::read(store, &mut read),
            _ => sqlite::read(store, path, &mut read),
        };
        read.problems.extend(outcome.err());
        libpod.take(read, number > 0, gaps);
    }
    libpod
}

/// When a database or its log was written; none if it is not there.
fn modified(store: &Store, path: &str) -> Result<Option<i64>, Gap> {
    let mut newest = None;
    for path in [path.to_owned(), format!("{path}-wal")] {
        if let Some(at) = store.find(&path)?
            && let Ok(metadata) = store.tree().metadata(at)
        {
            newest = newest.max(Some(metadata.modified));
        } else if newest.is_none() {
            break;
        }
    }
    Ok(newest)
}

/// What is read of a database.
#[derive(Default)]
struct Reading {
    place: String,
    containers: BTreeMap<String, Known>,
    pods: BTreeMap<String, BTreeMap<String, String>>,
    problems: Vec<Gap>,
}

impl Reading {
    fn problem(&mut self, reason: GapReason, detail: impl ToString) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Gap::new(self.place.clone(), reason, detail));
        }
    }

    fn container(&mut self, id: &str) -> Option<&mut Known> {
        if self.containers.len() >= MOST_ROWS && !self.containers.contains_key(id) {
            return None;
        }
        Some(self.containers.entry(id.to_owned()).or_default())
    }

    fn config(&mut self, id: &str, json: &[u8]) {
        let config = self.json(&format!("container {id}"), json);
        if let Some(known) = self.container(id) {
            known.config = config;
        }
    }

    fn state(&mut self, id: &str, json: &[u8]) {
        let state = self.json(&format!("state of container {id}"), json);
        if let Some(known) = self.container(id) {
            known.state = state;
        }
    }

    fn pod(&mut self, id: &str, json: &[u8]) {
        let pod: Option<Pod> = self.json(&format!("pod {id}"), json);
        if let Some(labels) = pod.and_then(|pod| pod.labels)
            && self.pods.len() < MOST_ROWS
        {
            self.pods.insert(id.to_owned(), text::labels(labels.iter()));
        }
    }

    fn json<T: for<'de> Deserialize<'de>>(&mut self, what: &str, json: &[u8]) -> Option<T> {
        let read = serde_json::from_slice(json);
        let what = text::short(what);
        read.map_err(|error| {
            let detail = format!("{what} is not the JSON that it should be: {error}");
            self.problem(GapReason::Corrupt, detail);
        })
        .ok()
    }
}

impl Libpod {
    fn take(&mut self, read: Reading, is_old: bool, gaps: &mut Vec<Gap>) {
        if read.containers.len() >= MOST_ROWS {
            let detail = format!("has {MOST_ROWS} containers or more, the most that are read");
            gaps.push(Gap::new(read.place.clone(), GapReason::Limit, detail));
        }
        gaps.extend(read.problems);
        for (id, known) in read.containers {
            let known = Known { place: read.place.clone(), is_old, ..known };
            self.containers.entry(id).or_insert(known);
        }
        for (id, labels) in read.pods {
            self.pods.entry(id).or_insert(labels);
        }
    }

    /// The gap that a container is whose files are not in the storage.
    pub fn outside(&self, id: &str) -> Option<Gap> {
        self.containers.get(id)?.outside()
    }

    /// Id of a container's image; empty if that is not known.
    pub fn image(&self, id: &str) -> &str {
        let config = self.containers.get(id).and_then(|known| known.config.as_ref());
        config.map_or("", |config| &config.image)
    }

    /// What Podman says of a container; none if it does not know it.
    pub fn about(&self, id: &str) -> Option<About> {
        let known = self.containers.get(id)?;
        let (state, evidence, confidence) = known.state();
        let mut about =
            About { engine: Engine::Podman, state, evidence, confidence, ..About::default() };
        let Some(config) = &known.config else { return Some(about) };
        about.name = Some(config.name.clone()).filter(|name| !name.is_empty());
        about.created = text::time(&config.created);
        about.labels = text::labels(config.labels.iter().flatten());
        let pod = self.pods.get(&config.pod).cloned().unwrap_or_default();
        about.kubernetes = kubernetes::of(&about.labels, &pod);
        about.mounts = about::mounts(config.mounts());
        about.reference = Some(config.reference.clone()).filter(|it| !it.is_empty());
        Some(about)
    }
}

impl Known {
    /// The gap that it is if its files are not in the storage: newer versions have a layer for it nonetheless,
    /// in which nothing is.
    pub fn outside(&self) -> Option<Gap> {
        let folder = self.config.as_ref().map(|config| &config.rootfs);
        let folder = text::short(folder.filter(|folder| !folder.is_empty())?);
        let detail = format!("its files are a folder of the host, {folder}, which is not followed");
        Some(Gap::new(self.place.clone(), GapReason::Unsupported, detail))
    }

    fn state(&self) -> (ContainerState, String, Confidence) {
        use ContainerState::{Created, Exited, Paused, Running, Unknown};
        let Some(state) = &self.state else {
            let evidence = format!("{} does not tell", self.place);
            return (Unknown, evidence, Confidence::Low);
        };
        let was_started = text::time(&state.started).is_some();
        let (state, word) = match state.state {
            // After a restart of the machine older versions have all containers in this one.
            1 if was_started => (Exited, "configured, and started before"),
            1 => (Created, "configured"),
            2 => (Created, "initialized"),
            3 => (Running, "running"),
            4 => (Exited, "stopped"),
            5 => (Paused, "paused"),
            6 => (Exited, "exited"),
            7 if was_started => (Exited, "removing"),
            7 => (Created, "removing"),
            8 => (Running, "stopping"),
            _ => (Unknown, "unknown"),
        };
        let confidence = if state == Unknown { Confidence::Low } else { Confidence::High };
        (state, format!("{} says {word}", self.place), confidence)
    }
}
