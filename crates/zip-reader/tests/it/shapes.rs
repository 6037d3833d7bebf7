//! Archives of all shapes.

use crate::made::{SMALL, listed, python, small};
use block_source::BlockSource;
use std::sync::Arc;
use test_material::Counting;
use zip_reader::Archive;

#[test]
fn stored_deflated_and_empty_entries() {
    let Some(bytes) = python(SMALL) else { return };
    let (found, problem) = listed(&bytes);
    assert_eq!((found, problem.map(|it| it.to_string())), (small(), None));
}

#[test]
fn data_before_the_archive_whether_offsets_count_it_or_not() {
    let Some(bytes) = python(SMALL) else { return };
    let uncounted = [b"#!/bin/sh\nexec java -jar $0\n".as_slice(), &bytes].concat();
    let counted =
        python(&format!("out.write(b'MZ' * 500)\n{}", SMALL.replace("\"w\"", "\"a\""))).unwrap();
    for bytes in [uncounted, counted] {
        let (found, problem) = listed(&bytes);
        assert_eq!((found, problem.map(|it| it.to_string())), (small(), None));
    }
}

#[test]
fn a_comment_with_the_mark_of_an_end_in_it() {
    let script = format!("{SMALL}    made.comment = b'PK\\x05\\x06' * 9000\n");
    let Some(bytes) = python(&script) else { return };
    // Of so many marks only the last are tried: the true one is not found, and said to be damaged.
    assert!(listed(&bytes).1.is_some());
    let Some(bytes) =
        python(&format!("{SMALL}    made.comment = b'PK\\x05\\x06' + b'x' * 40000\n"))
    else {
        return;
    };
    let (found, problem) = listed(&bytes);
    assert_eq!((found, problem.map(|it| it.to_string())), (small(), None));
}

#[test]
fn bytes_behind_the_archive() {
    let Some(mut bytes) = python(SMALL) else { return };
    bytes.extend_from_slice(&[0; 5000]);
    assert_eq!(listed(&bytes).0, small());
}

#[test]
fn zip64_with_more_entries_than_16_bits_count() {
    let script = r#"
with zipfile.ZipFile(out, "w") as made:
    for index in range(70000): made.writestr(str(index), b"")
    with made.open("large", "w", force_zip64=True) as large: large.write(b"wide")
"#;
    let Some(bytes) = python(script) else { return };
    let (found, problem) = listed(&bytes);
    assert_eq!(problem.map(|it| it.to_string()), None);
    assert_eq!(found.len(), 70001);
    assert_eq!(found.last(), Some(&("large".to_owned(), b"wide".to_vec())));
}

#[test]
fn an_empty_archive_and_none() {
    let Some(bytes) = python("zipfile.ZipFile(out, 'w').close()") else { return };
    assert_eq!(bytes.len(), 22);
    assert!(listed(&bytes).1.is_none());
    for bytes in
        [b"".as_slice(), b"P", b"text that is long enough for an end record", &vec![0; 100_000]]
    {
        assert_eq!(listed(bytes).1.unwrap().to_string(), "not a zip archive");
    }
}

#[test]
fn an_archive_that_is_stored_in_an_archive_is_read_where_it_is() {
    let script = format!(
        "{SMALL}inner, out = out.getvalue(), io.BytesIO()
with zipfile.ZipFile(out, 'w') as made: made.writestr('inner.jar', inner)"
    );
    let Some(bytes) = python(&script) else { return };
    let archive = Archive::open(Arc::new(bytes)).unwrap();
    let entry = archive.entries().next().unwrap().unwrap();
    let inner = archive.stored(&entry).unwrap().unwrap();
    let mut bytes = vec![0; inner.size() as usize];
    inner.read_exact_at(0, &mut bytes).unwrap();
    assert_eq!(listed(&bytes).0, small());
}

#[test]
fn only_the_end_the_directory_and_what_is_wanted_are_read() {
    let script = r#"
with zipfile.ZipFile(out, "w") as made:
    for index in range(1000): made.writestr("class%d" % index, bytes(4000))
    made.writestr("wanted", b"this")
"#;
    let Some(bytes) = python(script) else { return };
    let (size, device) = (bytes.len(), Counting::new(bytes));
    let archive = Archive::open(Arc::new(device.clone())).unwrap();
    let wanted = archive.entries().map(Result::unwrap).find(|it| it.name == b"wanted").unwrap();
    assert_eq!(archive.read(&wanted, 100).unwrap(), b"this");
    let taken = device.take();
    // The directory has 56 bytes an entry.
    assert!(size > 4_000_000 && taken.bytes < 80_000, "{} of {size} bytes", taken.bytes);
}
