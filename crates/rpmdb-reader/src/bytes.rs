//! Numbers in byte slices. A slice that is too short reads as zero; callers check lengths where
//! that would be a wrong answer.

/// The order of a number's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let part = array(bytes, at);
        match self {
            Self::Little => u16::from_le_bytes(part),
            Self::Big => u16::from_be_bytes(part),
        }
    }

    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let part = array(bytes, at);
        match self {
            Self::Little => u32::from_le_bytes(part),
            Self::Big => u32::from_be_bytes(part),
        }
    }
}

pub fn le32(bytes: &[u8], at: usize) -> u32 {
    Order::Little.u32(bytes, at)
}

pub fn be16(bytes: &[u8], at: usize) -> u16 {
    Order::Big.u16(bytes, at)
}

pub fn be32(bytes: &[u8], at: usize) -> u32 {
    Order::Big.u32(bytes, at)
}

pub fn be64(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array(bytes, at))
}

fn array<const LENGTH: usize>(bytes: &[u8], at: usize) -> [u8; LENGTH] {
    part(bytes, at, LENGTH).and_then(|part| part.try_into().ok()).unwrap_or([0; LENGTH])
}

/// `length` bytes from `at`, if the slice has them.
pub fn part(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}
