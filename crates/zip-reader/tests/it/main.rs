//! Archives that Python's `zipfile` made, and what comes of damage to each of their structures.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

mod ahead;
mod damage;
mod made;
mod shapes;
