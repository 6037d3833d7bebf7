//! An installed package.

use super::PackagedKernel;
use serde::Serialize;

/// The package formats that are read. One row here is all that other layers need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Debian packages, of whatever distribution.
    Deb,
    /// rpm packages, of whatever distribution.
    Rpm,
    /// Packages of Alpine and what is made from it.
    Apk,
    /// Packages of Arch Linux and what is made from it.
    Alpm,
    /// Snaps.
    Snap,
    /// Flatpaks, applications and runtimes.
    Flatpak,
    /// Programs and updates of Windows.
    Windows,
    /// Java.
    Maven,
    /// Go modules, the standard library among them.
    Golang,
    /// Rust crates.
    Cargo,
    /// Python.
    Pypi,
    /// Conda, of whatever language.
    Conda,
    /// JavaScript.
    Npm,
    /// Ruby.
    Gem,
    /// .NET.
    Nuget,
    /// PHP.
    Composer,
    /// Elixir and Erlang.
    Hex,
    /// Dart.
    Pub,
    /// Swift.
    Swift,
    /// R.
    Cran,
    /// Julia.
    Julia,
    /// Perl.
    Cpan,
    /// Swift and Objective-C, by CocoaPods.
    Cocoapods,
    /// C and C++.
    Conan,
    /// Haskell.
    Hackage,
    /// Lua.
    Luarocks,
    /// Plugins and themes of WordPress.
    Wordpress,
    /// Programs that Bitnami built.
    Bitnami,
    /// Programs that no package manager installed, known by what stands in their files.
    Generic,
}

impl Ecosystem {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Alpm => "alpm",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
            Self::Windows => "windows",
            Self::Maven => "maven",
            Self::Golang => "golang",
            Self::Cargo => "cargo",
            Self::Pypi => "pypi",
            Self::Conda => "conda",
            Self::Npm => "npm",
            Self::Gem => "gem",
            Self::Nuget => "nuget",
            Self::Composer => "composer",
            Self::Hex => "hex",
            Self::Pub => "pub",
            Self::Swift => "swift",
            Self::Cran => "cran",
            Self::Julia => "julia",
            Self::Cpan => "cpan",
            Self::Cocoapods => "cocoapods",
            Self::Conan => "conan",
            Self::Hackage => "hackage",
            Self::Luarocks => "luarocks",
            Self::Wordpress => "wordpress",
            Self::Bitnami => "bitnami",
            Self::Generic => "generic",
        }
    }

    /// The purl type.
    pub fn purl_type(self) -> &'static str {
        match self {
            // The specification has no types for these.
            Self::Snap | Self::Flatpak | Self::Windows | Self::Wordpress => "generic",
            other => other.as_str(),
        }
    }

    /// Whether its packages are what a system is made of, so that its vendor answers for them.
    pub fn is_system(self) -> bool {
        matches!(self, Self::Deb | Self::Rpm | Self::Apk | Self::Alpm)
    }
}

/// How sure it is that a package is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageState {
    /// Its own files, or the record of its manager, are there.
    #[default]
    Installed,
    /// Its files are there, and its manager has not configured it.
    Unpacked,
    /// A lockfile names it; whether it was installed from it is not known.
    Locked,
}

impl PackageState {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Unpacked => "unpacked",
            Self::Locked => "locked",
        }
    }

    /// Whether it is what nearly all are.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_installed(&self) -> bool {
        *self == Self::Installed
    }
}

/// A package as its manager knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Package {
    /// Binary package name.
    pub name: String,
    /// The whole version, as the package manager writes it.
    pub version: String,
    /// Architecture, as the package manager writes it.
    pub arch: String,
    /// Package format.
    pub ecosystem: Ecosystem,
    /// Whether it is installed or only named.
    #[serde(skip_serializing_if = "PackageState::is_installed")]
    pub state: PackageState,
    /// Name of the system's package that its file belongs to, whose vendor then answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Package URL.
    pub purl: String,
    /// The source package it was built from.
    pub source: SourcePackage,
    /// Who publishes the archive that it came from (`Debian`, `UbuntuESM`), as the archive says where it is
    /// known, else as the package does; `snap:NAME` if it is inside a snap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What it was installed from: release and component of an archive (`bookworm-security/main`), or
    /// the id of a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Who built it, in the package's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Module that it is of: name, stream, version and context, with colons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The kernel that it holds, if it holds one, and whether that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<PackagedKernel>,
    /// When it was installed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<String>,
    /// Id of the key that its signature names; the signature itself is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
    /// Paths on the scanned system that prove the package is there.
    pub evidence: Vec<String>,
}

impl Package {
    /// A package of which no more is known than this. It is its own source.
    pub fn new(ecosystem: Ecosystem, name: String, version: String, evidence: String) -> Self {
        Self {
            source: SourcePackage { name: name.clone(), version: version.clone() },
            name,
            version,
            arch: String::new(),
            ecosystem,
            state: PackageState::Installed,
            owner: None,
            purl: String::new(),
            origin: None,
            repository: None,
            vendor: None,
            module: None,
            kernel: None,
            installed_at: None,
            signing_key: None,
            evidence: vec![evidence],
        }
    }
}

/// Name and version of a source package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SourcePackage {
    /// Source package name.
    pub name: String,
    /// Source package version.
    pub version: String,
}
