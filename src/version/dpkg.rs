//! The order of Debian package versions: `[epoch:]upstream[-revision]`.
//!
//! Rules: Debian policy, chapter 5.6.12. Runs of non-digits compare by character with `~` before
//! the end and letters before all else; runs of digits compare as numbers of any length.

use std::cmp::Ordering;

/// Compares two versions as `dpkg --compare-versions` does.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_numbers(a.epoch.as_bytes(), b.epoch.as_bytes())
        .then_with(|| compare_part(a.upstream.as_bytes(), b.upstream.as_bytes()))
        .then_with(|| compare_part(a.revision.as_bytes(), b.revision.as_bytes()))
}

struct Parts<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let (epoch, rest) = version.trim().split_once(':').unwrap_or(("0", version.trim()));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch, upstream, revision }
    }
}

fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = a.split_at(run(a, |byte| !byte.is_ascii_digit()));
        let (text_b, rest_b) = b.split_at(run(b, |byte| !byte.is_ascii_digit()));
        let (number_a, next_a) = rest_a.split_at(run(rest_a, u8::is_ascii_digit));
        let (number_b, next_b) = rest_b.split_at(run(rest_b, u8::is_ascii_digit));
        let order = compare_text(text_a, text_b).then_with(|| compare_numbers(number_a, number_b));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (next_a, next_b);
    }
    Ordering::Equal
}

fn run(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(byte)).count()
}

fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |text: &[u8], index: usize| text.get(index).map_or(0, |byte| weight(*byte));
    (0..a.len().max(b.len()))
        .map(|index| weight(a, index).cmp(&weight(b, index)))
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

/// The end of the text weighs 0.
fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        byte if byte.is_ascii_alphabetic() => i32::from(byte),
        byte => i32::from(byte) + 256,
    }
}

fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |number: &[u8]| -> Vec<u8> {
        number.iter().copied().skip_while(|digit| *digit == b'0').collect()
    };
    let (a, b) = (significant(a), significant(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const PIECES: &[&str] = &[
        "0", "1", "01", "9", "10", "~", "~~", "a", "Z", "+", ".", "-", "-0", "x0", "deb12u1",
        "~bpo", "+b1", "1:", "",
    ];

    fn dpkg_says(a: &str, operator: &str, b: &str) -> Option<bool> {
        let status =
            Command::new("dpkg").args(["--compare-versions", a, operator, b]).output().ok()?;
        Some(status.status.success())
    }

    /// The witness is dpkg itself, over pieces that make up every hard case there is.
    #[test]
    fn the_order_is_that_of_dpkg() {
        if dpkg_says("1", "eq", "1").is_none() {
            return test_material::skip("needs dpkg");
        }
        let mut seed = 12_345_u64;
        let mut next = |bound: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % bound
        };
        let mut version = || {
            let epoch = ["", "", "", "0:", "1:"][next(5)];
            let tail: String = (0..next(5)).map(|_| PIECES[next(PIECES.len())]).collect();
            // dpkg refuses an empty revision.
            format!("{epoch}1{}", tail.replace(':', ".").trim_end_matches('-'))
        };
        for _ in 0..1500 {
            let (a, b) = (version(), version());
            let ours = compare(&a, &b);
            let operator = match ours {
                Ordering::Less => "lt",
                Ordering::Equal => "eq",
                Ordering::Greater => "gt",
            };
            assert_eq!(dpkg_says(&a, operator, &b), Some(true), "{a} {operator} {b}");
        }
    }
}
