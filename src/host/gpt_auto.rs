//! Mounts that no configuration names, because the types of the partitions do.
//!
//! Types: <https://uapi-group.org/specifications/specs/discoverable_partitions_specification/>, as
//! `systemd-gpt-auto-generator(8)` mounts them: from the root's disk, where fstab has no line and
//! nothing is hidden, and not if bit 63 is set. Types of x86-64 and arm64. That systemd asks of
//! `/var` that its id fits the machine's is not checked.

use super::Found;
use super::slots;
use super::wanted::Wanted;

/// Types of a root.
pub const ROOT: &[&str] =
    &["4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "b921b045-1df0-41c3-af44-4c6f280d3fae"];
const USR: &[&str] =
    &["8484680c-9521-48c6-9c11-b0720656f69e", "b0e01050-ee5f-4390-949a-9101b17104e9"];
const NO_AUTO: u64 = 1 << 63;

/// Types, and where they are mounted.
const PLACES: &[(&str, &[&str])] = &[
    ("/var", &["4d21b016-b534-45c2-a9fb-5c16e091fd2d"]),
    ("/home", &["933ac7e1-2eb4-4f13-b844-0e14e2aef915"]),
    ("/srv", &["3b8f8425-20e0-4f3b-907f-1a25a76f98e8"]),
    ("/var/tmp", &["7ec6f557-3bc5-4aca-b293-16ef5df639d1"]),
    ("/boot", &["bc13c2ff-59e6-4262-a352-b275fd6f7172"]),
];

/// `/usr`, which has to be there before units are looked for.
pub fn usr(found: &[Found], root: usize) -> Option<Wanted> {
    place(found, root, "/usr", USR)
}

/// All others.
pub fn wanted(found: &[Found], root: usize) -> Vec<Wanted> {
    PLACES.iter().filter_map(|(path, kinds)| place(found, root, path, kinds)).collect()
}

/// The first partition of the type.
fn place(found: &[Found], root: usize, path: &str, kinds: &[&str]) -> Option<Wanted> {
    let fits = |it: &Found| {
        it.disk == found[root].disk && it.is_one_of(kinds) && it.part_attributes & NO_AUTO == 0
    };
    Some(slots::mount(found, found.iter().position(fits)?, path))
}
