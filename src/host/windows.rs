//! Windows: its registry, and who a host is by it.

mod hive;
mod identity;
mod path;

pub use hive::{Fields, Hive};
pub use path::find;
pub use regf_reader::{Key, Time};

pub(super) use identity::complete;

/// The hive of what is installed. Which Windows it is stands inside.
pub const SOFTWARE: &str = "/Windows/System32/config/SOFTWARE";
/// The hive of what belongs to the machine.
pub const SYSTEM: &str = "/Windows/System32/config/SYSTEM";
/// Key of the version, in [`SOFTWARE`].
pub const VERSION: &str = "Microsoft\\Windows NT\\CurrentVersion";
