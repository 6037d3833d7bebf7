//! One file per subcommand.

pub mod feeds;
pub mod scan;
