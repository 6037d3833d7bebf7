//! One file per subcommand, and what they share: progress, the output file, the end by a signal.

pub mod feeds;
pub mod interrupt;
pub mod output;
pub mod progress;
pub mod read_set;
pub mod scan;
