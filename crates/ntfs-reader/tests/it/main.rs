//! Volumes that mkntfs and ntfs-3g made, read by the reader and by the tools. Needs root and FUSE.

#![expect(clippy::unwrap_used, reason = "tests, whose helpers may panic too")]

mod compressed;
mod cost;
mod damage;
mod fragmented;
mod hold;
mod links;
mod names;
mod random_damage;
mod reader;
mod resident_list;
mod sleuthkit;
mod states;
mod volume;
mod windows_compression;
