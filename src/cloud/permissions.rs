//! What the caller may do of what a sweep needs, found by dry runs: nothing is made or deleted.

use super::snapshots::specification;
use super::{Account, Error, Instance, Kind, Volume};
use std::future::Future;

/// One permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The action, as IAM writes it.
    pub action: &'static str,
    /// Whether it is there.
    pub verdict: Verdict,
    /// Why, or on what it was tried.
    pub detail: String,
}

/// Whether a permission is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call would have been allowed.
    Allowed,
    /// It would not have been.
    Denied,
    /// It could not be tried.
    Untried,
}

impl Verdict {
    /// The word shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Untried => "not tried",
        }
    }
}

impl Account {
    /// Tries each permission of the control plane, on an instance that a sweep would scan without the
    /// volumes that are left out, or says why there is none.
    pub fn permissions(
        &self,
        instance: Result<&Instance, &str>,
        left_out: &[String],
    ) -> Vec<Permission> {
        let mut found = self.describing();
        let wanted = |it: &&Volume| !left_out.contains(&it.context.id);
        match instance {
            Ok(instance) => {
                found.push(self.making_all(instance, left_out));
                let volume = instance.volumes.iter().find(wanted);
                found.extend(volume.map(|volume| self.making_one(&volume.context.id)));
            }
            Err(why) => {
                let making = ["ec2:CreateSnapshots", "ec2:CreateSnapshot"];
                found.extend(making.map(|action| untried(action, why)));
            }
        }
        found.push(self.deleting());
        found
    }

    fn describing(&self) -> Vec<Permission> {
        let ec2 = &self.clients.discovery;
        let instances = ec2.describe_instances().dry_run(true);
        let volumes = ec2.describe_volumes().dry_run(true);
        let snapshots = ec2.describe_snapshots().owner_ids("self").dry_run(true);
        let images = ec2.describe_images().owners("self").dry_run(true);
        let tried = |action, outcome: Result<(), Error>| permission(action, "", outcome);
        vec![
            tried("ec2:DescribeInstances", self.dry("ec2:DescribeInstances", instances.send())),
            tried("ec2:DescribeVolumes", self.dry("ec2:DescribeVolumes", volumes.send())),
            tried("ec2:DescribeSnapshots", self.dry("ec2:DescribeSnapshots", snapshots.send())),
            tried("ec2:DescribeImages", self.dry("ec2:DescribeImages", images.send())),
        ]
    }

    fn making_all(&self, instance: &Instance, left_out: &[String]) -> Permission {
        const ACTION: &str = "ec2:CreateSnapshots";
        let what = specification(instance, left_out);
        let call =
            self.clients.create.create_snapshots().instance_specification(what).dry_run(true);
        let call = call.tag_specifications(self.trial_tags(instance.id()));
        permission(ACTION, instance.id(), self.dry(ACTION, call.send()))
    }

    fn making_one(&self, volume: &str) -> Permission {
        const ACTION: &str = "ec2:CreateSnapshot";
        let call = self.clients.create.create_snapshot().volume_id(volume).dry_run(true);
        let call = call.tag_specifications(self.trial_tags(volume));
        permission(ACTION, volume, self.dry(ACTION, call.send()))
    }

    /// Only snapshots that bear our tags may be deleted, so it takes one to try.
    fn deleting(&self) -> Permission {
        const ACTION: &str = "ec2:DeleteSnapshot";
        let own = self.tagged_snapshots().map(|tagged| tagged.into_iter().next());
        match own {
            Ok(Some(tagged)) => {
                let call = self
                    .clients
                    .delete
                    .delete_snapshot()
                    .snapshot_id(&tagged.snapshot)
                    .dry_run(true);
                permission(ACTION, &tagged.snapshot, self.dry(ACTION, call.send()))
            }
            Ok(None) => untried(ACTION, "there is no snapshot of ours to try it on"),
            Err(error) => untried(ACTION, &error.to_string()),
        }
    }

    /// The outcome of a dry run: AWS answers one that is allowed with an error of its own kind.
    fn dry<T, E>(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<T, aws_sdk_ec2::error::SdkError<E>>> + Send + 'static,
    ) -> Result<(), Error>
    where
        T: Send + 'static,
        E: std::error::Error + aws_sdk_ec2::error::ProvideErrorMetadata + Send + Sync + 'static,
    {
        match self.wait(call)?.map_err(|error| Error::from_sdk(action, &error)) {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::DryRun => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn permission(action: &'static str, tried_on: &str, outcome: Result<(), Error>) -> Permission {
    let (verdict, detail) = match outcome {
        Ok(()) => (Verdict::Allowed, tried_on.to_owned()),
        Err(error) if error.kind == Kind::Denied => (Verdict::Denied, error.to_string()),
        Err(error) => (Verdict::Untried, error.to_string()),
    };
    Permission { action, verdict, detail }
}

fn untried(action: &'static str, why: &str) -> Permission {
    Permission { action, verdict: Verdict::Untried, detail: why.to_owned() }
}
