//! Images that tools make and the kernel mounts. Needs root and loop devices.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A tool, also one that only root's path leads to.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

/// Runs a tool and expects it to succeed.
fn run(name: &str, arguments: &[&OsStr]) {
    let output = tool(name).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{name} is not installed: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?}: {said}");
}

/// Makes a filesystem of `megabytes` in a new file, by a tool with its options.
pub fn mkfs(image: &Path, megabytes: u64, command: &[&str]) {
    std::fs::File::create(image).unwrap().set_len(megabytes << 20).unwrap();
    let [name, options @ ..] = command else { panic!("no tool") };
    let options = options.iter().map(OsStr::new).chain([image.as_os_str()]);
    run(name, &options.collect::<Vec<_>>());
}

/// A temporary folder, in memory where that is possible: the kernel writes much through it.
pub fn workplace() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("sidelight-").tempdir_in(place).unwrap()
}

/// A mounted filesystem; unmounted when it is dropped, also by a panic.
#[derive(Debug)]
pub struct Mounted(PathBuf);

impl Mounted {
    /// Mounts an image on the folder `place`, which is made, by `mount -o OPTIONS`.
    pub fn new(image: &Path, place: &Path, options: &str) -> Self {
        Self::by(&["mount", "-o", options], image, place)
    }

    /// Mounts by another command, such as `ntfs-3g`, to which image and place are added.
    pub fn by(command: &[&str], image: &Path, place: &Path) -> Self {
        std::fs::create_dir_all(place).unwrap();
        let [name, options @ ..] = command else { panic!("no tool") };
        let arguments =
            options.iter().map(OsStr::new).chain([image.as_os_str(), place.as_os_str()]);
        run(name, &arguments.collect::<Vec<_>>());
        Self(place.to_owned())
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Something that looks at every new mount (a desktop, a virus scanner) may hold it a while.
        for _ in 0..100 {
            let output = tool("umount").arg(&self.0).output();
            if output.is_ok_and(|output| output.status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = tool("umount").arg("--lazy").arg(&self.0).status();
        assert!(std::thread::panicking(), "cannot unmount {}", self.0.display());
    }
}

/// Whether this process can mount; says so if it cannot, and fails where tests must not skip.
pub fn can_mount() -> bool {
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    mkfs(&image, 8, &["mke2fs", "-q", "-F", "-N", "64"]);
    std::fs::create_dir(&place).unwrap();
    let mount = tool("mount").args(["-o", "loop"]).args([&image, &place]).status();
    if rustix::process::geteuid().is_root() && mount.is_ok_and(|status| status.success()) {
        drop(Mounted(place));
        return test_material::root();
    }
    test_material::skip("comparison with the kernel, which needs root and loop devices");
    false
}
