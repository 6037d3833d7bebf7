//! Package databases of operating systems.

pub mod apk;
mod at_once;
pub mod dpkg;
pub mod flatpak;
mod lines;
pub mod pacman;
pub mod rpm;
pub mod snap;
mod unpacked;
pub mod windows;
mod words;
