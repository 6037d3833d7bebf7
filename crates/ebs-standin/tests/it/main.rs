//! The stand-in over real HTTP, feature by feature.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

mod binary;
mod changed;
mod client;
mod control;
mod errors;
mod faults;
mod get;
mod list;
mod stats;
mod throttle;
mod tokens;
