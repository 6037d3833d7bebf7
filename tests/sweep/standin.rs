//! One stand-in process for all tests: it serves an account of each drill, so that drills run side
//! by side and none sees another's snapshots, calls or faults.

use crate::accounts::{self, Account};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The running stand-in. It ends with the test process, however that ends, for its shell waits for
/// the end of a pipe that this process holds.
pub struct Standin {
    _process: Child,
    _folder: tempfile::TempDir,
    /// What the stand-in says of itself: endpoints and keys.
    ready: Value,
    images: PathBuf,
}

/// Runs the stand-in until its input ends.
const SHELL: &str = "\"$@\" & pid=$!; cat >/dev/null; kill $pid; wait $pid";

/// The stand-in; `None` skips the test.
pub fn standin() -> Option<&'static Standin> {
    static RUNNING: OnceLock<Option<Standin>> = OnceLock::new();
    let python = test_material::python()?;
    let ebs_standin = program().with_file_name("ebs-standin");
    if !ebs_standin.exists() {
        test_material::skip("no ebs-standin; run cargo build -p sidelight -p ebs-standin");
        return None;
    }
    RUNNING.get_or_init(|| Some(Standin::start(&python, &ebs_standin))).as_ref()
}

/// The `sidelight` program.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sidelight"))
}

/// The real Debian disks.
fn disks() -> Option<PathBuf> {
    if std::env::var_os("SIDELIGHT_DISKS").is_none() {
        test_material::skip("the real Debian disks, for which the small one stands in");
        return None;
    }
    test_material::disks()
}

impl Standin {
    fn start(python: &Path, ebs_standin: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/standin");
        let folder = tempfile::tempdir().expect("a folder");
        let images = folder.path().join("images");
        let mut make = Command::new(root.join("images"));
        make.arg(&images).args(disks()).stderr(Stdio::null());
        assert!(make.status().expect("the images are made").success());
        let mut shell = Command::new("sh");
        shell.args(["-c", SHELL, "sh"]).arg(python).args(["-m", "standin", "--images"]);
        shell.arg(&images).arg("--ebs-standin").arg(ebs_standin).env("PYTHONPATH", &root);
        for account in accounts::all() {
            let path = folder.path().join(format!("{}.toml", account.id));
            fs::write(&path, &account.text).expect("a description");
            shell.arg(path);
        }
        let mut process =
            shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        let ready = serde_json::from_str(&line).expect("the stand-in says when it is ready");
        Self { _process: process, _folder: folder, ready, images }
    }

    /// Where the disk images are.
    pub fn image(&self, name: &str) -> PathBuf {
        self.images.join(name)
    }

    /// `sidelight` as a user of an account runs it.
    pub fn sidelight(&self, account: &Account, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_EC2"] {
            command.env_remove(name);
        }
        for (name, value) in self.ready["env"].as_object().expect("variables") {
            command.env(name, value.as_str().expect("text"));
        }
        command
            .env("AWS_ACCESS_KEY_ID", account.key())
            .env("AWS_REGION", account.region)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .args(arguments);
        command
    }

    /// What a control shows.
    pub fn control(&self, name: &str) -> Value {
        self.ask("GET", name, "")
    }

    /// Replaces the faults of an account.
    pub fn set_faults(&self, account: &Account, faults: &Value) {
        let body = serde_json::json!({ "account": account.id, "faults": faults });
        self.ask("POST", "faults", &body.to_string());
    }

    /// The id that a name of the account's description has.
    pub fn id(&self, account: &Account, name: &str) -> String {
        let names = self.control("names");
        let id = names[&account.id][account.region][name].as_str();
        id.unwrap_or_else(|| panic!("nothing is named {name}")).to_owned()
    }

    fn ask(&self, method: &str, name: &str, body: &str) -> Value {
        let url = self.ready["control"].as_str().expect("the URL of the controls");
        let address = url.trim_start_matches("http://").split('/').next().expect("an address");
        let mut stream = TcpStream::connect(address).expect("the stand-in listens");
        let length = body.len();
        write!(
            stream,
            "{method} /_standin/{name} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("a question");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(" 200 "), "{method} {name}: {answer}");
        serde_json::from_str(body).expect("JSON")
    }
}
