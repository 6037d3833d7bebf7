//! Containers: a record each, of which one that cannot be read costs no other.

use super::cri::{self, ContainerMetadata, SandboxMetadata};
use super::database::{Bucket, Record};
use super::images::{Target, Wanted, engine};
use super::spec::{self, Spec};
use super::state::{self, Role};
use super::values;
use super::{Containerd, MOST_CONTAINERS};
use crate::containers::{Container, Found, Layers, kubernetes, oci};
use crate::model::{ContainerContext, ContainerImage, ContainerMount, Gap, GapReason};
use std::collections::{BTreeMap, HashMap};

type Labels = BTreeMap<String, String>;

/// A namespace whose containers are read.
pub struct Namespace<'c, 'a> {
    engine: &'c Containerd<'a>,
    name: &'c str,
    bucket: &'c Bucket,
    /// Labels of pods by the id of their sandbox.
    pods: HashMap<String, Labels>,
}

/// A container's record, read.
struct Read {
    record: Record,
    labels: Labels,
    cri: Option<ContainerMetadata>,
    role: Role,
    spec: Option<Spec>,
    /// What is wrong with it.
    problems: Vec<(GapReason, String)>,
}

impl<'c, 'a> Namespace<'c, 'a> {
    pub fn new(engine: &'c Containerd<'a>, name: &'c str, bucket: &'c Bucket) -> Self {
        Self { engine, name, bucket, pods: HashMap::new() }
    }

    /// Adds its containers, beside those that another engine knows.
    /// Of `left` that are still read, how many are left then.
    pub fn add_to(
        &mut self,
        is_known: &dyn Fn(&str, &str) -> bool,
        left: usize,
        found: &mut Found,
    ) -> usize {
        let containers = match self.bucket.bucket("containers") {
            Ok(Some(containers)) => containers,
            Ok(None) => return left,
            Err(gap) => {
                found.gaps.push(gap);
                return left;
            }
        };
        let (containers, is_more) = containers.buckets(left, &mut found.gaps);
        let left = left - containers.len();
        if is_more {
            let detail = format!("more than {MOST_CONTAINERS} containers");
            found.gaps.push(Gap::new(self.engine.place(self.name), GapReason::Limit, detail));
        }
        for (id, bucket) in containers {
            if !is_known(self.name, &id) {
                self.add(&id, &bucket, found);
            }
        }
        left
    }

    fn add(&mut self, id: &str, bucket: &Bucket, found: &mut Found) {
        let read = Read::new(bucket.record());
        let pod = self.pod(id, &read);
        let kubernetes = kubernetes::of(&read.labels, &pod);
        let in_pod = kubernetes.as_ref().map(|it| it.container.as_ref().unwrap_or(&it.pod));
        let name = in_pod.or_else(|| read.labels.get("nerdctl/name")).filter(|it| !it.is_empty());
        let name = name.cloned().unwrap_or_else(|| values::shown(id));
        let place = place(&name, id);
        let about = |gap: Gap| Gap { place: format!("{place}: {}", gap.place), ..gap };
        let layers = self.layers(&read).map_err(about);
        let mut gaps = Vec::new();
        let at = (self.name, id);
        let (state, state_evidence, state_confidence) =
            state::of(&self.engine.store, at, read.role, layers.as_ref().ok(), &mut gaps);
        found.gaps.extend(gaps.into_iter().map(about));
        found.gaps.extend(read.problems.iter().map(|(reason, it)| Gap::new(&place, *reason, it)));
        let (mounts, is_more) = read.mounts();
        if is_more {
            found.gaps.push(Gap::new(&place, GapReason::Limit, "it has more mounts than are told"));
        }
        let context = ContainerContext {
            engine: engine(self.name),
            store: self.engine.store.name(),
            namespace: Some(values::shown(self.name)),
            image: self.image(&read),
            created: read.record.values.get("createdat").and_then(|time| values::time(time)),
            state,
            state_evidence,
            state_confidence,
            labels: read.labels,
            kubernetes,
            mounts,
            ..ContainerContext::default()
        };
        found.containers.push(Container { id: values::shown(id), name, context, layers });
    }

    fn layers(&self, read: &Read) -> Result<Layers, Gap> {
        let key = read.record.raw("snapshotKey");
        let snapshotter = read.record.raw("snapshotter");
        let place = || self.engine.place(self.name);
        if key.is_empty() {
            if let Some(problem) = &read.record.problem {
                return Err(problem.clone());
            }
            return Err(match read.spec.as_ref().and_then(Spec::root) {
                Some(root) => {
                    let detail = "its root is a folder that is no snapshot of the store";
                    Gap::new(values::shown(root), GapReason::Unsupported, detail)
                }
                None => Gap::new(place(), GapReason::Missing, "its record names no snapshot"),
            });
        }
        self.engine.snapshot(self.name, snapshotter, key)?.ok_or_else(|| {
            let detail = format!("there is no snapshot {}", values::shown(key));
            Gap::new(place(), GapReason::Missing, detail)
        })
    }

    /// The image that it was made from, as far as the store still has it.
    fn image(&self, read: &Read) -> ContainerImage {
        let name = read.record.raw("image");
        let cri = read.cri.as_ref();
        let noted = |of: fn(&ContainerMetadata) -> &String| {
            cri.map(of).map(String::as_str).filter(|it| oci::is_digest(it))
        };
        let (config, digest) = (noted(|it| &it.image_ref), noted(|it| &it.image_digest));
        let names = self.engine.names(self.name);
        let parent = self.parent(read);
        let wanted = Wanted { config, chain: parent.as_deref() };
        // A name may lead elsewhere by now; what the container was made with counts.
        let of_digest = digest.or_else(|| name.rsplit_once('@').map(|(_, digest)| digest));
        let targets = [names.target(name), config.and_then(|config| names.target(config))];
        let targets = targets.into_iter().flatten().cloned();
        let mut targets = targets.chain(of_digest.and_then(Target::of_digest));
        let image = targets.find_map(|it| self.engine.made_from(self.name, &it, wanted));
        let mut image = image.unwrap_or_default();
        if let Some(config) = config {
            image.id = Some(config.to_owned());
        }
        image.reference = Some(values::shown(read.called(name))).filter(|name| !name.is_empty());
        image
    }

    /// The layer of the image that a container's own stands on.
    fn parent(&self, read: &Read) -> Option<String> {
        let (snapshotter, key) = (read.record.raw("snapshotter"), read.record.raw("snapshotKey"));
        let snapshot = self.bucket.nested(&["snapshots", snapshotter, key]).ok()??;
        String::from_utf8(snapshot.get("parent").ok()??).ok()
    }

    /// Labels of the pod that a container is of.
    fn pod(&mut self, id: &str, read: &Read) -> Labels {
        let sandbox = match read.role {
            Role::Sandbox => id,
            _ => read.sandbox(),
        };
        if sandbox.is_empty() {
            return Labels::new();
        }
        if let Some(known) = self.pods.get(sandbox) {
            return known.clone();
        }
        let labels = self.pod_labels(sandbox);
        self.pods.insert(sandbox.to_owned(), labels.clone());
        labels
    }

    /// The sandbox is a container and, in newer versions, has a record as a sandbox too; some have that
    /// beside the buckets of the version.
    fn pod_labels(&self, id: &str) -> Labels {
        let outside = || self.engine.root.nested(&[self.name, "sandboxes", id]);
        let places = [
            (self.bucket.nested(&["containers", id]), "io.cri-containerd.sandbox.metadata"),
            (self.bucket.nested(&["sandboxes", id]), "metadata"),
            (outside(), "metadata"),
        ];
        let mut labels = Labels::new();
        for (bucket, extension) in places {
            let Ok(Some(bucket)) = bucket else { continue };
            let record = bucket.record();
            for (key, value) in record.inner("labels").texts() {
                labels.entry(key).or_insert(value);
            }
            let metadata = cri::extension::<SandboxMetadata>(&record, extension);
            let metadata = metadata.and_then(Result::ok).unwrap_or_default();
            for (key, value) in metadata.into_labels() {
                labels.entry(key).or_insert(value);
            }
        }
        labels
    }
}

impl Read {
    fn new(record: Record) -> Self {
        let mut problems = Vec::new();
        if let Some(problem) = &record.problem {
            problems.push((problem.reason, problem.detail.clone()));
        }
        let labels = record.inner("labels");
        if let Some(problem) = &labels.problem {
            problems.push((problem.reason, format!("its labels: {}", problem.detail)));
        }
        let mut told = |problem: String| problems.push((GapReason::Corrupt, problem));
        let cri = cri::extension(&record, "io.cri-containerd.container.metadata");
        let cri: Option<ContainerMetadata> = cri.and_then(|read| read.map_err(&mut told).ok());
        let spec = spec::of(&record).and_then(|read| read.map_err(&mut told).ok());
        let labels = labels.texts();
        let kind = labels.get("io.cri-containerd.kind").map(String::as_str);
        let is_sandbox = || {
            let extensions = record.inner("extensions");
            extensions.values.contains_key("io.cri-containerd.sandbox.metadata")
        };
        let role = match kind {
            _ if cri.is_some() => Role::Container,
            Some("container") => Role::Container,
            Some("sandbox") => Role::Sandbox,
            _ if is_sandbox() => Role::Sandbox,
            _ => Role::None,
        };
        Self { record, labels, cri, role, spec, problems }
    }

    /// Id of the pod's sandbox; empty if it is not of a pod.
    fn sandbox(&self) -> &str {
        let noted = self.cri.as_ref().map(|cri| cri.sandbox.as_str());
        noted.filter(|id| !id.is_empty()).unwrap_or_else(|| self.record.raw("sandboxid"))
    }

    /// The image's name; kubelet may have named it by its id, and what the pod says is known beside.
    fn called<'r>(&'r self, name: &'r str) -> &'r str {
        let config = self.cri.as_ref().and_then(|cri| cri.config.as_ref());
        let image = config.and_then(|config| config.image.as_ref());
        let said = image.map(|image| image.user_specified_image.as_str()).unwrap_or_default();
        let is_id = oci::is_digest(name);
        if (name.is_empty() || is_id) && !said.is_empty() { said } else { name }
    }

    fn mounts(&self) -> (Vec<ContainerMount>, bool) {
        let volumes = self.record.inner("labels");
        let volumes = Some(volumes.raw("nerdctl/mounts")).filter(|json| !json.is_empty());
        self.spec.as_ref().map(|spec| spec.mounts(volumes)).unwrap_or_default()
    }
}

/// What gaps of a container begin with.
fn place(name: &str, id: &str) -> String {
    let id = values::shown(id);
    let short = id.get(..12).unwrap_or(&id);
    format!("containerd container {name} ({short})")
}
