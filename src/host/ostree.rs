//! Systems that ostree deploys: Fedora CoreOS, Fedora's atomic desktops, RHEL for Edge, bootc.
//!
//! `/ostree/deploy/NAME/deploy/CHECKSUM.SERIAL` is a whole root; `/var` is that of the name, and
//! the filesystem itself is at `/sysroot`. The argument `ostree=` names a link to the deployment.
//! Layout: <https://ostreedev.github.io/ostree/deployment/>. With composefs the running root is an
//! image, `.ostree.cfs`; the folder beside it has the same files.

use super::{Tree, candidates::Candidate};
use crate::filesystem::{Kind, NodeId};
use crate::model::{Gap, GapReason, printable};

/// Most deployments that are looked at on one filesystem.
const MOST: usize = 32;
const DEPLOY: &str = "/ostree/deploy";

/// A deployment.
pub struct Deployment {
    /// Its folder in the filesystem.
    pub folder: String,
    /// The folder as a node.
    pub node: NodeId,
    /// When it was made.
    pub modified: i64,
}

/// The deployments of a filesystem, in the order of their names.
pub fn deployments(tree: &Tree, gaps: &mut Vec<Gap>) -> Vec<Deployment> {
    let mut found = Vec::new();
    for system in tree.list(DEPLOY.as_bytes(), gaps) {
        let folder = [DEPLOY.as_bytes(), b"/", &system.name, b"/deploy"].concat();
        for entry in tree.list(&folder, gaps).into_iter().filter(|it| is_deployment(&it.name)) {
            if found.len() == MOST {
                let detail = format!("more than {MOST} deployments; the rest was not looked at");
                gaps.push(Gap::new(DEPLOY, GapReason::Limit, detail));
                return found;
            }
            let path = [folder.as_slice(), b"/", &entry.name].concat();
            found.extend(deployment(tree, &path, gaps));
        }
    }
    found
}

/// `CHECKSUM.SERIAL`, but not the file `CHECKSUM.SERIAL.origin` beside it.
fn is_deployment(name: &[u8]) -> bool {
    let Some(dot) = name.iter().position(|byte| *byte == b'.') else { return false };
    let (checksum, serial) = (&name[..dot], &name[dot + 1..]);
    !serial.is_empty()
        && checksum.iter().all(u8::is_ascii_hexdigit)
        && serial.iter().all(u8::is_ascii_digit)
}

fn deployment(tree: &Tree, path: &[u8], gaps: &mut Vec<Gap>) -> Option<Deployment> {
    let folder = printable(path);
    let found = tree.find(path).and_then(|at| {
        let metadata = at.map(|at| tree.metadata(at).map(|metadata| (at.node, metadata)));
        let fail = |source| super::PathError::FileSystem { path: folder.clone(), source };
        metadata.transpose().map_err(fail)
    });
    match found {
        Ok(Some((node, metadata))) if metadata.kind == Kind::Directory => {
            Some(Deployment { folder, node, modified: metadata.modified })
        }
        Ok(_) => None,
        Err(error) => {
            gaps.push(Gap::new(folder, error.reason(), error));
            None
        }
    }
}

/// Puts the filesystem at `/sysroot` of a deployment's tree, and its `/var` in place; where, and
/// which folder.
pub fn mount(
    tree: &mut Tree,
    root: &Candidate,
    gaps: &mut Vec<Gap>,
) -> Vec<(&'static str, Option<String>)> {
    let Some((system, _)) = root.folder.as_ref().and_then(|it| it.rsplit_once("/deploy/")) else {
        return Vec::new();
    };
    let (filesystem, top) = (&root.filesystem, root.top);
    let var = format!("/sysroot{system}/var");
    let mounted = tree
        .mount(b"/sysroot", filesystem.clone(), top)
        .and_then(|_| tree.bind(var.as_bytes(), b"/var"));
    match mounted {
        Ok(true) => {
            return vec![("/sysroot", None), ("/var", Some(format!("{system}/var")))];
        }
        Ok(false) => {
            let detail = format!("{var} of its deployment is not there, or there is no /var");
            gaps.push(Gap::new("/var", GapReason::Missing, detail));
        }
        Err(error) => gaps.push(Gap::new("/var", error.reason(), error)),
    }
    vec![("/sysroot", None)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_deployment() {
        for (name, expected) in [
            ("5dce8a8faac406dc.0", true),
            ("5dce8a8faac406dc.12", true),
            ("5dce8a8faac406dc.0.origin", false),
            ("5dce8a8faac406dc", false),
            ("backing", false),
            ("5dce.", false),
        ] {
            assert_eq!(is_deployment(name.as_bytes()), expected, "{name}");
        }
    }
}
