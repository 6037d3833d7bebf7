//! What publishers say of vulnerabilities: feeds are fetched or read from files, freed of their
//! quirks, and kept in one store file that scans look up.

pub mod date;
pub mod feeds;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod import;
pub mod store;
