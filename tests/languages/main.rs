//! What the catalogers of languages list, against what each language's own tool says of the same folder.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers may panic too")]

mod executables;
mod java;
mod layouts;
mod lockfiles;
mod node;
mod perl;
mod python;
mod random_damage;
mod rust;
mod support;
