//! Numbers in the byte order of the machine that wrote the log: what stands inside transactions
//! is copied from its memory, while records and the headers of operations are big-endian.
//! A slice that is too short reads as zero; callers check lengths where that would be wrong.

/// Byte order of the machine that wrote a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// x86, ARM.
    Little,
    /// s390x, old POWER.
    Big,
}

impl Order {
    /// From the field `h_fmt` of a record header; IRIX leaves it zero and is not understood.
    pub fn parse(format: u32) -> Option<Self> {
        match format {
            1 => Some(Self::Little),
            2 => Some(Self::Big),
            _ => None,
        }
    }

    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let raw: [u8; 2] = array(bytes, at);
        if self == Self::Little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) }
    }

    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let raw: [u8; 4] = array(bytes, at);
        if self == Self::Little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) }
    }

    pub fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let raw: [u8; 8] = array(bytes, at);
        if self == Self::Little { u64::from_le_bytes(raw) } else { u64::from_be_bytes(raw) }
    }

    /// Copies a number of `width` bytes to the same place of a big-endian structure.
    pub fn to_disk(self, from: &[u8], to: &mut [u8], at: usize, width: usize) {
        let (Some(from), Some(to)) = (from.get(at..at + width), to.get_mut(at..at + width)) else {
            return;
        };
        to.copy_from_slice(from);
        if self == Self::Little {
            to.reverse();
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let part = at.checked_add(N).and_then(|end| bytes.get(at..end));
    part.and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}
