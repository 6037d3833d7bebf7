//! ELF programs of this machine, against binutils.

use std::process::Command;
use std::sync::Arc;
use test_material::Counting;

/// Name, address, offset and size of each section that `readelf` lists.
fn told(path: &str) -> Vec<(String, u64, u64, u64)> {
    let output = Command::new("readelf").args(["-SW", path]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines =
        text.lines().filter_map(|line| line.trim_start().strip_prefix('[')?.split_once(']'));
    let lines = lines.filter(|(number, _)| number.trim().parse::<u32>().is_ok_and(|it| it > 0));
    lines
        .map(|(_, rest)| {
            let words: Vec<_> = rest.split_whitespace().collect();
            let number = |at: usize| u64::from_str_radix(words[at], 16).unwrap();
            let size = if words[1] == "NOBITS" { 0 } else { number(4) };
            (words[0].to_owned(), number(2), number(3), size)
        })
        .collect()
}

#[test]
fn the_sections_of_programs_are_those_of_readelf() {
    let mut compared = 0;
    for path in [
        "/bin/true",
        "/bin/bash",
        "/usr/bin/perl",
        "/usr/bin/readelf",
        "/lib64/ld-linux-x86-64.so.2",
    ] {
        let Ok(bytes) = std::fs::read(path) else { continue };
        let device = Counting::new(bytes);
        let program = executable_reader::open(Arc::new(device.clone())).unwrap().remove(0);
        assert!(program.problems().is_empty(), "{:?}", program.problems());
        let found = program.sections().iter().skip(1);
        let found: Vec<_> =
            found.map(|it| (it.name.clone(), it.address, it.offset, it.size)).collect();
        assert_eq!(found, told(path), "{path}");
        let rodata = program.section(".rodata").unwrap();
        assert_eq!(program.find(rodata.address).unwrap().start, rodata.offset, "{path}");
        assert!(device.take().bytes < 16 << 10);
        compared += 1;
    }
    assert!(compared >= 2, "only {compared} programs");
}
