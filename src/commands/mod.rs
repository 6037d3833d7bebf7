//! One file per subcommand.

pub mod feeds;
