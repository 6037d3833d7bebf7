//! One header of a tar archive, as ustar, GNU tar and what came before them write it.

/// Bytes of a header, to which all else is filled up.
pub const BLOCK: u64 = 512;

/// A header whose checksum holds.
pub struct Header<'a>(&'a [u8; BLOCK as usize]);

impl<'a> Header<'a> {
    /// Takes a header; none if its checksum does not hold.
    pub fn checked(block: &'a [u8; BLOCK as usize]) -> Option<Self> {
        let said = number(&block[148..156])?;
        let sum = |add: fn(u8) -> i64| {
            let rest = block[..148].iter().chain(&block[156..]);
            rest.map(|byte| add(*byte)).sum::<i64>() + 8 * 32
        };
        // Old programs added signed bytes.
        let holds = said == sum(i64::from) || said == sum(|byte| i64::from(byte.cast_signed()));
        holds.then_some(Self(block))
    }

    /// What it is of.
    pub fn kind(&self) -> u8 {
        self.0[156]
    }

    /// The name. GNU tar has other things in the place of the part that stands before it, and another magic.
    pub fn name(&self) -> Vec<u8> {
        let (prefix, name) = (until_zero(&self.0[345..500]), until_zero(&self.0[..100]));
        let is_ustar = &self.0[257..263] == b"ustar\0";
        if prefix.is_empty() || !is_ustar { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    /// Where a link leads.
    pub fn link(&self) -> Vec<u8> {
        until_zero(&self.0[157..257]).to_vec()
    }

    /// Bytes behind the header.
    pub fn size(&self) -> Option<u64> {
        u64::try_from(number(&self.0[124..136])?).ok()
    }

    /// Permission bits.
    pub fn mode(&self) -> u16 {
        (small(&self.0[100..108]) & 0o7777) as u16
    }

    /// Owner and group.
    pub fn owner(&self) -> (u32, u32) {
        (small(&self.0[108..116]), small(&self.0[116..124]))
    }

    /// Last modification, seconds since 1970.
    pub fn modified(&self) -> i64 {
        number(&self.0[136..148]).unwrap_or(0)
    }

    /// Numbers of a device.
    pub fn device(&self) -> (u32, u32) {
        (small(&self.0[329..337]), small(&self.0[337..345]))
    }

    /// GNU tar's list of a sparse file's pieces, its size, and whether the list goes on in a block behind.
    pub fn pieces(&self) -> (Vec<(u64, u64)>, Option<u64>, bool) {
        let size = number(&self.0[483..495]).and_then(|it| u64::try_from(it).ok());
        (pieces(&self.0[386..482]), size, self.0[482] != 0)
    }
}

/// Offsets and lengths of a sparse file's pieces, up to the first that is empty.
pub fn pieces(fields: &[u8]) -> Vec<(u64, u64)> {
    let of = |field: &[u8]| {
        let is_there = field[0] != 0;
        is_there.then(|| u64::try_from(number(field)?).ok()).flatten()
    };
    fields.chunks_exact(24).map_while(|it| Some((of(&it[..12])?, of(&it[12..])?))).collect()
}

fn small(field: &[u8]) -> u32 {
    number(field).and_then(|it| u32::try_from(it).ok()).unwrap_or(0)
}

/// Octal digits, or where these do not suffice a number of two's complement below the highest bit.
fn number(field: &[u8]) -> Option<i64> {
    if field[0] & 0x80 != 0 {
        let sign: i128 = if field[0] & 0x40 == 0 { 0 } else { -1 };
        let first = (sign << 6) | i128::from(field[0] & 0x3f);
        let whole = field[1..].iter().fold(first, |sum, byte| (sum << 8) | i128::from(*byte));
        return i64::try_from(whole).ok();
    }
    let text = std::str::from_utf8(until_zero(field)).ok()?.trim();
    if text.is_empty() { Some(0) } else { i64::from_str_radix(text, 8).ok() }
}

/// A field's text.
pub fn until_zero(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}
