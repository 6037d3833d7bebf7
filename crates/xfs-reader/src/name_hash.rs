//! The hash of names in directories and of attributes.
//! "XFS Algorithms & Data Structures", "Hash Function".

/// Four bytes at a time, each in seven bits, over what came before turned by as much.
pub fn name_hash(name: &[u8]) -> u32 {
    let (fours, rest) = name.as_chunks::<4>();
    let whole = fours.iter().fold(0, |hash, four| mix(hash, four));
    if rest.is_empty() { whole } else { mix(whole, rest) }
}

fn mix(hash: u32, bytes: &[u8]) -> u32 {
    let turned = hash.rotate_left(7 * bytes.len() as u32);
    let bits = bytes.iter().fold(0, |bits: u32, byte| bits << 7 ^ u32::from(*byte));
    turned ^ bits
}
