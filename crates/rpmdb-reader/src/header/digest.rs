//! The digest of what came with the package, which was added to the header at installation: of the
//! region as it stood in the package file, with the head that it had there.

use super::{ENTRY, Header, tag};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How headers begin in a package file.
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];

impl Header<'_> {
    /// Whether the digest holds; nothing if there is none, as of keys. Not covered is what was
    /// added at installation: its time, states of files, signatures.
    pub fn digest_holds(&self) -> Option<bool> {
        self.region.filter(|region| region.tag == tag::HEADER_IMMUTABLE)?;
        let digest = |tag| self.text(tag).ok().flatten();
        if let Some(digest) = digest(tag::SHA256_HEADER) {
            return self.hash::<Sha256>(digest);
        }
        self.hash::<Sha1>(digest(tag::SHA1_HEADER)?)
    }

    fn hash<D: Digest>(&self, expected: &[u8]) -> Option<bool> {
        let region = self.region?;
        let mut hash = D::new();
        hash.update(MAGIC);
        hash.update(((region.index.len() / ENTRY) as u32).to_be_bytes());
        hash.update((region.data.len() as u32).to_be_bytes());
        hash.update(region.index);
        hash.update(region.data);
        let found = hash.finalize();
        let digits = expected.as_chunks::<2>();
        let same = digits.0.len() == found.len()
            && digits.1.is_empty()
            && digits.0.iter().zip(found).all(|(digits, byte)| value(*digits) == Some(byte));
        Some(same)
    }
}

fn value(digits: [u8; 2]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    Some((digit(digits[0])? << 4 | digit(digits[1])?) as u8)
}
