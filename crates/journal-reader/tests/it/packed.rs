//! Values as older versions of systemd packed them, put in the place of those that are just too short
//! to be packed. The witness is journalctl again.

use crate::maker::{Log, SHAPES, Shape, journalctl, made, read};
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Bytes of the shortest value that is packed here; those of 512 are packed already.
const LEAST: usize = 300;

#[test]
fn values_packed_with_xz_and_lz4() {
    for shape in SHAPES {
        check(shape, 1, xz);
        check(shape, 2, lz4);
    }
}

fn check(shape: Shape, flag: u8, pack: fn(&[u8]) -> Vec<u8>) {
    let Some(made) = made(&Log { boots: 1, entries: 100 }.export(), shape) else { return };
    let expected = journalctl(&made.path(), &[]);
    let mut bytes = made.bytes();
    assert_eq!(pack_again(&mut bytes, shape, flag, pack), 5);
    // XZ and LZ4 are the first two of the incompatible flags.
    bytes[12] |= flag;
    fs::write(made.path(), bytes).unwrap();
    assert_eq!(journalctl(&made.path(), &[]), expected, "the witness reads what was packed");
    let mut journal = made.open();
    let machine = journal.find(format!("_MACHINE_ID={:032x}", 1).as_bytes()).unwrap().unwrap();
    let places = journal.oldest(&machine, usize::MAX).places;
    assert_eq!(read(&mut journal, &places), expected, "{shape:?} {flag}");
    for entry in expected {
        for text in entry.3 {
            assert!(journal.find(&text).unwrap().is_some());
        }
    }
}

/// Packs all values that are long and not packed; how many.
fn pack_again(bytes: &mut [u8], shape: Shape, flag: u8, pack: fn(&[u8]) -> Vec<u8>) -> usize {
    let fixed = if shape.compact { 72 } else { 64 };
    let (mut at, mut count) = (number(bytes, 88), 0);
    while let Some(size) = bytes.get(at..at + 16).map(|head| number(head, 8)).filter(|it| *it > 0) {
        if bytes[at..at + 2] == [1, 0] && size - fixed >= LEAST {
            let packed = pack(&bytes[at + fixed..at + size]);
            bytes[at + fixed..][..packed.len()].copy_from_slice(&packed);
            bytes[at + 1] = flag;
            bytes[at + 8..at + 16].copy_from_slice(&(fixed + packed.len()).to_le_bytes());
            count += 1;
        }
        at += size.next_multiple_of(8);
    }
    count
}

fn number(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    tool(&["xz", "-c", "--check=none"], bytes)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; lz4_flex::block::get_maximum_output_size(bytes.len())];
    let length = lz4_flex::block::compress_into(bytes, &mut packed).unwrap();
    [&(bytes.len() as u64).to_le_bytes(), &packed[..length]].concat()
}

fn tool(command: &[&str], input: &[u8]) -> Vec<u8> {
    let mut tool = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(input).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    output.stdout
}
