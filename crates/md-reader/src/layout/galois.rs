//! Arithmetic of raid6's second parity: bytes as polynomials over two, modulo 0x11d.

/// Twice a byte.
fn double(byte: u8) -> u8 {
    (byte << 1) ^ if byte & 0x80 == 0 { 0 } else { 0x1d }
}

pub fn multiply(left: u8, right: u8) -> u8 {
    let mut power = left;
    (0..8).fold(0, |sum, bit| {
        let term = if right >> bit & 1 == 1 { power } else { 0 };
        power = double(power);
        sum ^ term
    })
}

/// Two to a power.
pub fn power(exponent: usize) -> u8 {
    (0..exponent % 255).fold(1, |byte, _| double(byte))
}

/// What gives one when multiplied: the power of 254, for all but zero.
pub fn inverse(byte: u8) -> u8 {
    (0..254).fold(1, |product, _| multiply(product, byte))
}

/// Adds `factor` times `from` to `to`.
pub fn add(to: &mut [u8], from: &[u8], factor: u8) {
    if factor == 1 {
        to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
        return;
    }
    let table: [u8; 256] = std::array::from_fn(|byte| multiply(byte as u8, factor));
    for (to, from) in to.iter_mut().zip(from) {
        *to ^= table[usize::from(*from)];
    }
}

/// Multiplies all bytes.
pub fn scale(bytes: &mut [u8], factor: u8) {
    let table: [u8; 256] = std::array::from_fn(|byte| multiply(byte as u8, factor));
    for byte in bytes {
        *byte = table[usize::from(*byte)];
    }
}
