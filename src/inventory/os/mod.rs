//! Package databases of operating systems.

pub mod dpkg;
pub mod rpm;
