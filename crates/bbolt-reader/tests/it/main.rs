//! Databases that bbolt made, held against what bbolt reads of them, and damage to them. Needs
//! `scripts/setup`.

#![expect(clippy::unwrap_used, reason = "tests, whose helpers may panic too")]

mod cost;
mod damage;
mod hand;
mod listing;
mod live;
mod lookups;
mod loops;
mod made;
mod metas;
mod random_damage;
mod shared;
mod witness;
