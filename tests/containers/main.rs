//! Containers on disks: what the scan says of them against what their engines said.

mod engines;
mod stores;
mod support;
