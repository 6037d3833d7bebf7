//! Version orders, one per scheme.

pub mod dpkg;
