//! Boots, and the kernels that they started.

use crate::maker::{Log, SHAPES, boot_id, journalctl, made};
use std::process::Command;

const LOG: Log = Log { boots: 5, entries: 170 };

#[test]
fn boots_as_journalctl_lists_them() {
    for shape in SHAPES {
        let Some(made) = made(&LOG.export(), shape) else { return };
        let found = made.open().boots();
        assert!(found.problems.is_empty());
        let file = format!("--file={}", made.path().display());
        let listed = Command::new("journalctl").args([&file, "--list-boots"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        // Above them are the names of the columns.
        let ids = listed.lines().filter_map(|line| line.split_whitespace().nth(1));
        let expected: Vec<&str> = ids.filter(|id| id.len() == 32).collect();
        let hex = |id: [u8; 16]| format!("{:032x}", u128::from_be_bytes(id));
        let ids: Vec<String> = found.boots.iter().map(|boot| hex(boot.id)).collect();
        assert_eq!(ids, expected, "{shape:?}");
        for boot in found.boots {
            let entries = journalctl(&made.path(), &[&format!("_BOOT_ID={}", hex(boot.id))]);
            let expected = (entries.len() as u64, entries[0].0, entries.last().unwrap().0);
            assert_eq!((boot.entries, boot.first_time, boot.last_time), expected);
        }
    }
}

#[test]
fn the_kernel_of_each_boot() {
    for shape in SHAPES {
        let Some(made) = made(&LOG.export(), shape) else { return };
        let mut journal = made.open();
        for boot in 0..LOG.boots {
            let id = u128::from_str_radix(&boot_id(boot), 16).unwrap().to_be_bytes();
            let found = journal.beginning(id).unwrap().unwrap();
            let kernel = found.kernel.unwrap();
            assert!(
                kernel.starts_with(&format!("Linux version 6.1.{boot}-18-amd64 (")),
                "{kernel}"
            );
            assert_eq!(found.started, 1_700_000_000_000_000 + boot * 864_000_000_000);
            assert_eq!(found.boot, id);
        }
        let newest = journal.newest_beginning().unwrap().unwrap();
        assert!(newest.kernel.unwrap().starts_with("Linux version 6.1.4-18-amd64 "));
        assert!(journal.beginning([7; 16]).unwrap().is_none());
    }
}

#[test]
fn a_boot_that_begins_in_another_file_tells_no_kernel() {
    let export = Log { boots: 1, entries: 170 }.export();
    // An hour later than the boot.
    let later = export.replace("MONOTONIC_TIMESTAMP=", "MONOTONIC_TIMESTAMP=360");
    let Some(made) = made(&later, SHAPES[3]) else { return };
    let found = made.open().newest_beginning().unwrap().unwrap();
    assert_eq!((found.kernel, found.problem.is_none()), (None, true));
}

#[test]
fn the_words_of_a_kernel_logged_by_another_are_not_its_own() {
    let export = Log { boots: 1, entries: 170 }.export();
    let Some(made) = made(&export.replace("TRANSPORT=kernel", "TRANSPORT=syslog"), SHAPES[3])
    else {
        return;
    };
    assert_eq!(made.open().newest_beginning().unwrap().unwrap().kernel, None);
}
