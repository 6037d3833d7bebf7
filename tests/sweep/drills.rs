//! The drills, run side by side, and their table.

use crate::drill::{Drill, HEADER, Hosts, Left, Row};
use crate::standin::{Standin, standin};
use crate::{faults, killed, twenty};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// At the same time: most of a drill is waiting.
const SIDE_BY_SIDE: usize = 12;
/// Width of the table without its last column.
const COLUMNS: usize = 118;

/// A drill in which all goes well: the hosts of `accounts::THREE`, of which one is stopped.
pub const DRILL: Drill = Drill {
    name: "",
    number: 0,
    hosts: Hosts::Three,
    faults: "",
    command: &["sweep"],
    env: &[],
    signal: None,
    outcomes: WELL,
    exit: 0,
    left: Left::Exactly(0),
    vanish: 0,
    moved: 0,
    earlier: 0,
};

/// Outcomes of a drill in which all goes well.
pub const WELL: &[(&str, &str)] =
    &[("web", "scanned"), ("database", "scanned"), ("idle", "skipped: stopped")];

/// All drills, numbered.
pub fn drills() -> Vec<Drill> {
    let all = twenty::DRILLS.iter().chain(killed::DRILLS).chain(faults::DRILLS);
    all.enumerate().map(|(number, drill)| Drill { number, ..drill.clone() }).collect()
}

#[test]
fn every_drill_ends_as_expected_and_leaves_nothing() {
    let Some(standin) = standin() else { return };
    let wanted = std::env::var("SIDELIGHT_DRILL").unwrap_or_default();
    let drills: Vec<_> =
        drills().into_iter().filter(|drill| drill.name.contains(&wanted)).collect();
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(drill) = drills.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let row = outcome(drill, standin);
                    rows.lock().expect("no drill panics here").push((drill.number, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().expect("all threads have ended");
    rows.sort_by_key(|(number, _)| *number);
    println!("{HEADER}  as expected");
    for (_, row) in &rows {
        println!("{}", row.as_ref().unwrap_or_else(|failed| failed));
    }
    assert!(!rows.is_empty(), "no drill has a name that holds {wanted:?}");
    let failed = rows.iter().filter(|(_, row)| row.is_err()).count();
    assert_eq!(failed, 0, "{failed} of {} drills did not go as expected", rows.len());
}

fn outcome(drill: &Drill, standin: &Standin) -> Result<String, String> {
    let row = catch_unwind(AssertUnwindSafe(|| drill.run(standin)));
    let row = row.map(|row: Row| format!("{row:<COLUMNS$}  yes"));
    row.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        format!("{:<COLUMNS$}  NO: {text}", drill.name)
    })
}
