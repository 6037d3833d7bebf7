//! Tables of any SQLite file, of which SQLite says what is in them.

use crate::listing::run;
use rpmdb_reader::{Beside, Error, Tables};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Numbers of all lengths, texts around what fits on a page, rows removed, a column added, another table beside;
/// with a log that holds the last of it, if that is wished. Prints the rows.
const MAKE: &str = r"
import os, sqlite3, sys
path, size, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
base = sqlite3.connect(path + '.made', isolation_level=None)
base.executescript(f'pragma page_size={size}; pragma journal_mode={mode}; pragma wal_autocheckpoint=0')
base.executescript('create table other(x); create table things(id integer primary key, /* a, b */ n INTEGER, ' +
    't TEXT NOT NULL, unique(id, n)); create index first on things(n)')
numbers = [0, 1, -1, 127, -128, 40000, -40000, 2**31, -2**31, 2**45, -2**45, 2**62, -2**63]
base.execute('begin')
for at in range(600): base.execute('insert into things values(?, ?, ?)', (at * 3 + 1, numbers[at % 13], 'x' * (at * 7 % (2 * size))))
base.execute('delete from things where id % 5 = 0')
base.execute('commit')
base.execute('alter table things add column late TEXT')
base.execute('insert into things values(9000, null, ?, ?)', ('last', 'é'))
for row in base.execute('select id, coalesce(n, \'none\'), length(t), coalesce(late, 1) from things order by id'): print(*row, sep='|')
for end in ['', '-wal']:
    if os.path.exists(path + '.made' + end): open(path + end, 'wb').write(open(path + '.made' + end, 'rb').read())
";

fn open(path: &Path) -> Result<Tables, Error> {
    let bytes = Arc::new(std::fs::read(path).unwrap());
    let wal = std::fs::read(path.with_extension("sqlite-wal")).ok();
    let wal = wal.map(|wal| Arc::new(wal) as Arc<dyn block_source::BlockSource>);
    Tables::open(bytes, Beside { wal, journal: None })
}

fn check(size: u32, mode: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let mut python = Command::new("python3");
    python.args(["-c", MAKE]).arg(&path).args([&size.to_string(), mode]);
    let expected = String::from_utf8(run(&mut python)).unwrap();
    let tables = open(&path).unwrap();
    assert!(tables.problems().is_empty());
    let table = tables.table("Things").unwrap().unwrap();
    let columns = ["id", "n", "t", "late"].map(|name| table.column(name).unwrap());
    assert_eq!((columns, table.column("unique")), ([0, 1, 2, 3], None));
    let rows = table.map(|row| {
        let row = row.unwrap();
        let late = row.text(3).map_or("1".to_owned(), |it| String::from_utf8(it.to_vec()).unwrap());
        assert_eq!(row.integer(0), None, "the key is the row's own number");
        let n = row.integer(1).map_or("none".to_owned(), |it| it.to_string());
        format!("{}|{n}|{}|{late}", row.key(0).unwrap(), row.text(2).unwrap().len())
    });
    assert_eq!(rows.collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>(), "{size} {mode}");
    assert!(tables.table("none").unwrap().is_none());
    assert!(tables.table("first").unwrap().is_none(), "an index is no table");
}

#[test]
fn rows_are_those_that_sqlite_gives() {
    for size in [512, 4096, 65536] {
        check(size, "delete");
        check(size, "wal");
    }
}

#[test]
fn damaged_tables_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let mut python = Command::new("python3");
    python.args(["-c", MAKE]).arg(&path).args(["512", "delete"]);
    run(&mut python);
    let whole = std::fs::read(&path).unwrap();
    let mut seed = 3_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..=next(8) {
            let at = next(bytes.len());
            bytes[at] = next(256) as u8;
        }
        let Ok(tables) = Tables::open(Arc::new(bytes), Beside::default()) else { continue };
        let Ok(Some(table)) = tables.table("things") else { continue };
        assert!(table.count() < 20_000);
    }
}
