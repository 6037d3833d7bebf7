//! Scans through the program, over real disks and hostile ones.

mod apk;
mod cloud_init;
mod cut_off;
mod directory;
mod disks;
mod files;
mod findings;
mod flatpak;
mod hosts;
mod images;
mod inventory;
mod joined;
mod kernels;
mod namesakes;
mod next_kernel;
mod origins;
mod pacman;
mod progress;
mod report;
mod rpm;
mod second_engine;
mod services;
mod snap;
#[cfg(feature = "ebs")]
mod snapshots;
mod support;
mod table_or_member;
mod volume_groups;
mod volumes;
mod walked;
mod windows;
