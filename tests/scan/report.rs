//! What reports, help and errors look like, and that documents are valid where they follow a
//! standard. The snapshots are in `tests/snapshots`; read a change in one as a user would.

#[path = "report/cyclonedx.rs"]
mod cyclonedx;
#[path = "report/kernels.rs"]
mod kernels;
#[path = "report/output.rs"]
mod output;
#[path = "report/sample.rs"]
mod sample;
#[path = "report/shown.rs"]
mod shown;
#[path = "report/spdx.rs"]
mod spdx;
#[path = "report/validator.rs"]
mod validator;
