//! Packages of languages: what the tools of a language left where they installed, and the lockfiles
//! of applications.
//!
//! Each cataloger reads one kind of evidence, wherever the walk finds it. What merely has the name
//! of evidence and is none, such as a `package.json` without a version, is no gap; what claims to be and cannot be
//! read is one.

mod bitnami;
mod cargo;
mod cocoapods;
mod collector;
mod composer;
mod conan;
mod conda;
mod dart;
mod dotnet;
mod egg;
mod elixir;
pub mod executables;
mod fields;
mod go_mod;
mod gradle;
mod haskell;
pub mod java;
mod json;
mod julia;
mod luarocks;
mod manifest;
mod node;
mod packages_props;
mod perl;
mod place;
mod python;
mod r;
mod rebar;
mod release_files;
mod ruby;
mod sbt;
mod sections;
mod swift;
mod text;
mod version_files;
mod wordpress;
mod xml;

use super::Cataloger;
use crate::host::Host;
use crate::model::{Gap, GapReason, printable, printable_str};

pub use collector::Collector;
pub use manifest::Manifest;

/// All catalogers of languages. Adding one is a file and a line here.
pub const CATALOGERS: &[&dyn Cataloger] = &[
    &bitnami::SPDX,
    &cargo::CARGO_LOCK,
    &cocoapods::PODFILE_LOCK,
    &composer::INSTALLED,
    &composer::LOCK,
    &conan::CONAN_LOCK,
    &conda::RECORD,
    &dart::PUBSPEC_LOCK,
    &dotnet::CONFIG,
    &dotnet::DEPS,
    &dotnet::LOCK,
    &egg::Egg,
    &elixir::MIX_LOCK,
    &executables::Executables,
    &go_mod::GoMod,
    &gradle::LOCKFILE,
    &haskell::CABAL_FREEZE,
    &haskell::STACK_LOCK,
    &java::Java,
    &julia::MANIFEST,
    &luarocks::Rockspec,
    &node::BUN_LOCK,
    &node::PACKAGE_JSON,
    &node::PACKAGE_LOCK,
    &node::PNPM_LOCK,
    &node::YARN_LOCK,
    &packages_props::PACKAGES_PROPS,
    &perl::INSTALL_JSON,
    &perl::Packlist,
    &perl::SNAPSHOT,
    &python::Installed,
    &python::PIPFILE,
    &python::PIPFILE_LOCK,
    &python::REQUIREMENTS,
    &python::TOML_LOCKS,
    &r::DESCRIPTION,
    &r::RENV_LOCK,
    &rebar::REBAR_LOCK,
    &release_files::ReleaseFiles,
    &ruby::GEMFILE_LOCK,
    &ruby::GEMSPEC,
    &sbt::BUILD_SBT_LOCK,
    &swift::PACKAGE_RESOLVED,
    &version_files::PHP,
    &version_files::PYTHON,
    &version_files::WORDPRESS,
    &wordpress::Extensions,
];

/// Bytes of a manifest or a lockfile. The largest real ones have some ten million.
pub const MOST_MANIFEST: u64 = 64 << 20;

/// A manifest's bytes; one that cannot be read, or is too large, is a gap.
pub fn manifest(host: &Host, path: &[u8], gaps: &mut Vec<Gap>) -> Option<Vec<u8>> {
    match host.tree.read(path, MOST_MANIFEST) {
        Ok(bytes) => bytes,
        Err(error) => {
            gaps.push(Gap::new(printable(path), error.reason(), error));
            None
        }
    }
}

/// That a file is not what it claims to be.
pub fn corrupt(path: &[u8], detail: &str) -> Gap {
    Gap::new(printable(path), GapReason::Corrupt, printable_str(detail))
}
