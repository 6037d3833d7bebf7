//! What a container is in Kubernetes, by the labels and annotations that kubelet gives it.

use crate::model::Kubernetes;
use std::collections::BTreeMap;

type Labels = BTreeMap<String, String>;

/// What Kubernetes' random names are made of.
const RANDOM: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// By the labels of a container, and the labels and annotations of its pod where they are known.
pub fn of(labels: &Labels, pod: &Labels) -> Option<Kubernetes> {
    let called = |key: &str| {
        let value = labels.get(key).or_else(|| pod.get(key));
        value.filter(|value| !value.is_empty()).cloned()
    };
    let name = called("io.kubernetes.pod.name")?;
    let container = called("io.kubernetes.container.name");
    Some(Kubernetes {
        namespace: called("io.kubernetes.pod.namespace").unwrap_or_default(),
        // The engine of Docker's time named the one that holds the namespaces so.
        container: container.filter(|container| container != "POD"),
        pod_uid: called("io.kubernetes.pod.uid"),
        workload: workload(&name, labels, pod),
        pod: name,
    })
}

/// What a pod was likely made for.
fn workload(name: &str, labels: &Labels, pod: &Labels) -> Option<String> {
    let get = |key: &str| pod.get(key).or_else(|| labels.get(key)).map(String::as_str);
    let of_kind = |kind: &str, name: &str| Some(format!("{kind}/{name}"));
    if get("kubernetes.io/config.source").is_some_and(|source| source != "api") {
        return of_kind("static", static_pod(name, get("component")));
    }
    if let Some(job) = get("batch.kubernetes.io/job-name").or_else(|| get("job-name")) {
        return Some(of_job(job));
    }
    if let Some(hash) = get("rollouts-pod-template-hash") {
        return of_kind("rollout", replicas(name, hash)?);
    }
    if let Some(hash) = get("pod-template-hash") {
        return of_kind("deployment", replicas(name, hash)?);
    }
    if let Some(config) = get("openshift.io/deployment-config.name") {
        return of_kind("deploymentconfig", config);
    }
    if let Some(revision) = get("controller-revision-hash") {
        return of_revision(name, revision, get("statefulset.kubernetes.io/pod-name"));
    }
    // Where nothing is known of the pod, its name alone tells.
    pod.is_empty().then(|| by_name(name)).flatten()
}

/// A static pod has the name that its file gives it, and the node's.
fn static_pod<'n>(name: &'n str, component: Option<&'n str>) -> &'n str {
    let begins = |it: &&str| name.strip_prefix(*it).is_some_and(|rest| rest.starts_with('-'));
    component.filter(begins).unwrap_or(name)
}

/// A job; one that a schedule made bears the minute, since 1970, that it was made for.
fn of_job(job: &str) -> String {
    let scheduled = job.rsplit_once('-').filter(|(name, minute)| {
        let digits = minute.bytes().all(|byte| byte.is_ascii_digit());
        !name.is_empty() && digits && matches!(minute.len(), 8 | 10)
    });
    match scheduled {
        Some((name, _)) => format!("cronjob/{name}"),
        None => format!("job/{job}"),
    }
}

/// `NAME-HASH-RANDOM`: what keeps so many pods of one template.
fn replicas<'n>(name: &'n str, hash: &str) -> Option<&'n str> {
    let (of_template, random) = name.rsplit_once('-')?;
    let kept = of_template.strip_suffix(hash)?.strip_suffix('-')?;
    (is_random(random) && !kept.is_empty()).then_some(kept)
}

/// Pods of a stateful set are numbered, and its revisions bear its name; pods of a daemon set have random
/// names, and its revisions are hashes alone.
fn of_revision(name: &str, revision: &str, numbered: Option<&str>) -> Option<String> {
    let (kept, last) = name.rsplit_once('-')?;
    let of_set = revision.strip_prefix(kept).is_some_and(|hash| hash.starts_with('-'));
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && (of_set || numbered == Some(name)) {
        return Some(format!("statefulset/{kept}"));
    }
    (is_random(last) && !of_set).then(|| format!("daemonset/{kept}"))
}

fn by_name(name: &str) -> Option<String> {
    let (of_template, random) = name.rsplit_once('-')?;
    let (kept, hash) = of_template.rsplit_once('-')?;
    let is_hash = (8..=10).contains(&hash.len()) && hash.bytes().all(|it| RANDOM.contains(&it));
    (is_random(random) && is_hash && !kept.is_empty()).then(|| format!("deployment/{kept}"))
}

fn is_random(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|byte| RANDOM.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_container_is_named_by_its_labels() {
        let labels = map(&[
            ("io.kubernetes.container.name", "web"),
            ("io.kubernetes.pod.name", "web-7d4b9c6f5d-x2x9z"),
            ("io.kubernetes.pod.namespace", "prod"),
            ("io.kubernetes.pod.uid", "0b1c"),
        ]);
        let pod = map(&[("pod-template-hash", "7d4b9c6f5d"), ("app", "web")]);
        let expected = Kubernetes {
            namespace: "prod".to_owned(),
            pod: "web-7d4b9c6f5d-x2x9z".to_owned(),
            container: Some("web".to_owned()),
            pod_uid: Some("0b1c".to_owned()),
            workload: Some("deployment/web".to_owned()),
        };
        assert_eq!(of(&labels, &pod), Some(expected.clone()));
        // By the name alone, if nothing is known of the pod.
        assert_eq!(of(&labels, &Labels::new()), Some(expected));
    }

    #[test]
    fn a_sandbox_has_no_container() {
        let pod = map(&[("io.kubernetes.pod.name", "a"), ("io.kubernetes.pod.namespace", "b")]);
        let sandbox = of(&Labels::new(), &pod).unwrap();
        assert_eq!((sandbox.pod.as_str(), sandbox.namespace.as_str()), ("a", "b"));
        assert_eq!((sandbox.container, sandbox.workload), (None, None));
        let old = map(&[("io.kubernetes.container.name", "POD"), ("io.kubernetes.pod.name", "a")]);
        assert_eq!(of(&old, &Labels::new()).unwrap().container, None);
        assert_eq!(of(&map(&[("app", "web")]), &Labels::new()), None);
    }

    #[test]
    fn workloads_are_guessed() {
        for (name, pod, expected) in [
            ("web-7d4b9c6f5d-x2x9z", &[("pod-template-hash", "7d4b9c6f5d")][..], "deployment/web"),
            ("web-7d4b9c6f5d-x2x9z", &[("pod-template-hash", "other")], ""),
            ("7d4b9c6f5d-x2x9z", &[("pod-template-hash", "7d4b9c6f5d")], ""),
            ("web-7d4b9c6f5d-x2x9z", &[("app", "web")], ""),
            ("a-b-5f-x2x9z", &[("rollouts-pod-template-hash", "5f")], "rollout/a-b"),
            ("db-2", &[("controller-revision-hash", "db-6c8")], "statefulset/db"),
            (
                "db-2",
                &[
                    ("controller-revision-hash", "6c8"),
                    ("statefulset.kubernetes.io/pod-name", "db-2"),
                ],
                "statefulset/db",
            ),
            ("kube-proxy-kd8zx", &[("controller-revision-hash", "5d9f6")], "daemonset/kube-proxy"),
            ("kube-proxy", &[("controller-revision-hash", "5d9f6")], ""),
            ("pi-4kxz2", &[("batch.kubernetes.io/job-name", "pi")], "job/pi"),
            ("pi-4kxz2", &[("job-name", "pi-1234")], "job/pi-1234"),
            ("backup-29384760-4kxz2", &[("job-name", "backup-29384760")], "cronjob/backup"),
            (
                "etcd-node1",
                &[("kubernetes.io/config.source", "file"), ("component", "etcd")],
                "static/etcd",
            ),
            ("own-node1", &[("kubernetes.io/config.source", "http")], "static/own-node1"),
            ("bare", &[("kubernetes.io/config.source", "api")], ""),
            (
                "app-3-kd8zx",
                &[("openshift.io/deployment-config.name", "app")],
                "deploymentconfig/app",
            ),
            ("web-0", &[], ""),
            ("web-7d4b9c6f5d-x2x9z", &[], "deployment/web"),
            ("web-7d4b9c6f5d-aeiou", &[], ""),
            ("-", &[], ""),
        ] {
            let found = workload(name, &Labels::new(), &map(pod)).unwrap_or_default();
            assert_eq!(found, expected, "{name} {pod:?}");
        }
    }
}
