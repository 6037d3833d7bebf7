//! Podman's state in bbolt: buckets `ctr/ID` and `pod/ID`, each with `config` and `state`
//! (<https://github.com/containers/podman/blob/v4.9/libpod/boltdb_state.go>).

use super::super::super::store::Store;
use super::{MOST_FILE, MOST_ROWS, MOST_VALUE, Reading};
use crate::host::read_reason;
use crate::model::{Gap, GapReason};
use bbolt_reader::{Bucket, Database, Entry, Error, Limits};
use block_source::BlockSource;
use std::sync::Arc;

/// The database, in the graph root.
pub const PATH: &str = "libpod/bolt_state.db";

/// Reads the database.
pub fn read(store: &Store, read: &mut Reading) -> Result<(), Gap> {
    let Some(file) = store.positioned(PATH)? else { return Ok(()) };
    let limits = Limits { value: MOST_VALUE, read: file.size().min(MOST_FILE).saturating_mul(4) };
    let opened = Database::open(Arc::new(file), limits);
    let database = opened.map_err(|error| Gap::new(read.place.clone(), reason(&error), error))?;
    if let Some(error) = database.problem() {
        read.problem(reason(error), error);
    }
    tables(&database, read);
    // What is lost of the newest state may be in the one before it.
    if !read.problems.is_empty()
        && let Some(older) = database.older()
    {
        let mut before = Reading::default();
        tables(&older, &mut before);
        for (id, known) in before.containers {
            read.containers.entry(id).or_insert(known);
        }
        for (id, labels) in before.pods {
            read.pods.entry(id).or_insert(labels);
        }
    }
    Ok(())
}

fn tables(database: &Database, read: &mut Reading) {
    each(database, b"ctr", read, |read, id, bucket| {
        match bucket.get(b"config") {
            Ok(Some(json)) => read.config(id, &json),
            Ok(None) => read.problem(GapReason::Missing, format!("container {id} has no config")),
            Err(error) => read.problem(reason(&error), error),
        }
        match bucket.get(b"state") {
            Ok(Some(json)) => read.state(id, &json),
            Ok(None) => {}
            Err(error) => read.problem(reason(&error), error),
        }
        read.container(id);
    });
    each(database, b"pod", read, |read, id, bucket| match bucket.get(b"config") {
        Ok(json) => json.iter().for_each(|json| read.pod(id, json)),
        Err(error) => read.problem(reason(&error), error),
    });
}

fn each(
    database: &Database,
    name: &[u8],
    read: &mut Reading,
    mut show: impl FnMut(&mut Reading, &str, &Bucket),
) {
    let bucket = match database.root().bucket(name) {
        Ok(Some(bucket)) => bucket,
        Ok(None) => return,
        Err(error) => return read.problem(reason(&error), error),
    };
    for entry in bucket.entries().take(MOST_ROWS) {
        match entry {
            Ok(Entry::Bucket { key, bucket }) => {
                show(read, &String::from_utf8_lossy(&key), &bucket);
            }
            Ok(Entry::Value { .. }) => {}
            Err(error) => read.problem(reason(&error), error),
        }
    }
}

fn reason(error: &Error) -> GapReason {
    match error {
        Error::Read { source, .. } => read_reason(source),
        Error::Unsupported { .. } => GapReason::Unsupported,
        Error::Corrupt { .. } => GapReason::Corrupt,
        Error::TooLarge { .. } | Error::Budget { .. } => GapReason::Limit,
    }
}
