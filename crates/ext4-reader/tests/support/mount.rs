//! Images made by mke2fs and mounted by the kernel. Needs root and a loop device.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a tool and expects it to succeed.
pub fn run(tool: &str, arguments: &[impl AsRef<OsStr>]) {
    let output = command(tool, arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{tool} is not installed: {error}"));
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
}

fn command(tool: &str, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(tool);
    command.args(arguments);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()));
    command
}

/// Makes an empty filesystem of `megabytes`.
pub fn make(image: &Path, megabytes: u64, options: &[&str]) {
    std::fs::File::create(image).unwrap().set_len(megabytes << 20).unwrap();
    let mut arguments: Vec<&OsStr> = ["-q", "-F", "-N", "24576"].map(OsStr::new).to_vec();
    arguments.extend(options.iter().map(OsStr::new));
    arguments.push(image.as_os_str());
    run("mke2fs", &arguments);
}

/// A temporary folder, in memory where that is possible: the kernel writes much through it.
pub fn workplace() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::tempdir_in(place).unwrap()
}

/// A mounted image; unmounted when it is dropped, also by a panic.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts an image on the folder `place`, which is made.
    pub fn new(image: &Path, place: &Path, options: &str) -> Self {
        std::fs::create_dir_all(place).unwrap();
        let options = format!("loop,noatime,{options}");
        let arguments = [OsStr::new("-o"), options.as_ref(), image.as_ref(), place.as_ref()];
        run("mount", &arguments);
        Self(place.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let status = command("umount", &[&self.0]).status();
        let unmounted = status.is_ok_and(|status| status.success());
        assert!(unmounted || std::thread::panicking(), "cannot unmount {}", self.0.display());
    }
}

/// Whether this process can mount; says so if it cannot, and fails where tests must not skip.
pub fn can_mount() -> bool {
    let work = workplace();
    let (image, place) = (work.path().join("image"), work.path().join("place"));
    make(&image, 8, &["-N", "64"]);
    std::fs::create_dir(&place).unwrap();
    let arguments = [OsStr::new("-o"), "loop".as_ref(), image.as_ref(), place.as_ref()];
    let able = rustix::process::geteuid().is_root()
        && command("mount", &arguments).status().is_ok_and(|status| status.success());
    if able {
        drop(Mount(place));
        return test_material::root();
    }
    test_material::skip("comparison with the kernel, which needs root and loop devices");
    false
}
