//! What is seen of long work: in a real terminal, which `script` makes, and without one.
//!
//! The work is long because it reads a pipe, into which the test writes when it has seen enough.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const START: &str = r#"{"glibc": {"CVE-2023-4911": {"releases": {"bookworm": "#;
const END: &str = r#"{"status": "resolved", "fixed_version": "2.36-9+deb12u3"}}}}}"#;

/// A feed that comes through a pipe.
struct SlowFeed {
    work: tempfile::TempDir,
}

impl SlowFeed {
    fn new() -> Self {
        let work = tempfile::tempdir().expect("a folder");
        let made = Command::new("mkfifo").arg(work.path().join("feed")).status();
        assert!(made.expect("mkfifo runs").success());
        Self { work }
    }

    fn path(&self) -> PathBuf {
        self.work.path().join("feed")
    }

    /// Opens the pipe, which waits for the reader, and sends the first half.
    fn start(&self) -> File {
        let mut feed = File::options().write(true).open(self.path()).expect("a reader");
        feed.write_all(START.as_bytes()).expect("written");
        feed
    }

    fn import(&self) -> String {
        let program = env!("CARGO_BIN_EXE_sidelight");
        let store = self.work.path().join("store");
        let (store, feed) = (store.display(), self.path());
        format!("{program} feeds import --advisories {store} --feed debian {}", feed.display())
    }
}

/// Runs a shell command in a terminal of its own.
fn in_terminal(command: &str) -> Child {
    Command::new("script")
        .args(["-qec", command, "/dev/null"])
        .env("TERM", "xterm")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script runs")
}

fn without_terminal(command: &str) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {command}")]);
    shell.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("sh runs")
}

/// Reads until the text has come, or to the end.
fn read_until(output: &mut impl Read, text: &str) -> String {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match output.read(&mut buffer) {
            Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
            // A terminal whose other side is closed gives an error.
            _ => return String::from_utf8(seen).expect("UTF-8"),
        }
        if !text.is_empty() && String::from_utf8_lossy(&seen).contains(text) {
            return String::from_utf8(seen).expect("UTF-8");
        }
    }
}

/// What a terminal shows at last: each line from where it was last cleared.
fn left_on_screen(output: &str) -> String {
    let cleared = |line: &str| line.rsplit("\x1b[2K").next().unwrap_or_default().to_owned();
    output.split("\r\n").map(|line| cleared(line) + "\n").collect()
}

#[test]
fn in_a_terminal_the_line_is_drawn_and_gone_at_the_end() {
    let feed = SlowFeed::new();
    let mut child = in_terminal(&feed.import());
    let mut output = child.stdout.take().expect("piped");
    let mut pipe = feed.start();
    let drawn = read_until(&mut output, "importing debian");
    assert!(drawn.contains("importing debian"), "{drawn:?}");
    pipe.write_all(END.as_bytes()).expect("written");
    drop(pipe);
    let rest = read_until(&mut output, "");
    assert!(child.wait().expect("it ends").success(), "{rest:?}");
    let left = left_on_screen(&(drawn + &rest));
    assert!(!left.contains("importing"), "{left:?}");
    assert!(left.starts_with("debian: 1 records of "), "{left:?}");
    assert!(rest.is_ascii() && !rest.contains("\x1b[?25l"), "{rest:?}");
}

#[test]
fn quiet_and_json_draw_nothing_in_a_terminal() {
    for option in ["--quiet", "--log-format json"] {
        let feed = SlowFeed::new();
        let mut child = in_terminal(&format!("{} {option}", feed.import()));
        let mut pipe = feed.start();
        // Longer than it takes until a line is drawn.
        std::thread::sleep(std::time::Duration::from_millis(500));
        pipe.write_all(END.as_bytes()).expect("written");
        drop(pipe);
        let output = read_until(&mut child.stdout.take().expect("piped"), "");
        assert!(child.wait().expect("it ends").success());
        assert!(!output.contains('\x1b') && !output.contains("importing"), "{output:?}");
    }
}

#[test]
fn without_a_terminal_a_line_tells_of_work_that_takes_long() {
    let (feed, silent) = (SlowFeed::new(), SlowFeed::new());
    let mut child = without_terminal(&feed.import());
    let mut quiet = without_terminal(&format!("{} --quiet", silent.import()));
    let mut pipes = [feed.start(), silent.start()];
    let told = read_until(&mut child.stderr.take().expect("piped"), "still running");
    assert!(told.contains("INFO still running stage=\"importing debian\""), "{told:?}");
    assert!(!told.contains('\x1b') && !told.contains('\r'), "{told:?}");
    for pipe in &mut pipes {
        pipe.write_all(END.as_bytes()).expect("written");
    }
    drop(pipes);
    assert_eq!(read_until(&mut quiet.stderr.take().expect("piped"), ""), "");
    assert!(child.wait().expect("it ends").success() && quiet.wait().expect("it ends").success());
}

#[cfg(feature = "ebs")]
#[test]
fn a_log_line_takes_the_drawn_line_away_first() {
    use ebs_standin::{Faults, Standin};
    let Some(folder) = crate::support::disks() else { return };
    let (image, id) = (folder.join("debian-11.img"), "snap-0123456789abcdef0");
    let slow = Faults::default().latency_ms(300);
    let server = Standin::builder().snapshot(id, image).faults(slow).start().expect("started");
    let keys = "AWS_ACCESS_KEY_ID=AKIATEST AWS_SECRET_ACCESS_KEY=x AWS_REGION=us-east-1";
    let program = env!("CARGO_BIN_EXE_sidelight");
    let url = server.url();
    let mut child = in_terminal(&format!(
        "{keys} AWS_ENDPOINT_URL_EBS={url} {program} scan -v --no-match {id}"
    ));
    let output = read_until(&mut child.stdout.take().expect("piped"), "");
    assert!(child.wait().expect("it ends").success(), "{output:?}");
    assert!(output.contains("looking at the disks: "), "{output:?}");
    let left = left_on_screen(&output);
    let told = left.lines().find(|line| line.contains("read the host's identity"));
    assert!(told.is_some_and(|line| line.starts_with("\u{1b}[2m20")), "{left:?}");
    assert!(!left.contains("looking at the disks: "), "{left:?}");
}

/// A GiB of zeroes, in members of 64 MiB.
#[test]
fn a_packed_disk_tells_how_far_it_is_unpacked() {
    let work = tempfile::tempdir().expect("a folder");
    let path = work.path().join("disk.gz");
    let pack =
        "head -c 67108864 /dev/zero | gzip -1 > one; for i in $(seq 16); do cat one; done > \"$0\"";
    let packed = Command::new("sh").args(["-c", pack]).arg(&path).current_dir(work.path()).status();
    assert!(packed.expect("sh runs").success());
    let size = std::fs::metadata(&path).expect("there").len();
    let program = env!("CARGO_BIN_EXE_sidelight");
    let mut child = in_terminal(&format!("{program} disks {}", path.display()));
    let output = read_until(&mut child.stdout.take().expect("piped"), "");
    child.wait().expect("it ends");
    let of = format!(" of {}.{} MiB, ", size >> 20, ((size % (1 << 20)) * 10) >> 20);
    let line = output.split('\x1b').find(|part| part.contains("unpacking: "));
    assert!(line.is_some_and(|line| line.contains(&of)), "{of} {output:?}");
    assert!(!left_on_screen(&output).contains("unpacking"), "{output:?}");
}

#[test]
fn an_interrupt_leaves_a_clean_terminal_and_exits_with_130() {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("signals");
    let ignored = u64::from_str_radix(bits.trim(), 16).expect("bits");
    // What is ignored is ignored by children too, who would be waited for without end.
    assert_eq!(
        ignored & 2,
        0,
        "whoever started the tests ignores SIGINT: start them in another way"
    );
    let feed = SlowFeed::new();
    let mut child = in_terminal(&format!("trap : INT; {}; echo code $?", feed.import()));
    let mut output = child.stdout.take().expect("piped");
    let pipe = feed.start();
    let drawn = read_until(&mut output, "importing debian");
    child.stdin.as_mut().expect("piped").write_all(b"\x03").expect("typed");
    let rest = read_until(&mut output, "");
    drop(pipe);
    child.wait().expect("it ends");
    let left = left_on_screen(&(drawn + &rest));
    assert!(!left.contains("importing") && left.contains("code 130"), "{left:?}");
    assert_eq!(names(feed.work.path()), ["feed"]);
}

#[test]
fn a_terminated_process_says_so_by_its_code() {
    let feed = SlowFeed::new();
    let mut child = without_terminal(&feed.import());
    let pipe = feed.start();
    let kill = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
    assert!(kill.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    drop(pipe);
}

#[test]
fn a_hangup_that_is_ignored_stays_ignored() {
    let feed = SlowFeed::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' HUP; exec {}", feed.import())]).stdout(Stdio::null());
    let mut child = shell.spawn().expect("sh runs");
    let mut pipe = feed.start();
    let kill = Command::new("kill").arg("-HUP").arg(child.id().to_string()).status();
    assert!(kill.expect("kill runs").success());
    pipe.write_all(END.as_bytes()).expect("written");
    drop(pipe);
    assert!(child.wait().expect("it ends").success());
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| name(entry.expect("an entry"))).collect()
}

/// What a scan of the quickstart's host shows in a terminal of 100 columns.
fn report_in_terminal(environment: &str) -> String {
    let program = env!("CARGO_BIN_EXE_sidelight");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("disk-fixtures");
    let work = tempfile::tempdir().expect("a folder");
    let (fixtures, store) = (fixtures.display(), work.path().join("store"));
    let store = store.display();
    let mut child = in_terminal(&format!(
        "stty rows 30 cols 100; export {environment}
         for feed in debian kev; do
           {program} feeds import --advisories {store} --feed $feed \
             {fixtures}/advisories/$feed.json >/dev/null 2>&1
         done
         {program} scan dir:{fixtures}/quickstart-root --advisories {store}"
    ));
    let output = read_until(&mut child.stdout.take().expect("piped"), "");
    assert!(child.wait().expect("it ends").success(), "{output:?}");
    assert!(output.contains("5 findings: 5 unknown"), "{output:?}");
    output
}

#[test]
fn the_report_has_colours_only_where_they_are_wanted() {
    let coloured = report_in_terminal("TERM=xterm-256color");
    assert!(coloured.contains("\x1b[1mlibc6"), "{coloured:?}");
    for refused in ["NO_COLOR=1", "TERM=dumb"] {
        let plain = report_in_terminal(refused);
        let report = left_on_screen(&plain);
        assert!(!report.contains('\x1b'), "{refused}: {plain:?}");
        assert!(
            report.contains("\nlibc6  2.36-9+deb12u1\n  CVE-2023-4911 "),
            "{refused}: {plain:?}"
        );
    }
}
