//! Programs of this machine against `readelf`, small ones of the other formats that are made here, and
//! damage to every structure.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

mod damage;
mod made;
mod readelf;
