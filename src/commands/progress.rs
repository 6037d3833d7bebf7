//! Shows on standard error what long work is doing.
//!
//! On a terminal one line is drawn over and over, and gone when the work is done; elsewhere a log
//! line tells of work that takes longer than ten seconds. It is ASCII without colours, so that no
//! locale and no `NO_COLOR` can be against it. Log lines go through [`Progress::log_writer`],
//! which takes the drawn line away for as long as they are written.

use crate::cli::{Cli, LogFormat};
use crate::pipeline::{self, Counter, Reading, Stage};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the line on a terminal is drawn.
const REDRAW: Duration = Duration::from_millis(100);
/// How often a log line tells of work that goes on.
const LOG: Duration = Duration::from_secs(10);
/// Target of those lines, which are shown without `-v` too.
pub const LOG_TARGET: &str = "sidelight::progress";

/// Where the progress of this process is shown.
#[derive(Clone)]
pub struct Progress(Shown);

#[derive(Clone)]
enum Shown {
    /// Drawn on a terminal.
    Drawn(MultiProgress),
    /// As log lines.
    Logged(Duration),
    /// Not at all.
    Off,
}

impl Progress {
    /// What suits the command line and the terminal.
    pub fn new(cli: &Cli) -> Self {
        Self(match (cli.quiet, cli.log_format) {
            (true, _) => Shown::Off,
            (false, LogFormat::Text) if can_draw() => Shown::Drawn(MultiProgress::new()),
            _ => Shown::Logged(LOG),
        })
    }

    /// Shows nothing.
    pub fn off() -> Self {
        Self(Shown::Off)
    }

    /// Starts to show a piece of work, until the task is dropped.
    pub fn task(&self, what: &str) -> Task {
        let state = Arc::new(Mutex::new(State { what: what.to_owned(), counter: None }));
        let (stop, stopped) = mpsc::channel();
        let (shown, told) = (self.0.clone(), state.clone());
        let thread = match shown {
            Shown::Off => None,
            Shown::Drawn(lines) => Some(std::thread::spawn(move || draw(&lines, &told, &stopped))),
            Shown::Logged(every) => Some(std::thread::spawn(move || log(every, &told, &stopped))),
        };
        Task { state, stop: Some(stop), thread }
    }

    /// Writes log lines without disturbing what is drawn.
    pub fn log_writer(&self) -> LogWriter {
        LogWriter(self.0.clone())
    }

    /// Takes away what is drawn, for good; for a process that is about to end.
    pub fn end(&self) {
        if let Shown::Drawn(lines) = &self.0 {
            // A terminal that is gone needs no cleaning.
            let _ = lines.clear();
            lines.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}

fn can_draw() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    io::stderr().is_terminal() && !dumb
}

/// Standard error, for log lines.
pub struct LogWriter(Shown);

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Shown::Drawn(lines) => lines.suspend(|| io::stderr().write(line)),
            Shown::Logged(_) | Shown::Off => io::stderr().write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A piece of work under way. What is drawn of it is gone once this is dropped.
pub struct Task {
    state: Arc<Mutex<State>>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    what: String,
    counter: Option<Counter>,
}

impl Task {
    /// What is done now.
    pub fn now(&self, what: &str) {
        what.clone_into(&mut lock(&self.state).what);
    }

    /// A count of bytes, shown from now on; `total` is what there is in all, if that is known.
    pub fn counter(&self, total: Option<u64>) -> Arc<AtomicU64> {
        let bytes = Arc::new(AtomicU64::new(0));
        let shown = bytes.clone();
        let reading = move || Reading { blocks: None, bytes: shown.load(Ordering::Relaxed), total };
        pipeline::Progress::count(self, Box::new(reading));
        bytes
    }

    /// A reader whose bytes are counted; `total` is what there is to read, if that is known.
    pub fn counted<R: Read>(&self, reader: R, total: Option<u64>) -> Counted<R> {
        Counted { reader, bytes: self.counter(total) }
    }
}

/// A reader that counts.
pub struct Counted<R> {
    reader: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl pipeline::Progress for Task {
    fn stage(&self, stage: Stage) {
        self.now(stage.as_str());
    }

    fn count(&self, counter: Counter) {
        lock(&self.state).counter = Some(counter);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been told already, and the work itself is done.
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reading(state: &State) -> Reading {
    state.counter.as_ref().map_or_else(Reading::default, |counter| counter())
}

fn draw(lines: &MultiProgress, state: &Mutex<State>, stopped: &mpsc::Receiver<()>) {
    let started = Instant::now();
    let style = ProgressStyle::with_template("{wide_msg}").expect("a sound template");
    let line = lines.add(ProgressBar::no_length());
    line.set_style(style);
    let mut signs = ['|', '/', '-', '\\'].into_iter().cycle();
    while stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
        let text = {
            let state = lock(state);
            describe(&state.what, reading(&state), started.elapsed())
        };
        let sign = signs.next().unwrap_or(' ');
        line.set_message(format!("{sign} {text}"));
    }
    line.finish_and_clear();
}

fn log(every: Duration, state: &Mutex<State>, stopped: &mpsc::Receiver<()>) {
    let started = Instant::now();
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let state = lock(state);
        let Reading { blocks, bytes, .. } = reading(&state);
        let (seconds, mib) = (started.elapsed().as_secs(), bytes >> 20);
        tracing::info!(target: LOG_TARGET, stage = state.what, blocks, mib, seconds, "still running");
    }
}

/// One line, such as `listing packages: 312 blocks, 156 MiB, 0:12`.
fn describe(what: &str, reading: Reading, elapsed: Duration) -> String {
    let mut parts = Vec::new();
    parts.extend(reading.blocks.map(|blocks| match blocks {
        1 => "1 block".to_owned(),
        _ => format!("{blocks} blocks"),
    }));
    match (reading.bytes, reading.total) {
        (0, None) => {}
        (bytes, None) => parts.push(mib(bytes)),
        (bytes, Some(total)) => parts.push(format!("{} of {}", mib(bytes), mib(total))),
    }
    let (minutes, seconds) = (elapsed.as_secs() / 60, elapsed.as_secs() % 60);
    parts.push(format!("{minutes}:{seconds:02}"));
    format!("{what}: {}", parts.join(", "))
}

fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_is_known() {
        let check = |blocks, bytes, total, expected: &str| {
            let reading = Reading { blocks, bytes, total };
            assert_eq!(describe("reading", reading, Duration::from_secs(72)), expected);
        };
        check(None, 0, None, "reading: 1:12");
        check(Some(3), 3 << 19, None, "reading: 3 blocks, 1.5 MiB, 1:12");
        check(None, 1 << 20, Some(10 << 20), "reading: 1.0 MiB of 10.0 MiB, 1:12");
        check(None, u64::MAX, None, "reading: 17592186044415.9 MiB, 1:12");
    }
}
