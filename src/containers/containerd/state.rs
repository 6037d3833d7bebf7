//! What a container did: the file of the plugin for Kubernetes tells; of others only signs do, for
//! containerd keeps its tasks in memory.

use super::cri;
use crate::containers::Layers;
use crate::containers::store::{Store, is_plain};
use crate::model::{Confidence, ContainerState, Gap};

/// A state, what tells of it, and how sure it is.
pub type State = (ContainerState, String, Confidence);

/// Folders of tasks, of which each container has one while it has a task.
const TASKS: [&str; 2] = ["io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux"];

/// What a container is in a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One of a pod's containers.
    Container,
    /// The one that holds a pod's namespaces; it is started when it is made.
    Sandbox,
    /// Not of a pod.
    None,
}

/// The state of a container.
pub fn of(
    store: &Store,
    (namespace, id): (&str, &str),
    role: Role,
    layers: Option<&Layers>,
    gaps: &mut Vec<Gap>,
) -> State {
    if role == Role::Container
        && let Some(state) = noted(store, id, gaps)
    {
        return state;
    }
    if let Some(folder) = task(store, namespace, id) {
        let evidence = format!("{folder} is there: it has a task, which may have ended");
        return (ContainerState::Running, evidence, Confidence::Medium);
    }
    if role == Role::Sandbox {
        let evidence = "it has no task, and a pod's sandbox is started when it is made";
        return (ContainerState::Exited, evidence.to_owned(), Confidence::Medium);
    }
    without_task(store, layers)
}

fn noted(store: &Store, id: &str, gaps: &mut Vec<Gap>) -> Option<State> {
    let status = cri::status(store, id).map_err(|gap| gaps.push(gap)).ok()??;
    let (state, says) = match &status {
        it if it.finished_at != 0 => {
            (ContainerState::Exited, format!("it ended with {}", it.exit_code))
        }
        it if it.started_at != 0 => {
            (ContainerState::Running, "it was started and has not ended".to_owned())
        }
        it if it.created_at != 0 => (ContainerState::Created, "it was not started".to_owned()),
        _ => return None,
    };
    let evidence = format!("io.containerd.grpc.v1.cri/containers/{id}/status: {says}");
    Some((state, evidence, Confidence::High))
}

fn task(store: &Store, namespace: &str, id: &str) -> Option<String> {
    if !is_plain(namespace) || !is_plain(id) {
        return None;
    }
    let folders = TASKS.map(|tasks| format!("{tasks}/{namespace}/{id}"));
    folders.into_iter().find(|folder| store.find(folder).is_ok_and(|found| found.is_some()))
}

/// The container's own folder tells whether it was ever mounted, and written to.
fn without_task(store: &Store, layers: Option<&Layers>) -> State {
    let own = layers.filter(|layers| layers.own > 0).and_then(|layers| layers.folders.first());
    let unknown = || {
        let evidence = "it has no task; nothing tells whether it ever had one";
        (ContainerState::Unknown, evidence.to_owned(), Confidence::Low)
    };
    let Some(own) = own else { return unknown() };
    let above = own.path.strip_suffix(b"/fs").unwrap_or(&own.path);
    let mounted = store.tree().holds(&[above, b"/work/work"].concat());
    let is_lower = layers.is_some_and(|layers| layers.folders.len() > 1);
    if is_lower && mounted.is_ok_and(|mounted| !mounted) {
        let evidence = "it has no task, and its layer was never mounted";
        return (ContainerState::Created, evidence.to_owned(), Confidence::Medium);
    }
    if store.tree().is_bare(&own.path).is_ok_and(|bare| !bare) {
        let evidence = "it has no task, and its layer was written to";
        return (ContainerState::Exited, evidence.to_owned(), Confidence::Medium);
    }
    unknown()
}
