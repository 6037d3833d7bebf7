//! Thousands of databases with random damage: nothing may panic or run away, and a package that
//! is gone or is another one must be told.

use crate::damage::{bdb, ndb, sqlite};
use crate::listing::listing_of_bytes;

/// Of each kind; each harms up to four bytes.
const ROUNDS: u64 = 2000;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn harm(&mut self, bytes: &mut [u8]) {
        for _ in 0..=self.below(4) {
            // Half of it where the structures are.
            let near = if self.below(2) == 0 { bytes.len() } else { bytes.len().min(8192) };
            let byte = self.below(near);
            let byte = &mut bytes[byte];
            *byte = match self.below(5) {
                0 => 0,
                1 => 0xff,
                2 => byte.wrapping_add(1),
                3 => *byte ^ 1 << self.below(8),
                _ => self.below(256) as u8,
            };
        }
    }
}

/// Names, versions and so on to the source package: what findings are made from.
fn identity(package: &str) -> String {
    package.split('\t').take(6).collect::<Vec<_>>().join("\t")
}

fn check(whole: &[u8], seed: u64) {
    let identities =
        |packages: &[String]| packages.iter().map(|package| identity(package)).collect();
    let expected: Vec<String> = identities(&listing_of_bytes(whole.to_vec()).packages);
    let mut numbers = Numbers(seed);
    let mut told = 0;
    for round in 0..ROUNDS {
        let mut bytes = whole.to_vec();
        numbers.harm(&mut bytes);
        let listing = listing_of_bytes(bytes);
        let found: Vec<String> = identities(&listing.packages);
        assert!(found == expected || !listing.problems.is_empty(), "round {round}: {found:?}");
        told += u64::from(!listing.problems.is_empty());
    }
    assert!(told > ROUNDS / 10, "{told}");
}

#[test]
fn of_ndb() {
    check(&ndb(), 1);
}

#[test]
fn of_berkeley_db() {
    check(&bdb(), 2);
}

#[test]
fn of_sqlite() {
    if let Some(whole) = sqlite() {
        check(&whole, 3);
    }
}
