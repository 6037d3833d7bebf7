//! Names, and folders that are deep or large.

use crate::Abilities;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const DEPTH: usize = 40;

pub fn names(root: &Path, able: &Abilities) {
    let write = |name: &[u8]| {
        let path = root.join(OsStr::from_bytes(name));
        fs::write(&path, name).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    };
    write(&[b'n'; 255]);
    write("ünïcödé-名前-🦀".as_bytes());
    write(b"a name with spaces, and (some) signs!.tar.gz");
    if able.odd_names {
        let odd = [&b" \n\t\\\"'"[..], b"dots...", b"a:b|c<d>*?", b"-rf", b"..."];
        odd.into_iter().for_each(write);
    }
    if able.raw_names {
        write(b"not-utf8-\xff\xfe");
        write(&[0xe9; 255]);
        (1..=254_u8).filter(|byte| !matches!(byte, b'/' | b'.')).for_each(|byte| write(&[byte]));
    }
    if able.case_sensitive {
        [&b"Case"[..], b"case", b"CASE"].into_iter().for_each(write);
    }
}

pub fn folders(root: &Path, able: &Abilities) {
    let deep = (0..DEPTH).fold(root.to_owned(), |path, level| path.join(format!("d{level}")));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), "deep").unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::create_dir(root.join("few")).unwrap();
    for index in 0..12 {
        fs::write(root.join(format!("few/{index}")), "").unwrap();
    }
    let [large, larger] = able.large_folders;
    // How many, and every which of them is removed again.
    let folders =
        [("large", large, 41), ("larger", larger, 37), ("emptied", 600, 1), ("thinned", 2000, 2)];
    for (folder, count, removed) in folders {
        fs::create_dir(root.join(folder)).unwrap();
        let path = |index| root.join(folder).join(OsStr::from_bytes(&large_name(index, able)));
        (0..count).for_each(|index| fs::write(path(index), b"").unwrap());
        (0..count).step_by(removed).for_each(|index| fs::remove_file(path(index)).unwrap());
    }
}

/// A name in a large folder; of three, one has bytes past ASCII.
fn large_name(index: usize, able: &Abilities) -> Vec<u8> {
    let tail = match index % 3 {
        0 if able.raw_names => b"\xe9\xff\x80",
        0 => "é".as_bytes(),
        _ => b"plain",
    };
    [format!("a-name-in-a-large-folder-{index}-").as_bytes(), tail].concat()
}
