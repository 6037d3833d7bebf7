//! Podman's state in SQLite: tables `ContainerConfig`, `ContainerState` and `PodConfig`, whose column `JSON` is
//! what counts (<https://github.com/containers/podman/blob/main/libpod/sqlite_state.go>). The column `State`
//! beside it is not kept up to date.

use super::super::super::store::Store;
use super::{MOST_FILE, MOST_ROWS, Reading};
use crate::host::read_reason;
use crate::model::{Gap, GapReason};
use block_source::BlockSource;
use rpmdb_reader::{Beside, Error, Tables};
use std::sync::Arc;

/// Where the database may be, in the graph root.
pub const PATHS: [&str; 2] = ["db.sql", "libpod/db.sql"];

/// Reads a database.
pub fn read(store: &Store, path: &str, read: &mut Reading) -> Result<(), Gap> {
    let Some(file) = open(store, path)? else { return Ok(()) };
    let mut beside = |suffix: &str| {
        open(store, &format!("{path}{suffix}")).unwrap_or_else(|gap| {
            read.problems.push(gap);
            None
        })
    };
    let beside = Beside { wal: beside("-wal"), journal: beside("-journal") };
    let opened = Tables::open(file, beside);
    let tables =
        opened.map_err(|error| Gap::new(read.place.clone(), reason(&error), words(&error)))?;
    for error in tables.problems() {
        read.problem(reason(error), words(error));
    }
    each(&tables, "ContainerConfig", read, Reading::config);
    each(&tables, "ContainerState", read, Reading::state);
    each(&tables, "PodConfig", read, Reading::pod);
    Ok(())
}

fn open(store: &Store, path: &str) -> Result<Option<Arc<dyn BlockSource>>, Gap> {
    let file = store.positioned(path)?;
    if let Some(size) = file.as_ref().map(BlockSource::size).filter(|size| *size > MOST_FILE) {
        let detail = format!("{size} bytes, more than the {MOST_FILE} that are read");
        return Err(Gap::new(store.place(path), GapReason::Limit, detail));
    }
    Ok(file.map(|file| Arc::new(file) as Arc<dyn BlockSource>))
}

fn each(tables: &Tables, name: &str, read: &mut Reading, show: fn(&mut Reading, &str, &[u8])) {
    let table = match tables.table(name) {
        Ok(Some(table)) => table,
        Ok(None) => {
            return read.problem(GapReason::Missing, format!("there is no table {name}"));
        }
        Err(error) => return read.problem(reason(&error), words(&error)),
    };
    let (Some(id), Some(json)) = (table.column("ID"), table.column("JSON")) else {
        let detail = format!("table {name} has no column ID or JSON");
        return read.problem(GapReason::Unsupported, detail);
    };
    for row in table.take(MOST_ROWS) {
        match row {
            Ok(row) => match (row.bytes(id), row.bytes(json)) {
                (Some(id), Some(json)) => show(read, &String::from_utf8_lossy(id), json),
                _ => read.problem(GapReason::Corrupt, format!("a row of {name} has no text")),
            },
            Err(error) => read.problem(reason(&error), words(&error)),
        }
    }
}

fn reason(error: &Error) -> GapReason {
    match error {
        Error::Read(error) => read_reason(error),
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
    }
}

/// What is wrong; the crate speaks of the database that it was made for.
fn words(error: &Error) -> String {
    match error {
        Error::Corrupt { what, at } => format!("damaged SQLite database: {what} at {at:#x}"),
        error => error.to_string(),
    }
}
