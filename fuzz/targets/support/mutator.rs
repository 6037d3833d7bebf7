//! Changes bytes near those that are used: most of a filesystem is zeroes that nothing reads.

use libfuzzer_sys::fuzzer_mutate;

/// Changes up to four bytes of `data` from `first` on, or leaves it to libFuzzer.
pub fn near_used(data: &mut [u8], size: usize, most: usize, seed: u32, first: usize) -> usize {
    let mut state = u64::from(seed) << 1 | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    if size < 64 || (first == 0 && next() % 8 == 0) {
        return fuzzer_mutate(data, size, most);
    }
    for _ in 0..=next() % 4 {
        let start = next() % size;
        let used = (start..size).chain(0..start).find(|at| data[*at] != 0).unwrap_or(start);
        let at = (used / 16 * 16 + next() % 16).clamp(first, size - 1);
        data[at] = match next() % 6 {
            0 => 0,
            1 => 0xff,
            2 => data[at].wrapping_add(1),
            3 => data[at].wrapping_sub(1),
            4 => data[at] ^ 1 << (next() % 8),
            _ => next() as u8,
        };
    }
    size
}
