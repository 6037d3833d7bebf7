//! Entries by the values of their fields.

use crate::maker::{Log, SHAPES, journalctl, made, read};

const LOG: Log = Log { boots: 3, entries: 300 };

#[test]
fn every_entry_as_journalctl_lists_it() {
    for shape in SHAPES {
        let Some(made) = made(&LOG.export(), shape) else { return };
        let mut journal = made.open();
        let expected = journalctl(&made.path(), &[]);
        assert_eq!(expected.len(), 900);
        assert_eq!(journal.header().entries, 900);
        assert_eq!(journal.header().first_time, expected[0].0);
        assert_eq!(journal.header().last_time, expected[899].0);
        let machine = journal.find(format!("_MACHINE_ID={:032x}", 1).as_bytes()).unwrap().unwrap();
        let entries = journal.oldest(&machine, usize::MAX);
        assert!(entries.problem.is_none());
        assert_eq!(read(&mut journal, &entries.places), expected, "{shape:?}");
    }
}

#[test]
fn entries_of_a_value_from_both_ends() {
    for shape in SHAPES {
        let Some(made) = made(&LOG.export(), shape) else { return };
        let mut journal = made.open();
        for text in ["PRIORITY=3", "_TRANSPORT=kernel", "MESSAGE=message 8 of 1"] {
            let value = journal.find(text.as_bytes()).unwrap().unwrap();
            let expected = journalctl(&made.path(), &[text]);
            for most in [1, 2, 5, 6, 40, 1000] {
                let count = most.min(expected.len());
                let oldest = journal.oldest(&value, most).places;
                assert_eq!(read(&mut journal, &oldest), expected[..count], "{shape:?} {text}");
                let newest = journal.newest(&value, most).places;
                let newest: Vec<_> = read(&mut journal, &newest).into_iter().rev().collect();
                assert_eq!(newest, expected[expected.len() - count..], "{shape:?} {text}");
            }
        }
        for text in ["PRIORITY=9", "PRIORITY", "", "NOTHING=1"] {
            assert_eq!(journal.find(text.as_bytes()).unwrap(), None, "{text}");
        }
    }
}

#[test]
fn values_of_a_field_the_newest_first() {
    for shape in SHAPES {
        let Some(made) = made(&LOG.export(), shape) else { return };
        let mut journal = made.open();
        let values = journal.values(b"PRIORITY");
        assert!(values.problem.is_none());
        let texts = values.values.iter().map(|value| journal.text(value).unwrap());
        let texts: Vec<String> = texts.map(|text| String::from_utf8(text).unwrap()).collect();
        let expected: Vec<String> = (0..8).rev().map(|it| format!("PRIORITY={it}")).collect();
        assert_eq!(texts, expected);
        assert!(journal.values(b"NOTHING").values.is_empty());
    }
}
