//! Which files belong to dpkg's packages: `info/NAME.list` and `info/NAME:ARCH.list`; where one is not
//! there, the `.md5sums` of that name, which names all but configuration files and links; beside a
//! stanza of `status.d` its `.md5sums`. What `dpkg-divert` moved is at the place it was moved to.

use crate::host::{Entry, Host, NodeId, Part};
use crate::inventory::Owners;
use crate::model::{Gap, GapReason, Package, printable};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};

const INFO: &str = "/var/lib/dpkg/info";
const LIST: &[u8] = b".list";
const SUMS: &[u8] = b".md5sums";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
/// Bytes of one list; that of a kernel has a million.
const MOST_LIST: u64 = 64 << 20;
/// Bytes of a line.
const MOST_LINE: u64 = 8 << 10;

/// Notes the files of the installed packages.
pub(super) fn note(host: &Host, packages: &[Package], owners: &mut Owners, gaps: &mut Vec<Gap>) {
    let installed: HashMap<&str, &Package> =
        packages.iter().map(|it| (it.name.as_str(), it)).collect();
    let folder = match host.tree.find(INFO.as_bytes()) {
        Ok(Some(folder)) => folder,
        Ok(None) => return,
        Err(error) => return gaps.push(Gap::new(INFO, error.reason(), error)),
    };
    let mut lists = Vec::new();
    for (stem, record) in records(&host.tree.list(INFO.as_bytes(), gaps)) {
        let name = stem.split(|byte| *byte == b':').next().unwrap_or_default();
        let name = std::str::from_utf8(name).ok().and_then(|name| installed.get(name));
        let Some(package) = name else { continue };
        let (ending, at) = (record.ending(), folder.beside(record.node()));
        let path = [INFO.as_bytes(), b"/", stem, ending].concat();
        host.tree.remember(&path, at);
        lists.push((package.name.as_str(), path, at));
    }
    let diversions = diversions(host, gaps);
    let nodes: Vec<_> = lists.iter().map(|(.., at)| *at).collect();
    let plan = host.tree.plan(&nodes, Part::Start(MOST_LIST));
    while let Some(index) = plan.next(&host.tree) {
        let (name, path, _) = &lists[index];
        owners.package(name);
        let is_sums = path.ends_with(SUMS);
        lines(host, path, gaps, &mut |line| {
            let summed = if is_sums { summed(line) } else { Some(Cow::Borrowed(line)) };
            let Some(file) = summed else { return };
            match diversions.get(&*file) {
                Some((to, by)) if by != name => owners.file(to),
                _ => owners.file(&file),
            }
        });
    }
    host.tree.forget();
}

/// What tells the files of a package.
#[derive(Clone, Copy)]
enum Record {
    List(NodeId),
    Sums(NodeId),
}

impl Record {
    fn node(self) -> NodeId {
        let (Self::List(node) | Self::Sums(node)) = self;
        node
    }

    fn ending(self) -> &'static [u8] {
        match self {
            Self::List(_) => LIST,
            Self::Sums(_) => SUMS,
        }
    }
}

/// The list of each package, by the name before its ending; where there is none, its sums.
fn records(entries: &[Entry]) -> BTreeMap<&[u8], Record> {
    let mut records = BTreeMap::new();
    for entry in entries {
        if let Some(stem) = entry.name.strip_suffix(LIST) {
            records.insert(stem, Record::List(entry.node));
        } else if let Some(stem) = entry.name.strip_suffix(SUMS) {
            records.entry(stem).or_insert(Record::Sums(entry.node));
        }
    }
    records
}

/// The path of a line of sums: a sum, two spaces, and the path without its slash.
fn summed(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (sum, path) = line.split_at_checked(34)?;
    let is_sum = sum[..32].iter().all(u8::is_ascii_hexdigit) && sum[32] == b' ';
    let path = path.strip_prefix(b"./").unwrap_or(path);
    (is_sum && !path.is_empty()).then(|| Cow::Owned([b"/", path].concat()))
}

/// Notes the files of a package of `status.d`.
pub(super) fn note_alone(
    host: &Host,
    stanza: &[u8],
    package: &Package,
    owners: &mut Owners,
    gaps: &mut Vec<Gap>,
) {
    owners.package(&package.name);
    lines(host, &[stanza, SUMS].concat(), gaps, &mut |line| {
        if let Some(path) = summed(line) {
            owners.file(&path);
        }
    });
}

/// Where files were moved to, and for which package.
type Diversions = HashMap<Vec<u8>, (Vec<u8>, String)>;

/// Three lines each: the path, where it was moved to, and the package whose own it is not moved for.
fn diversions(host: &Host, gaps: &mut Vec<Gap>) -> Diversions {
    let mut all = Vec::new();
    lines(host, DIVERSIONS.as_bytes(), gaps, &mut |line| all.push(line.to_vec()));
    let triples = all.chunks_exact(3);
    triples.map(|it| (it[0].clone(), (it[1].clone(), printable(&it[2])))).collect()
}

/// Shows each line of a file, if it is there.
fn lines(host: &Host, path: &[u8], gaps: &mut Vec<Gap>, show: &mut dyn FnMut(&[u8])) {
    let file = match host.tree.open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return,
        Err(error) => return gaps.push(Gap::new(printable(path), error.reason(), error)),
    };
    if file.size() > MOST_LIST {
        let detail = format!("{} bytes; only the first {MOST_LIST} were read", file.size());
        gaps.push(Gap::new(printable(path), GapReason::Limit, detail));
    }
    let mut reader = BufReader::new(file.take(MOST_LIST));
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(MOST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => show(line.strip_suffix(b"\n").unwrap_or(&line)),
            Err(error) => {
                return gaps.push(Gap::new(printable(path), GapReason::Unreadable, error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Tree;
    use crate::model::{Ecosystem, HostContext};
    use std::fs;
    use std::path::Path;

    fn package(name: &str) -> Package {
        Package::new(Ecosystem::Deb, name.to_owned(), "1".to_owned(), String::new())
    }

    fn owners(root: &Path, names: &[&str]) -> (Owners, Vec<Gap>) {
        let host =
            Host { tree: Tree::of_directory(root).unwrap(), context: HostContext::default() };
        let mut gaps = Vec::new();
        let mut owners = Owners::new(&host.tree, &mut gaps);
        let packages: Vec<_> = names.iter().map(|name| package(name)).collect();
        note(&host, &packages, &mut owners, &mut gaps);
        (owners, gaps)
    }

    fn check(files: &[(&str, &str)], expected: &[(&str, Option<&str>)]) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(&INFO[1..])).unwrap();
        for (name, text) in files {
            fs::write(root.path().join("var/lib/dpkg").join(name), text).unwrap();
        }
        let (owners, gaps) = owners(root.path(), &["a", "b", "c"]);
        assert_eq!(gaps, []);
        for (path, owner) in expected {
            assert_eq!(owners.of(path.as_bytes()), *owner, "{path}");
        }
    }

    const SUM: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn sums_stand_in_for_a_list_that_is_gone() {
        let sums = format!("{SUM}  usr/bin/a\n{SUM}  ./usr/bin/dotted\n");
        check(
            &[("info/a:amd64.md5sums", &sums), ("info/other.md5sums", &sums)],
            &[("/usr/bin/a", Some("a")), ("/usr/bin/dotted", Some("a")), ("/usr/bin", None)],
        );
    }

    #[test]
    fn a_list_that_is_there_has_the_word_for_its_architecture_only() {
        let sums = |path: &str| format!("{SUM}  {path}\n");
        check(
            &[
                ("info/a:amd64.list", "/usr/lib/amd64\n"),
                ("info/a:amd64.md5sums", &sums("usr/lib/only-summed")),
                ("info/a:i386.md5sums", &sums("usr/lib/i386")),
            ],
            &[
                ("/usr/lib/amd64", Some("a")),
                ("/usr/lib/i386", Some("a")),
                ("/usr/lib/only-summed", None),
            ],
        );
    }

    #[test]
    fn what_was_diverted_is_so_by_its_sums_too() {
        check(
            &[
                ("info/b.md5sums", &format!("{SUM}  bin/tool\n")),
                ("diversions", "/bin/tool\n/bin/tool.real\nc\n"),
            ],
            &[("/bin/tool.real", Some("b")), ("/bin/tool", None)],
        );
    }

    #[test]
    fn lines_that_are_no_sums_name_no_file() {
        for line in ["", "x", SUM, &format!("{SUM}  "), &format!("{}  a/b", "g".repeat(32))] {
            assert_eq!(summed(line.as_bytes()), None, "{line}");
        }
        let long = format!("{SUM} *bin/é");
        assert_eq!(summed(long.as_bytes()).as_deref(), Some("/bin/é".as_bytes()));
    }

    /// Real packages of Ubuntu 18.04: dpkg's own lists are the witness.
    #[test]
    fn sums_name_the_owners_that_lists_name() {
        let Some(shared) = test_material::shared() else { return };
        let folder = tempfile::tempdir().unwrap();
        let packed = shared.join("data/fixtures.tar.zst");
        let info = "fixtures/dpkg/rootfs-ubuntu-18.04/var/lib/dpkg/info";
        let unpack = std::process::Command::new("tar")
            .args(["--zstd", "-xf", packed.to_str().unwrap(), "-C"])
            .args([folder.path().to_str().unwrap(), info])
            .status();
        assert!(unpack.unwrap().success());
        let info = folder.path().join(info);
        let (mut names, mut expected) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&info).unwrap() {
            let path = entry.unwrap().path();
            let sums = path.with_extension("md5sums");
            if path.extension().is_some_and(|it| it == "list") && sums.exists() {
                let stem = path.file_stem().unwrap().to_str().unwrap();
                let name = stem.split(':').next().unwrap().to_owned();
                let listed = fs::read_to_string(&path).unwrap();
                let summed = fs::read_to_string(&sums).unwrap();
                let of = |line: &str| listed.lines().find(|it| it[1..] == line[34..]);
                expected
                    .extend(summed.lines().filter_map(of).map(|it| (it.to_owned(), name.clone())));
                fs::remove_file(path).unwrap();
                names.push(name);
            }
        }
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("var/lib/dpkg")).unwrap();
        fs::rename(info, root.path().join(&INFO[1..])).unwrap();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (owners, gaps) = owners(root.path(), &names);
        assert_eq!(gaps, []);
        assert!(expected.len() > 1000, "{}", expected.len());
        for (path, owner) in expected {
            assert_eq!(owners.of(path.as_bytes()), Some(owner.as_str()), "{path}");
        }
    }
}
