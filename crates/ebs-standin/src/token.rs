//! Page and block tokens: opaque, authenticated, bound to what they are for, and mortal.
//!
//! A token is `mac(16) | hidden claims(29)` in base64. The MAC is a keyed SHA-256 over the
//! claims and the scope (the snapshot); the claims are hidden under a keystream that is
//! made from the MAC, so that no client can rely on what is inside.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::sync::lock;

const MAC: usize = 16;
const CLAIMS: usize = 29;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reading one block; the scope is the snapshot.
    Block = 1,
    /// The next page of `ListSnapshotBlocks`; the scope is the snapshot.
    Page = 2,
    /// The next page of `ListChangedBlocks`; the scope is both snapshots.
    ChangedPage = 3,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It was not made here, or not for this.
    Wrong,
    /// Its time is over.
    Expired,
    /// It was used as often as it may be.
    UsedUp,
}

#[derive(Debug)]
pub(crate) struct Tokens {
    key: [u8; 32],
    generation: AtomicU32,
    serial: AtomicU64,
    skipped_seconds: AtomicU64,
    uses: Mutex<HashMap<u64, u32>>,
}

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Claims {
    purpose: u8,
    generation: u32,
    expires: u64,
    serial: u64,
    index: u64,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        for (n, part) in key.chunks_exact_mut(8).enumerate() {
            part.copy_from_slice(&RandomState::new().hash_one(n).to_le_bytes());
        }
        Self {
            key,
            generation: AtomicU32::new(0),
            serial: AtomicU64::new(0),
            skipped_seconds: AtomicU64::new(0),
            uses: Mutex::default(),
        }
    }

    /// Seconds since 1970 on the clock of the tokens.
    pub(crate) fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs().saturating_add(self.skipped_seconds.load(Ordering::Relaxed))
    }

    /// Sets the clock of the tokens forward.
    pub(crate) fn skip(&self, seconds: u64) {
        self.skipped_seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Ends all tokens that were made so far.
    pub(crate) fn expire_all(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
        lock(&self.uses).clear();
    }

    /// A token that is good until `expires`, in seconds since 1970.
    pub(crate) fn mint(&self, purpose: Purpose, scope: &str, index: u64, expires: u64) -> String {
        let claims = Claims {
            purpose: purpose as u8,
            generation: self.generation.load(Ordering::Relaxed),
            expires,
            serial: self.serial.fetch_add(1, Ordering::Relaxed),
            index,
        };
        let plain = claims.to_bytes();
        let mac = self.mac(&plain, scope);
        let mut token = [0; MAC + CLAIMS];
        token[..MAC].copy_from_slice(&mac);
        token[MAC..].copy_from_slice(&self.hide(mac, plain));
        STANDARD.encode(token)
    }

    /// The index that the token was made for. `uses` is how often one token is good.
    pub(crate) fn check(
        &self,
        purpose: Purpose,
        scope: &str,
        token: &str,
        uses: Option<u32>,
    ) -> Result<u64, Refusal> {
        let claims = self.open(scope, token).ok_or(Refusal::Wrong)?;
        if claims.purpose != purpose as u8 {
            return Err(Refusal::Wrong);
        }
        let stale = claims.generation != self.generation.load(Ordering::Relaxed);
        if stale || claims.expires <= self.now() {
            return Err(Refusal::Expired);
        }
        if uses.is_some_and(|most| !self.use_once(claims.serial, most)) {
            return Err(Refusal::UsedUp);
        }
        Ok(claims.index)
    }

    fn use_once(&self, serial: u64, most: u32) -> bool {
        let mut by_serial = lock(&self.uses);
        let used = by_serial.entry(serial).or_default();
        let left = *used < most;
        *used += u32::from(left);
        left
    }

    fn open(&self, scope: &str, token: &str) -> Option<Claims> {
        let token: [u8; MAC + CLAIMS] = STANDARD.decode(token).ok()?.try_into().ok()?;
        let mac = *token.first_chunk::<MAC>()?;
        let plain = self.hide(mac, *token.last_chunk::<CLAIMS>()?);
        (self.mac(&plain, scope) == mac).then(|| Claims::from_bytes(&plain))?
    }

    fn mac(&self, plain: &[u8; CLAIMS], scope: &str) -> [u8; MAC] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(b"mac");
        hash.update(plain);
        hash.update(scope);
        let mut mac = [0; MAC];
        mac.copy_from_slice(&hash.finalize()[..MAC]);
        mac
    }

    /// Its own inverse.
    fn hide(&self, mac: [u8; MAC], mut claims: [u8; CLAIMS]) -> [u8; CLAIMS] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(b"hide");
        hash.update(mac);
        for (byte, mask) in claims.iter_mut().zip(hash.finalize()) {
            *byte ^= mask;
        }
        claims
    }
}

impl Claims {
    fn to_bytes(self) -> [u8; CLAIMS] {
        let mut bytes = [self.purpose; CLAIMS];
        bytes[1..5].copy_from_slice(&self.generation.to_le_bytes());
        bytes[5..13].copy_from_slice(&self.expires.to_le_bytes());
        bytes[13..21].copy_from_slice(&self.serial.to_le_bytes());
        bytes[21..].copy_from_slice(&self.index.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; CLAIMS]) -> Option<Self> {
        Some(Self {
            purpose: bytes[0],
            generation: u32::from_le_bytes(bytes[1..5].try_into().ok()?),
            expires: u64::from_le_bytes(bytes[5..13].try_into().ok()?),
            serial: u64::from_le_bytes(bytes[13..21].try_into().ok()?),
            index: u64::from_le_bytes(bytes[21..].try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "snap-0a";

    fn check(tokens: &Tokens, token: &str) -> Result<u64, Refusal> {
        tokens.check(Purpose::Block, ID, token, None)
    }

    #[test]
    fn a_token_is_good_only_for_what_it_was_made_for() {
        let tokens = Tokens::new();
        let token = tokens.mint(Purpose::Block, ID, 42, u64::MAX);
        assert_eq!(check(&tokens, &token), Ok(42));
        assert_eq!(tokens.check(Purpose::Page, ID, &token, None), Err(Refusal::Wrong));
        assert_eq!(tokens.check(Purpose::Block, "snap-0b", &token, None), Err(Refusal::Wrong));
        assert_eq!(check(&Tokens::new(), &token), Err(Refusal::Wrong));
    }

    #[test]
    fn a_token_with_any_byte_changed_is_wrong() {
        let tokens = Tokens::new();
        let token = STANDARD.decode(tokens.mint(Purpose::Block, ID, 42, u64::MAX)).unwrap();
        for at in 0..token.len() {
            let mut changed = token.clone();
            changed[at] ^= 1;
            assert_eq!(check(&tokens, &STANDARD.encode(changed)), Err(Refusal::Wrong));
        }
        assert_eq!(check(&tokens, ""), Err(Refusal::Wrong));
    }

    #[test]
    fn tokens_end_by_time_by_command_and_by_use() {
        let tokens = Tokens::new();
        let token = tokens.mint(Purpose::Block, ID, 1, tokens.now() + 3600);
        let once = || tokens.check(Purpose::Block, ID, &token, Some(1));
        assert_eq!((once(), once()), (Ok(1), Err(Refusal::UsedUp)));
        assert_eq!(check(&tokens, &token), Ok(1));
        tokens.skip(3600);
        assert_eq!(check(&tokens, &token), Err(Refusal::Expired));
        let token = tokens.mint(Purpose::Block, ID, 1, u64::MAX);
        tokens.expire_all();
        assert_eq!(check(&tokens, &token), Err(Refusal::Expired));
    }

    #[test]
    fn tokens_have_the_form_that_the_service_model_gives() {
        let token = Tokens::new().mint(Purpose::Page, ID, 1, 2);
        assert!(token.len() <= 256);
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        assert!(token.chars().all(is_allowed));
    }
}
