//! What cloud-init itself leaves on a disk: the one of the Debian 12 fixture is run in namespaces of its own over its
//! root, and asked.

use crate::directory::root as small_root;
use crate::support::{disks, root, scan};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where the root filesystem of the disk starts.
const ROOT: u64 = 262_144 * 512;

/// Nothing that it changes is the machine's: name, network and mounts end with it.
const RUN: &str = r#"
set -e
mount --make-rprivate /
mkdir lower upper work root
mount -o loop,ro,noload,offset=$2 "$1" lower
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
mkdir -p root/var/lib/cloud/seed/nocloud
printf 'instance-id: i-0fedcba9876543210\nlocal-hostname: web-7\n' > root/var/lib/cloud/seed/nocloud/meta-data
printf '#cloud-config\nlocale: false\n' > root/var/lib/cloud/seed/nocloud/user-data
mount -t proc proc root/proc
mount -t sysfs -o ro sys root/sys
mount -t tmpfs run root/run
for stage in 'init --local' 'init' 'modules --mode=final'; do
  chroot root cloud-init $stage >> log 2>&1 || true
done
for key in instance_id local_hostname platform; do chroot root cloud-init query $key; done
cp -a root/var/lib/cloud cloud
cp root/run/cloud-init/instance-data.json .
"#;

/// Instance, name and platform, as cloud-init says.
fn run(work: &Path, image: &Path) -> Vec<String> {
    let output = Command::new("unshare")
        .args(["--uts", "--net", "--ipc", "--mount", "--pid", "--fork", "sh", "-c", RUN, "sh"])
        .arg(image)
        .arg(ROOT.to_string())
        .current_dir(work)
        .output()
        .expect("unshare runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn what_the_real_one_leaves_is_told_with_and_without_run() {
    let Some(disks) = disks().filter(|_| root()) else { return };
    let (work, place) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let said = run(work.path(), &disks.join("debian-12.img"));
    let target = small_root(place.path());
    fs::rename(work.path().join("cloud"), place.path().join("var/lib/cloud")).expect("moved");
    let found = || -> Value {
        let (code, report) = scan(&[&target]);
        assert_eq!(code, 0, "{}", report["gaps"]);
        report["host"]["cloud_init"].clone()
    };
    let left = found();
    assert_eq!((&left["instance_id"], &left["hostname"]), (&json!(said[0]), &json!(said[1])));
    let datasource = left["datasource"].as_str().expect("a datasource");
    let platform = datasource.trim_start_matches("DataSource").to_lowercase();
    assert!(platform.starts_with(&format!("{} [", said[2])), "{datasource} {said:?}");
    let run = place.path().join("run/cloud-init");
    fs::create_dir_all(&run).expect("made");
    fs::copy(work.path().join("instance-data.json"), run.join("instance-data.json"))
        .expect("copied");
    let with_run = found();
    for name in ["instance_id", "hostname", "datasource"] {
        assert_eq!(with_run[name], left[name], "{name}");
    }
    assert_ne!(with_run["evidence"], left["evidence"]);
}
