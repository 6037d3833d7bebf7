//! Trees that the kernel or `mkfs.xfs` wrote, read by the reader and by the kernel: all that
//! `statx`, `readlink`, `read`, `listxattr` and `getxattr` tell must be the same.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

#[path = "support/features.rs"]
mod features;
#[path = "conformance/kernel.rs"]
mod kernel;
#[path = "conformance/protofile.rs"]
mod protofile;
#[path = "support/protofile.rs"]
mod protofiles;
#[path = "support/reader.rs"]
mod reader;
#[path = "support/seal.rs"]
mod seal;
#[path = "support/second_witness.rs"]
mod second_witness;
