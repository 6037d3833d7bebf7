//! Crates that are not ours, on bytes that anybody may have written: a panic in one of them is damage
//! of what it reads, not the end of the scan.

use super::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` gives; `None` if it panics. What a panic leaves half done must not matter: the
/// adapters keep caches only, whose locks are taken even if they are poisoned.
pub fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// What `work` gives; if it panics, an error that names the crate.
pub fn guarded<T>(name: &'static str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let gave_up = || Err(Error::Corrupt { what: format!("{name} gave up on these bytes") });
    caught(work).unwrap_or_else(gave_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_damage_that_names_the_crate() {
        let number = |text: &'static str| move || Ok(text.parse::<u8>().expect("a number"));
        assert_eq!(guarded("reader", number("7")).ok(), Some(7));
        let error = guarded("reader", number("x")).expect_err("a panic");
        assert_eq!(error.to_string(), "damaged: reader gave up on these bytes");
    }
}
