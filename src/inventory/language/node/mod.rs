//! Node: installed packages, and the lockfiles of npm, yarn, pnpm and bun.

mod bun;
mod installed;
mod npm;
mod pnpm;
mod yarn;

use super::Collector;
pub use bun::BUN_LOCK;
pub use installed::PACKAGE_JSON;
pub use npm::PACKAGE_LOCK;
pub use pnpm::PNPM_LOCK;
pub use yarn::YARN_LOCK;

/// Adds a package with its scope.
fn add(found: &mut Collector, name: &str, version: &str) {
    let scope = name.split_once('/').map_or("", |(scope, _)| scope);
    let scope = if scope.starts_with('@') { scope } else { "" };
    found.add_of(scope, name, version);
}

/// `name@rest` or `@scope/name@rest`.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    Some((&text[..at], &text[at + 1..]))
}

/// Whether this is a version, and no link to where the package is.
fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains([':', '/', '#'])
}
