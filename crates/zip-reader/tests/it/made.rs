//! Archives that Python made.

use std::process::Command;
use zip_reader::{Archive, Error};

/// The archive that lines of Python write to `out` with `zipfile`; `None` skips the test.
pub fn python(script: &str) -> Option<Vec<u8>> {
    let python = test_material::python()?;
    let head = "import io, sys, struct, zipfile\nout = io.BytesIO()\n";
    let tail = "\nsys.stdout.buffer.write(out.getvalue())\n";
    let made =
        Command::new(python).arg("-c").arg(format!("{head}{script}{tail}")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some(made.stdout)
}

/// Two entries, one of each method, and an empty one.
pub const SMALL: &str = r#"
with zipfile.ZipFile(out, "w") as made:
    made.writestr("stored", b"as it is")
    made.writestr("folder/deflated", b"again " * 1000, zipfile.ZIP_DEFLATED)
    made.writestr("empty", b"", zipfile.ZIP_DEFLATED)
"#;

/// What there is: names with contents, and the error that ended it.
pub fn listed(bytes: &[u8]) -> (Vec<(String, Vec<u8>)>, Option<Error>) {
    let archive = match Archive::open(std::sync::Arc::new(bytes.to_vec())) {
        Ok(archive) => archive,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let (mut found, mut problem) = (Vec::new(), None);
    for entry in archive.entries() {
        match entry.and_then(|entry| Ok((archive.read(&entry, 1 << 20)?, entry.name))) {
            Ok((data, name)) => found.push((String::from_utf8_lossy(&name).into_owned(), data)),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    (found, problem)
}

/// What [`SMALL`] holds.
pub fn small() -> Vec<(String, Vec<u8>)> {
    let again = b"again ".repeat(1000);
    [("stored", b"as it is".to_vec()), ("folder/deflated", again), ("empty", Vec::new())]
        .map(|(name, data)| (name.to_owned(), data))
        .into()
}
