//! Where a command writes its result: standard output, or the file of `--output`.
//!
//! A file appears as a whole or not at all, and as the umask wants it; one that is there keeps its
//! mode, and a link to it stays a link. Pipes and devices are written to as they are.

use crate::report::{Colour, Screen};
use anyhow::{Context, bail};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Links that are followed to a file that is not there yet, as many as the kernel follows.
const MOST_LINKS: usize = 40;

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: u16 = 80;
/// In fewer columns every cell would be a column of letters.
const LEAST_WIDTH: u16 = 60;

static UNFINISHED: Unfinished = Unfinished(Mutex::new(None));

/// The file that is being written, which must not stay if the process ends now.
struct Unfinished(Mutex<Option<PathBuf>>);

/// A place to write to.
#[derive(Debug, PartialEq, Eq)]
pub struct Output {
    /// As the user named it.
    name: String,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Stdout,
    /// A pipe or a device.
    Stream(PathBuf),
    /// A regular file, there or not.
    File(PathBuf),
}

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self { name: "standard output".to_owned(), kind: Kind::Stdout }
    }

    /// What `path` leads to. Fails at once where nothing could be written, so that this is told
    /// before hours of reading and not after.
    pub fn at(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let kind = find(path).with_context(|| format!("cannot write {name}"))?;
        Ok(Self { name, kind })
    }

    /// What may be done with the screen that is written to, if it is one.
    pub fn screen(&self) -> Screen {
        if self.kind != Kind::Stdout || !io::stdout().is_terminal() {
            return Screen::default();
        }
        let width = terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| width.0);
        Screen {
            width: Some(width.max(LEAST_WIDTH)),
            colour: if colours_wanted() { Colour::Yes } else { Colour::No },
        }
    }

    /// Writes all that `content` writes. A reader that closes its pipe early is no error.
    pub fn write(
        &self,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let outcome = match &self.kind {
            Kind::Stdout => to_stream(io::stdout().lock(), content),
            Kind::Stream(path) => {
                OpenOptions::new().write(true).open(path).and_then(|file| to_stream(file, content))
            }
            Kind::File(path) => to_file(&UNFINISHED, path, content),
        };
        outcome.with_context(|| format!("cannot write {}", self.name))
    }
}

/// Whether a terminal is to show colours (<https://no-color.org>).
pub fn colours_wanted() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    !refused && !dumb
}

/// Removes the file that is being written; none can be finished after this.
pub fn discard_unfinished() {
    UNFINISHED.discard();
}

impl Unfinished {
    fn lock(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn discard(&self) {
        let unfinished = self.lock();
        if let Some(path) = unfinished.as_ref() {
            // Nobody is left to hear of a failure.
            let _ = fs::remove_file(path);
        }
        // The lock is kept, so that the file cannot get its name after all.
        std::mem::forget(unfinished);
    }
}

fn find(path: &Path) -> anyhow::Result<Kind> {
    // Opened by its name it would be written from its start, over what others wrote.
    if ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name)) {
        return Ok(Kind::Stdout);
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => bail!("it is a folder"),
        Ok(found) if !found.is_file() => Ok(Kind::Stream(path.to_owned())),
        Ok(_) => {
            OpenOptions::new().write(true).open(path)?;
            checked(fs::canonicalize(path)?)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => checked(follow(path)?),
        Err(error) => Err(error.into()),
    }
}

/// The path to which links lead that end at nothing.
fn follow(path: &Path) -> anyhow::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    bail!("too many links")
}

/// A file is made in the folder and gone again: only that tells of all that can forbid it.
fn checked(path: PathBuf) -> anyhow::Result<Kind> {
    let folder = folder(&path);
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(Kind::File(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no folder {}", folder.display())
        }
        Err(error) => {
            let problem = format!("no file can be made in {}", folder.display());
            Err(anyhow::Error::new(error).context(problem))
        }
    }
}

fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn to_stream(
    stream: impl Write,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(stream);
    match content(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn to_file(
    unfinished: &Unfinished,
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut named = unfinished.lock();
    // Within the umask, as for every file that a program makes.
    let mode = Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(folder(path))?;
    *named = Some(file.path().to_owned());
    drop(named);
    let outcome = fill(file.as_file_mut(), path, content);
    let mut named = unfinished.lock();
    *named = None;
    outcome?;
    file.persist(path)?;
    Ok(())
}

fn fill(
    file: &mut File,
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(&mut *file);
    content(&mut out)?;
    out.flush()?;
    drop(out);
    match fs::metadata(path) {
        Ok(found) => file.set_permissions(found.permissions()),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_is_removed_and_can_never_be_finished() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("report");
        let unfinished: &Unfinished = Box::leak(Box::new(Unfinished(Mutex::default())));
        let (sender, receiver) = std::sync::mpsc::channel();
        let target = path.clone();
        // This thread waits for ever, as the process ends then.
        std::thread::spawn(move || {
            to_file(unfinished, &target, |out| {
                out.write_all(b"half")?;
                out.flush()?;
                unfinished.discard();
                sender.send(()).map_err(io::Error::other)
            })
        });
        receiver.recv().unwrap();
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
    }
}
