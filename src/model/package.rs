//! An installed package.

use serde::Serialize;

/// The package formats that are read. One row here is all that other layers need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Debian packages, of whatever distribution.
    Deb,
    /// rpm packages, of whatever distribution.
    Rpm,
}

impl Ecosystem {
    /// The purl type.
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
        }
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
    /// Package URL.
    pub purl: String,
    /// The source package it was built from.
    pub source: SourcePackage,
    /// Archive that the package says it came from, when it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Who built it, in the package's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Module that it is of: name, stream, version and context, with colons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// When it was installed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<String>,
    /// Id of the key that its signature names; the signature itself is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
    /// Paths on the scanned system that prove the package is there.
    pub evidence: Vec<String>,
}

/// Name and version of a source package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SourcePackage {
    /// Source package name.
    pub name: String,
    /// Source package version.
    pub version: String,
}
