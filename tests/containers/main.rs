//! Containers on disks: what the scan says of them against what their engines said.

mod archives;
mod stores;
mod support;
