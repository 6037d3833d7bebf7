//! Hashes of names in directory indexes, as the kernel's `fs/ext4/hash.c` and `e2fsprogs` define
//! them: <https://docs.kernel.org/filesystems/ext4/dynamic.html#hash-tree-directories>.

/// How names are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Legacy,
    HalfMd4,
    Tea,
}

/// Whether bytes of names count as signed: they do on the machine that made the filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Signed,
    Unsigned,
}

const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
/// The largest hash marks the end of a directory for readers, so no name has it.
const LARGEST: u32 = 0xffff_fffe;

/// The hash that orders a name in an index. Its lowest bit is clear.
pub fn name_hash(algorithm: Algorithm, sign: Sign, seed: [u32; 4], name: &[u8]) -> u32 {
    let start = if seed == [0; 4] { INITIAL } else { seed };
    let hash = match algorithm {
        Algorithm::Legacy => legacy(sign, name),
        Algorithm::HalfMd4 => {
            chunks::<8>(sign, name, 32).fold(start, |state, input| half_md4(state, &input))[1]
        }
        Algorithm::Tea => {
            chunks::<4>(sign, name, 16).fold(start, |state, input| tea(state, &input))[0]
        }
    };
    let hash = hash & !1;
    if hash == LARGEST { LARGEST - 2 } else { hash }
}

impl Sign {
    fn widen(self, byte: u8) -> u32 {
        match self {
            Self::Signed => i32::from(byte.cast_signed()).cast_unsigned(),
            Self::Unsigned => u32::from(byte),
        }
    }
}

/// The name in pieces of `bytes` bytes, each packed into words.
fn chunks<const WORDS: usize>(
    sign: Sign,
    name: &[u8],
    bytes: usize,
) -> impl Iterator<Item = [u32; WORDS]> {
    (0..name.len()).step_by(bytes).map(move |at| pack(sign, &name[at..]))
}

/// Words of four bytes, first byte highest; what the name is too short for is its length.
fn pack<const WORDS: usize>(sign: Sign, rest: &[u8]) -> [u32; WORDS] {
    let length = rest.len() as u32;
    let pad = (length | length << 8) & 0xffff;
    let pad = pad | pad << 16;
    std::array::from_fn(|word| {
        let part = rest.chunks(4).nth(word).unwrap_or_default();
        part.iter().fold(pad, |value, byte| sign.widen(*byte).wrapping_add(value << 8))
    })
}

fn legacy(sign: Sign, name: &[u8]) -> u32 {
    let (mut newer, mut older) = (0x12a3_fe2d_u32, 0x37ab_e8f9_u32);
    for byte in name {
        let mixed = newer ^ sign.widen(*byte).wrapping_mul(7_152_373);
        let mut next = older.wrapping_add(mixed);
        if next & 0x8000_0000 != 0 {
            next = next.wrapping_sub(0x7fff_ffff);
        }
        (newer, older) = (next, newer);
    }
    newer << 1
}

/// MD4 with three rounds of eight steps.
fn half_md4(state: [u32; 4], input: &[u32; 8]) -> [u32; 4] {
    type Mix = fn(u32, u32, u32) -> u32;
    let rounds: [(Mix, u32, [usize; 8], [u32; 4]); 3] = [
        (|x, y, z| z ^ (x & (y ^ z)), 0, [0, 1, 2, 3, 4, 5, 6, 7], [3, 7, 11, 19]),
        (
            |x, y, z| (x & y).wrapping_add((x ^ y) & z),
            0x5a82_7999,
            [1, 3, 5, 7, 0, 2, 4, 6],
            [3, 5, 9, 13],
        ),
        (|x, y, z| x ^ y ^ z, 0x6ed9_eba1, [3, 7, 2, 6, 1, 5, 0, 4], [3, 9, 11, 15]),
    ];
    let [mut a, mut b, mut c, mut d] = state;
    for (mix, constant, order, shifts) in rounds {
        for (step, word) in order.into_iter().enumerate() {
            let sum = a.wrapping_add(mix(b, c, d)).wrapping_add(input[word]);
            let turned = sum.wrapping_add(constant).rotate_left(shifts[step % 4]);
            (a, b, c, d) = (d, turned, b, c);
        }
    }
    let end = [a, b, c, d];
    std::array::from_fn(|index| state[index].wrapping_add(end[index]))
}

/// Sixteen rounds of the Tiny Encryption Algorithm; the name's words are the key.
fn tea(state: [u32; 4], key: &[u32; 4]) -> [u32; 4] {
    let [mut left, mut right, ..] = state;
    let mut sum = 0_u32;
    let half = |other: u32, sum: u32, first: u32, second: u32| {
        (other << 4).wrapping_add(first)
            ^ other.wrapping_add(sum)
            ^ (other >> 5).wrapping_add(second)
    };
    for _ in 0..16 {
        sum = sum.wrapping_add(0x9e37_79b9);
        left = left.wrapping_add(half(right, sum, key[0], key[1]));
        right = right.wrapping_add(half(left, sum, key[2], key[3]));
    }
    [state[0].wrapping_add(left), state[1].wrapping_add(right), state[2], state[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    const SEED: [u32; 4] = [0x0403_0201, 0x0605_0807, 0x0a09_0c0b, 0x100f_0e0d];

    /// What debugfs of e2fsprogs says.
    fn witness(algorithm: &str, name: &[u8]) -> u32 {
        let request = format!("dx_hash -h {algorithm} -s 01020304-0708-0506-0b0c-090a0d0e0f10 ");
        let mut request = OsString::from(request);
        request.push(OsStr::from_bytes(name));
        let output = Command::new("debugfs")
            .arg("-R")
            .arg(request)
            .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()))
            .output()
            .expect("e2fsprogs is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, hash) = text.rsplit_once(" is 0x").expect("debugfs answers");
        u32::from_str_radix(hash.split(' ').next().unwrap(), 16).unwrap()
    }

    /// Only the signed ones: debugfs has no name for the others, whose witness is the kernel, in
    /// `tests/against_the_kernel.rs`.
    #[test]
    fn signed_hashes_are_those_of_e2fsprogs() {
        let algorithms = [
            ("legacy", Algorithm::Legacy),
            ("half_md4", Algorithm::HalfMd4),
            ("tea", Algorithm::Tea),
        ];
        let names = [1, 3, 4, 15, 16, 17, 31, 32, 33, 64, 100, 255].map(|length: u8| {
            let ascii = (0..length).map(|at| b'a' + at % 26).collect::<Vec<_>>();
            let high = (0..length).map(|at| 0x80 | at.wrapping_mul(37)).collect::<Vec<_>>();
            [ascii, high]
        });
        for (text, algorithm) in algorithms {
            for name in names.as_flattened() {
                let ours = name_hash(algorithm, Sign::Signed, SEED, name);
                assert_eq!(ours, witness(text, name), "{text} of {name:?}");
            }
        }
    }
}
