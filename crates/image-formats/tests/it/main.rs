//! Images made by qemu-img, tar and the packers, held against what these say is in them.

mod appliances;
mod chains;
mod damage;
mod formats;
mod hostile;
mod logs;
mod packed;
mod support;
