//! Databases that rpm, libdb and SQLite made, read by the reader and by them. Needs `scripts/setup`.

#![expect(clippy::unwrap_used, reason = "tests, whose helpers may panic too")]

mod committed;
mod cost;
mod damage;
mod headers;
mod holes;
mod listing;
mod random_damage;
mod real_rpm;
mod shapes_of_bdb;
mod shapes_of_sqlite;
mod shared;
mod tables;
mod wal;
