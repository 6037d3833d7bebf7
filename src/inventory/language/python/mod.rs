//! Python: what pip and setuptools left where they installed, and what applications lock.

mod installed;
mod locked;
mod requirements;

pub use installed::Installed;
pub use locked::{PIPFILE, PIPFILE_LOCK, TOML_LOCKS};
pub use requirements::REQUIREMENTS;
