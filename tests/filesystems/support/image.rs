//! Images and what fills them.

use conformance::{Abilities, Mounted, fill, mkfs, tool};
use std::path::Path;

/// Runs a tool that must succeed; gives what it printed.
pub fn run(name: &str, arguments: &[&str]) -> String {
    let output = tool(name).args(arguments).env("TZ", "UTC").env("LC_ALL", "C.UTF-8").output();
    let output = output.unwrap_or_else(|error| panic!("{name} is not installed: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{name} {arguments:?}: {said}{printed}");
    printed
}

/// Runs a script of bash that must succeed; gives what it printed.
pub fn script(text: &str, arguments: &[&Path]) -> String {
    let arguments = arguments.iter().map(|it| it.to_str().unwrap());
    let all: Vec<_> =
        ["-euo", "pipefail", "-c", text, "script"].into_iter().chain(arguments).collect();
    run("bash", &all)
}

/// An ext4 filesystem mounted at `place` and filled, from which other formats are made.
pub fn filled(work: &Path, able: &Abilities) -> Mounted {
    let (image, place) = (work.join("source.ext4"), work.join("source"));
    let megabytes = 512;
    mkfs(&image, megabytes, &["mke2fs", "-q", "-F", "-t", "ext4", "-O", "ea_inode", "-N", "40000"]);
    let mounted = Mounted::new(&image, &place, "rw,noatime,loop");
    // Its size differs between filesystems, and it is no part of what is compared.
    std::fs::remove_dir(place.join("lost+found")).unwrap();
    fill(mounted.path(), able);
    mounted
}
