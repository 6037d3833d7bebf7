//! Journal files that systemd wrote, held against journalctl, and damage to them.

#![expect(clippy::unwrap_used, reason = "tests, whose helpers may panic too")]

mod blocks;
mod boots;
mod damage;
mod journald;
mod listing;
mod maker;
mod packed;
mod random_damage;
