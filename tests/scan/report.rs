//! What reports look like, and that they are valid where they follow a standard.

#[path = "report/cyclonedx.rs"]
mod cyclonedx;
#[path = "report/sample.rs"]
mod sample;
#[path = "report/validator.rs"]
mod validator;
