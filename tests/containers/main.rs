//! Containers on disks: what the scan says of them against what their engines said.

mod stores;
mod support;
