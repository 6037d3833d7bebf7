//! Hives of real tools, hives made byte by byte, and damage to both.

mod damage;
mod hivex;
mod listing;
mod logs;
mod maker;
mod random_damage;
mod real;
mod shapes;
