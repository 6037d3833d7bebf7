//! What the tests of all formats share.

pub mod image;
pub mod reader;

pub use image::{filled, run, script};
pub use reader::{Reader, open, open_source, same};
