//! The errors of this crate, which are those of md arrays: much of LVM is made of them.

pub use md_reader::Error;

pub fn corrupt(what: &'static str, at: impl Into<u64>) -> Error {
    Error::Corrupt { what, at: at.into() }
}

pub fn unsupported(feature: impl Into<String>) -> Error {
    Error::Unsupported { feature: feature.into() }
}

pub fn missing(what: impl Into<String>) -> Error {
    Error::Missing { what: what.into() }
}
