//! Package databases of operating systems.

pub mod dpkg;
