//! Tables that SQLite makes in all page sizes, with rows of all lengths around what fits on a page.

use crate::listing::{open, run};
use rpmdb_reader::{Beside, Database};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// A table like rpm's, whose row `n` holds `(n * 7 + i) % 251` at byte `i`. Some rows are removed
/// again, and made anew longer. Prints numbers and lengths.
const MAKE: &str = r"
import sqlite3, sys
path, size, settings = sys.argv[1], int(sys.argv[2]), sys.argv[3]
base = sqlite3.connect(path, isolation_level=None)
base.executescript(f'pragma page_size={size}; {settings}')
base.executescript('create table Name(a, b); create index first on Name(a);'
    'create table Packages(hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)')
lengths = [*range(1, 40), *range(size // 4 - 60, size // 4 + 20), *range(size - 60, size + 20), 3 * size, 40 * size]
lengths = [length for length in lengths if length > 0]
put = lambda n, length: base.execute('insert into Packages values(?, ?)', (n, bytes((n * 7 + i) % 251 for i in range(length))))
base.execute('begin')
for n, length in enumerate(lengths, 1): put(n, length)
for n in range(1, len(lengths), 3): base.execute('delete from Packages where hnum=?', (n,))
for n in range(1, len(lengths), 6): put(n, 2 * size)
put(2**31, 5)
base.execute('commit')
for row in base.execute('select hnum, length(blob) from Packages order by hnum'): print(*row)
";

fn check(size: u32, settings: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rpmdb.sqlite");
    let mut python = Command::new("python3");
    python.args(["-c", MAKE]).arg(&path).args([size.to_string(), settings.to_owned()]);
    let expected = String::from_utf8(run(&mut python)).unwrap();
    assert_eq!(found(&path), expected.lines().collect::<Vec<_>>());
}

fn found(path: &Path) -> Vec<String> {
    let database = open(path).unwrap();
    assert!(database.problems().is_empty());
    let headers = database.headers().map(|header| {
        let header = header.unwrap();
        for (index, byte) in header.bytes.iter().enumerate() {
            let expected = (u64::from(header.number) * 7 + index as u64) % 251;
            assert_eq!(u64::from(*byte), expected, "{} {index}", header.number);
        }
        format!("{} {}", header.number, header.bytes.len())
    });
    headers.collect()
}

#[test]
fn all_page_sizes() {
    for size in [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536] {
        check(size, "");
    }
}

#[test]
fn a_database_that_gives_pages_back() {
    check(512, "pragma auto_vacuum=full");
    check(4096, "pragma auto_vacuum=incremental");
}

#[test]
fn text_in_utf_16_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rpmdb.sqlite");
    let mut python = Command::new("python3");
    run(python.args(["-c", MAKE]).arg(&path).args(["512", "pragma encoding='UTF-16'"]));
    let error = open(&path).err().unwrap().to_string();
    assert_eq!(error, "not supported: SQLite file with text in UTF-16");
}

/// A row that goes on in the last page of another one: both are given, and the doubt is told.
#[test]
fn rows_that_share_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rpmdb.sqlite");
    let mut python = Command::new("python3");
    run(python.args(["-c", MAKE]).arg(&path).args(["4096", ""]));
    let mut bytes = std::fs::read(path).unwrap();
    let count = |bytes: &[u8]| {
        let database = Database::open(Arc::new(bytes.to_vec()), Beside::default()).unwrap();
        let (good, bad): (Vec<_>, Vec<_>) = database.headers().partition(Result::is_ok);
        (
            good.len(),
            bad.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect(),
        )
    };
    let (rows, none): (usize, Vec<String>) = count(&bytes);
    assert_eq!(none, [""; 0]);
    // Pages in the middle of a row begin with the next one, whose number is small.
    let next = |page: usize| u32::from_be_bytes(bytes[page..page + 4].try_into().unwrap());
    let place = |number: u32| (number as usize - 1) * 4096;
    let pages = (2..bytes.len() / 4096).map(|page| page * 4096);
    let mut before_last = pages.filter(|page| {
        let number = next(*page);
        (1..bytes.len() as u32 / 4096).contains(&number) && next(place(number)) == 0
    });
    let (first, second) = (before_last.next().unwrap(), before_last.next().unwrap());
    let other = next(second).to_be_bytes();
    bytes[first..first + 4].copy_from_slice(&other);
    let (given, told): (usize, Vec<String>) = count(&bytes);
    assert_eq!((given, told.len()), (rows, 1), "{told:?}");
    assert!(told[0].contains("page that two rows use"), "{told:?}");
}
