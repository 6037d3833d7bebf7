//! Filesystems that are made, mounted, and stopped as if the machine had lost its power.

use rustix::fs::ioctl_ficlone;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

fn command(program: &str, arguments: &[impl AsRef<OsStr>]) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    // So that mkfs.xfs makes small filesystems with small logs.
    for variable in ["TEST_DIR", "TEST_DEV", "QA_CHECK_FS"] {
        command.env(variable, "1");
    }
    command.args(arguments).env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

pub fn run(program: &str, arguments: &[impl AsRef<OsStr>]) {
    let output = command(program, arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Makes a filesystem in a new file.
pub fn make(image: &Path, mebibytes: u64, options: &[&str]) {
    File::create(image).unwrap().set_len(mebibytes << 20).unwrap();
    let mut arguments = vec![OsStr::new("-q"), OsStr::new("-f")];
    arguments.extend(options.iter().map(OsStr::new));
    arguments.push(image.as_os_str());
    run("mkfs.xfs", &arguments);
}

/// Stops a mounted filesystem: nothing more is written, but what it keeps in its log if `flush`.
pub fn stop(place: &Path, flush: bool) {
    let how = if flush { "shutdown -f" } else { "shutdown" };
    let arguments = ["-x", "-c", how].map(OsStr::new);
    run("xfs_io", &[&arguments[..], &[place.as_os_str()]].concat());
}

/// A copy of a file as it is at one moment, whoever writes to it.
pub fn snapshot(from: &Path, to: &Path) {
    let to = File::create(to).unwrap();
    ioctl_ficlone(&to, File::open(from).unwrap()).unwrap();
}

/// A mounted image; unmounted when it is dropped, also by a panic.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts an image on the folder `place`, which is made.
    pub fn new(image: &Path, place: &Path, options: &str) -> Self {
        std::fs::create_dir_all(place).unwrap();
        let options = format!("loop,noatime,nouuid,{options}");
        let arguments = [OsStr::new("-o"), options.as_ref(), image.as_ref(), place.as_ref()];
        run("mount", &arguments);
        Self(place.to_owned())
    }

    /// Mounts an image if the kernel does not refuse that.
    pub fn try_new(image: &Path, place: &Path) -> Option<Self> {
        std::fs::create_dir_all(place).unwrap();
        let options = "loop,noatime,nouuid";
        let arguments = [OsStr::new("-o"), options.as_ref(), image.as_ref(), place.as_ref()];
        let output = command("mount", &arguments).output().unwrap();
        output.status.success().then(|| Self(place.to_owned()))
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

/// A folder on a filesystem that can take snapshots of files.
pub struct Workplace {
    mount: Option<Mount>,
    _folder: tempfile::TempDir,
}

impl Workplace {
    /// In memory where that is possible, for much is written; none if nothing can be mounted.
    pub fn new() -> Option<Self> {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        if !test_material::root() {
            return None;
        }
        let folder = tempfile::tempdir_in(place).unwrap();
        let image = folder.path().join("image");
        make(&image, 4096, &[]);
        let place = folder.path().join("place");
        std::fs::create_dir(&place).unwrap();
        let arguments = [OsStr::new("-o"), "loop".as_ref(), image.as_ref(), place.as_ref()];
        let status = command("mount", &arguments).status();
        if !status.is_ok_and(|status| status.success()) {
            test_material::skip("comparison with the kernel, which needs loop devices and XFS");
            return None;
        }
        Some(Self { mount: Some(Mount(place)), _folder: folder })
    }

    pub fn path(&self) -> &Path {
        self.mount.as_ref().unwrap().path()
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        drop(self.mount.take());
    }
}
