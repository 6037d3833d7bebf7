//! Hives of real tools, hives made byte by byte, and damage to both.

#![expect(clippy::unwrap_used, reason = "tests, whose helpers may panic too")]

mod damage;
mod hivex;
mod listing;
mod logs;
mod maker;
mod random_damage;
mod real;
mod shapes;
