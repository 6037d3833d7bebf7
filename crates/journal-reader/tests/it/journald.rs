//! The file of journald itself, which was killed: as the disk of a running machine has it.

use crate::maker::{MOST, journalctl, read};
use journal_reader::Journal;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Journald in namespaces of its own, so that nothing of the machine's is touched.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs none /run
mount -t tmpfs none /var/log
mkdir -p "/var/log/journal/$(cat /etc/machine-id)" /run/systemd/journal
: >/run/systemd/journal/flushed
/lib/systemd/systemd-journald & daemon=$!
sleep 2
kill -KILL $daemon
wait $daemon || true
cp /var/log/journal/*/system.journal "$1"
"#;

#[test]
fn an_unclosed_file_of_journald() {
    if !test_material::root() {
        return;
    }
    if !Path::new("/dev/kmsg").exists() || !Path::new("/etc/machine-id").exists() {
        test_material::skip("no /dev/kmsg or no machine id, without which journald logs nothing");
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("system.journal");
    let ran = Command::new("unshare")
        .args(["--mount", "bash", "-c", SCRIPT, "journald"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut journal = Journal::open(Arc::new(fs::read(&path).unwrap()), MOST).unwrap();
    assert!(!journal.header().is_closed);
    let expected = journalctl(&path, &["_TRANSPORT=kernel"]);
    assert!(!expected.is_empty());
    let kernel = journal.find(b"_TRANSPORT=kernel").unwrap().unwrap();
    let places = journal.oldest(&kernel, usize::MAX).places;
    assert_eq!(read(&mut journal, &places), expected);
    assert_eq!(journal.boots().boots.len(), 1);
    assert!(journal.newest_beginning().unwrap().is_some());
}
