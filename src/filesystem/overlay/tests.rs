//! Merged views against the kernel's: it makes the layers by what is done in its own mounts, and shows what
//! they are together.

use super::*;
use crate::filesystem::Directory;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Does things at random in the folder `$1`; the seed is `$2`.
const DEEDS: &str = r#"
set -u; cd "$1"; RANDOM=$2; seed=$2
pick() { find . -mindepth 1 $* | sort | awk -v n=$RANDOM '{a[NR]=$0} END {if (NR) print a[n % NR + 1]}'; }
for step in $(seq 24); do
  dir=$(pick -type d); dir=${dir:-.}; file=$(pick -type f); any=$(pick)
  case $((RANDOM % 12)) in
    0|1) mkdir -p "$dir/d$RANDOM" ;;
    2|3) echo "$seed-$step-$RANDOM" > "$dir/f$((RANDOM % 30))" 2>/dev/null ;;
    4) [ -n "$any" ] && rm -rf "$any" ;;
    5) [ -n "$file" ] && chmod 6755 "$file" ;;
    6) [ -n "$file" ] && mv "$file" "$dir/m$RANDOM" ;;
    7) sub=$(pick -type d -not -path "$dir*"); [ -n "$sub" ] && mv "$sub" "$dir/r$RANDOM" 2>/dev/null ;;
    8) [ -n "$file" ] && ln "$file" "$dir/h$RANDOM" 2>/dev/null ;;
    9) ln -s "$file" "$dir/l$RANDOM" ;;
    10) [ "$dir" != . ] && rm -rf "$dir" && mkdir "$dir" && echo new > "$dir/new" ;;
    11) [ -n "$file" ] && echo more >> "$file" ;;
  esac
done; true
"#;

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
}

/// A mount that ends with it.
struct Mounted(String);

impl Mounted {
    fn new(at: &Path, options: &str) -> Self {
        let at = at.to_str().unwrap().to_owned();
        run("mount", &["-t", "overlay", "overlay", "-o", options, &at]);
        Self(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &[&self.0]);
    }
}

/// Everything below a folder, a line each.
fn told(filesystem: &dyn FileSystem, folder: NodeId, path: &str, text: &mut String) {
    let listing = filesystem.read_dir(folder).unwrap();
    assert!(listing.damage.is_empty(), "{path}: {:?}", listing.damage);
    let mut entries = listing.entries;
    entries.sort();
    for entry in entries {
        let name = String::from_utf8(entry.name.clone()).unwrap();
        let looked_up = filesystem.lookup(folder, &entry.name).unwrap();
        assert_eq!(looked_up, Some(entry.node), "{path}/{name}");
        let found = filesystem.metadata(entry.node).unwrap();
        let size = if found.kind == Kind::File { found.size } else { 0 };
        let mut bytes = vec![0; size as usize];
        let content = match found.kind {
            Kind::File => {
                assert_eq!(filesystem.read_at(entry.node, 0, &mut bytes).unwrap(), bytes.len());
                String::from_utf8_lossy(&bytes).trim().replace('\n', " ")
            }
            Kind::Symlink => String::from_utf8(filesystem.read_link(entry.node).unwrap()).unwrap(),
            _ => String::new(),
        };
        let (kind, mode) = (found.kind, found.mode);
        writeln!(text, "{path}/{name} {kind:?} {mode:o} {size} {content}").unwrap();
        if found.kind == Kind::Directory {
            told(filesystem, entry.node, &format!("{path}/{name}"), text);
        }
    }
}

/// Makes layers by deeds in the kernel's own mounts, and holds ours against them at each of them.
fn compare(seed: u32, layers: usize, options: &str, marks: Marks) -> usize {
    let mut lines = 0;
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let at = |name: String| folder.path().join(name);
    let merged = at("merged".to_owned());
    std::fs::create_dir(&merged).unwrap();
    let mut lower: Vec<String> = Vec::new();
    for layer in 0..layers {
        let (upper, work) = (at(format!("u{layer}")), at(format!("w{layer}")));
        std::fs::create_dir(&upper).unwrap();
        std::fs::create_dir(&work).unwrap();
        let deed = |place: &Path, more: u32| {
            let seed = (seed * 100 + layer as u32 + more).to_string();
            run("bash", &["-c", DEEDS, "deeds", place.to_str().unwrap(), &seed]);
        };
        if lower.is_empty() {
            run(
                "mkdir",
                &["-p", &format!("{}/a/b/c", upper.display()), &format!("{}/d/e", upper.display())],
            );
            (0..5).for_each(|more| deed(&upper, more * 1000));
        } else {
            let (upper, work) = (upper.display(), work.display());
            let below = lower.join(":");
            let mounted = format!("lowerdir={below},upperdir={upper},workdir={work},{options}");
            let mount = Mounted::new(&merged, &mounted);
            deed(&merged, 0);
            drop(mount);
        }
        lower.insert(0, upper.to_str().unwrap().to_owned());
        if lower.len() < 2 {
            continue;
        }
        let mount = Mounted::new(&merged, &format!("lowerdir={},{options}", lower.join(":")));
        let mut expected = String::new();
        let kernel = Directory::open(&merged).unwrap();
        told(&kernel, kernel.root(), "", &mut expected);
        drop(kernel);
        let folders = lower.iter().map(|path| {
            let layer: Arc<dyn FileSystem> = Arc::new(Directory::open(Path::new(path)).unwrap());
            let root = layer.root();
            (layer, root)
        });
        let ours = Overlay::new(folders.collect(), marks).unwrap();
        let mut text = String::new();
        told(&ours, ours.root(), "", &mut text);
        drop(mount);
        lines += expected.lines().count();
        assert_eq!(text, expected, "seed {seed}, layer {layer}");
    }
    lines
}

#[test]
fn it_is_what_the_kernel_shows() {
    if !test_material::root() {
        return;
    }
    let mut lines = 0;
    for seed in 0..3 {
        lines += compare(seed, 6, "redirect_dir=on,metacopy=on", Marks::Root);
        lines += compare(seed, 4, "redirect_dir=off,metacopy=off", Marks::Root);
        lines += compare(seed, 4, "userxattr", Marks::User);
    }
    assert!(lines > 300, "{lines}");
}

/// Layers as folders of one folder, uppermost first.
fn made(folder: &Path, names: &[&str], marks: Marks) -> Overlay {
    let folders = names.iter().map(|name| {
        let layer: Arc<dyn FileSystem> = Arc::new(Directory::open(&folder.join(name)).unwrap());
        let root = layer.root();
        (layer, root)
    });
    Overlay::new(folders.collect(), marks).unwrap()
}

fn names(overlay: &Overlay, folder: NodeId) -> Vec<String> {
    let listing = overlay.read_dir(folder).unwrap();
    let names = listing.entries.into_iter().map(|entry| String::from_utf8(entry.name).unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn files_stand_for_whiteouts_where_devices_may_not_be_made() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["up/a", "up/b", "low/a", "low/b"] {
        std::fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    for file in [
        "up/a/.wh.gone",
        "up/b/.wh..wh..opq",
        "up/a/.wh.../",
        "low/a/gone",
        "low/a/kept",
        "low/b/hidden",
    ] {
        let _ = std::fs::write(folder.path().join(file), "");
    }
    std::fs::write(folder.path().join("up/a/.wh..."), "").unwrap();
    let user = made(folder.path(), &["up", "low"], Marks::User);
    let inside = |overlay: &Overlay, name: &[u8]| {
        let node = overlay.lookup(ROOT, name).unwrap().unwrap();
        names(overlay, node)
    };
    assert_eq!(inside(&user, b"a"), ["kept"]);
    assert_eq!(inside(&user, b"b"), [""; 0]);
    assert_eq!(names(&user, ROOT), ["a", "b"]);
    // To the kernel they are files like others.
    let root = made(folder.path(), &["up", "low"], Marks::Root);
    assert_eq!(inside(&root, b"b"), [".wh..wh..opq", "hidden"]);
}

#[test]
fn a_folder_that_is_removed_and_made_anew_has_nothing_of_the_old() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["up/a/new", "middle/a/middle", "low/a/old"] {
        std::fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    std::fs::write(folder.path().join("middle/.wh.a"), "").unwrap();
    for (marks, expected) in [
        (Marks::Files, &["middle", "new"][..]),
        (Marks::User, &["middle", "new"]),
        (Marks::Root, &["middle", "new", "old"]),
    ] {
        let overlay = made(folder.path(), &["up", "middle", "low"], marks);
        let node = overlay.lookup(ROOT, b"a").unwrap().unwrap();
        assert_eq!(names(&overlay, node), expected, "{marks:?}");
    }
}

#[test]
fn who_is_uppermost_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["up/both", "low/both/deep", "low/own"] {
        std::fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    std::fs::write(folder.path().join("up/both/new"), "").unwrap();
    std::fs::write(folder.path().join("low/both/old"), "").unwrap();
    let overlay = made(folder.path(), &["up", "low"], Marks::Root);
    let at = |path: &str| {
        let step = |node, name: &str| overlay.lookup(node, name.as_bytes()).unwrap().unwrap();
        let node = path.split('/').fold(ROOT, step);
        overlay.uppermost_layer(node)
    };
    for (path, layer) in
        [("both", 0), ("both/new", 0), ("both/old", 1), ("both/deep", 1), ("own", 1)]
    {
        assert_eq!(at(path), Some(layer), "{path}");
    }
}

#[test]
fn no_layers_and_too_many_are_refused() {
    assert!(Overlay::new(Vec::new(), Marks::Root).is_err());
    let folder = tempfile::tempdir().unwrap();
    let layer: Arc<dyn FileSystem> = Arc::new(Directory::open(folder.path()).unwrap());
    let many = (0..=MOST_LAYERS).map(|_| (layer.clone(), layer.root())).collect();
    assert!(Overlay::new(many, Marks::Root).is_err());
}
