//! Which kernel is started next, and whether that is another one: hosts with menus as their systems write them.

use crate::directory::root;
use crate::support::scan;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

const MACHINE: &str = "6f1c0a1e2b3c4d5e6f708192a3b4c5d6";
const NEW: &str = "4.18.0-513.9.1.el8_9.x86_64";
const OLD: &str = "4.18.0-80.el8.x86_64";
/// 2023-11-14.
const STARTED: u32 = 1_700_000_000;
/// As `grub2-mkconfig` of Red Hat writes its beginning, shortened.
const BEGINNING: &str = "if [ -f ${config_directory}/grubenv ]; then
  load_env -f ${config_directory}/grubenv
elif [ -s $prefix/grubenv ]; then
  load_env
fi
if [ \"${next_entry}\" ] ; then
   set default=\"${next_entry}\"
   set next_entry=
   save_env next_entry
else
   set default=\"${saved_entry}\"
fi
";
/// What Red Hat's from 9 on have on the firmware's partition.
const LEADING: &str = "search --no-floppy --fs-uuid --set=dev 1111
set prefix=($dev)/grub2
export $prefix
configfile $prefix/grub.cfg
";

/// A host that last ran this kernel, with images of both.
struct Host(TempDir);

impl Host {
    fn new(running: &str, images: &[&str]) -> Self {
        let host = Self(tempfile::tempdir().expect("a folder"));
        root(host.0.path());
        for image in images {
            host.file(&format!("boot/vmlinuz-{image}"), "");
        }
        host.wtmp("wtmp", running);
        host
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("inside")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("inside")).expect("made");
        symlink(target, path).expect("linked");
    }

    /// A record of a boot as `utmp(5)` lays it out; without a kernel one of a login.
    fn wtmp(&self, name: &str, kernel: &str) {
        let mut record = vec![0_u8; 384];
        let (kind, user) = if kernel.is_empty() { (7, "admin") } else { (2, "reboot") };
        record[0] = kind;
        record[44..44 + user.len()].copy_from_slice(user.as_bytes());
        record[76..76 + kernel.len()].copy_from_slice(kernel.as_bytes());
        record[340..344].copy_from_slice(&STARTED.to_le_bytes());
        self.file(&format!("var/log/{name}"), "");
        fs::write(self.0.path().join("var/log").join(name), record).expect("written");
    }

    fn entries(&self) {
        for version in [NEW, OLD] {
            let text =
                format!("title x\nversion {version}\nlinux /vmlinuz-{version}\noptions ro\n");
            self.file(&format!("boot/loader/entries/{MACHINE}-{version}.conf"), &text);
        }
    }

    fn seen(&self) -> Value {
        let (code, mut report) = scan(&[Path::new(&format!("dir:{}", self.0.path().display()))]);
        assert_eq!(code, 0, "{}", report["gaps"]);
        report["host"].take()
    }

    /// The kernel that is started next, what tells of it, how sure that is, and whether a reboot is needed.
    #[track_caller]
    fn check(&self, next: &str, evidence: &str, confidence: &str, reboot: Option<bool>) {
        let host = self.seen();
        let seen = &host["next_kernel"];
        let expected =
            serde_json::json!({"version": next, "evidence": evidence, "confidence": confidence});
        assert_eq!(seen, &expected);
        assert_eq!(host["reboot_needed"], serde_json::json!(reboot));
    }
}

fn environment(saved: &str) -> String {
    format!("# GRUB Environment Block\nsaved_entry={saved}\n####")
}

fn entry(version: &str) -> String {
    format!("menuentry 'Linux ({version})' {{\n\tlinuxefi /vmlinuz-{version} root=/dev/x ro\n}}\n")
}

#[test]
fn a_saved_entry_on_the_firmwares_partition_counts() {
    let blscfg = format!("{BEGINNING}insmod blscfg\nblscfg\n");
    for vendor in ["redhat", "rocky", "Acme"] {
        let host = Host::new(OLD, &[NEW, OLD]);
        host.entries();
        host.file(&format!("boot/efi/EFI/{vendor}/grub.cfg"), &blscfg);
        host.file(
            &format!("boot/efi/EFI/{vendor}/grubenv"),
            &environment(&format!("{MACHINE}-{OLD}")),
        );
        host.link("boot/grub2/grubenv", &format!("../efi/EFI/{vendor}/grubenv"));
        // What another system left there is not what the link leads to.
        host.file("boot/efi/EFI/aaa/grub.cfg", &blscfg);
        host.file("boot/efi/EFI/aaa/grubenv", &environment(&format!("{MACHINE}-{NEW}")));
        host.check(OLD, "/boot/loader/entries", "high", Some(false));
    }
}

#[test]
fn an_environment_block_on_a_partition_that_is_not_there_is_a_doubt() {
    let host = Host::new(OLD, &[NEW, OLD]);
    host.entries();
    host.link("boot/grub2/grubenv", "../efi/EFI/redhat/grubenv");
    let doubt = "/boot/loader/entries; but /boot/grub2/grubenv leads to ../efi/EFI/redhat/grubenv, which is not there";
    host.check(NEW, doubt, "low", None);
    // Another loader does not look into it.
    host.file("boot/loader/loader.conf", &format!("default {MACHINE}-{OLD}.conf\n"));
    host.check(OLD, "/boot/loader/entries", "high", Some(false));
}

#[test]
fn a_menu_on_the_firmwares_partition_is_read() {
    let menu = format!("{BEGINNING}{}{}", entry(NEW), entry(OLD));
    let host = Host::new(OLD, &[NEW, OLD]);
    host.file("boot/efi/EFI/centos/grub.cfg", &menu);
    host.file("boot/efi/EFI/centos/grubenv", &environment(&format!("Linux ({OLD})")));
    host.check(OLD, "/boot/efi/EFI/centos/grub.cfg", "high", Some(false));
    // That of the disk, started without the firmware, says otherwise.
    host.file("boot/grub2/grub.cfg", &format!("set default=0\n{}", entry(NEW)));
    let doubt =
        format!("/boot/grub2/grub.cfg; but /boot/efi/EFI/centos/grub.cfg starts /vmlinuz-{OLD}");
    host.check(NEW, &doubt, "low", None);
    host.file("boot/grub2/grub.cfg", &entry(OLD).replace("/vmlinuz", "/boot/vmlinuz"));
    host.check(OLD, "/boot/grub2/grub.cfg", "high", Some(false));
    host.file("boot/grub2/grub.cfg", &entry(NEW));
    host.file("boot/efi/EFI/rocky/grub.cfg", LEADING);
    host.check(NEW, "/boot/grub2/grub.cfg", "high", Some(true));
}

#[test]
fn a_kernel_that_is_merely_the_only_one_is_not_told_to_run() {
    let host = Host::new("", &[NEW]);
    host.file("boot/grub2/grub.cfg", &entry(NEW));
    host.file("var/lib/dpkg/info/linux-image-x.list", &format!("/boot/vmlinuz-{NEW}\n"));
    host.check(NEW, "/boot/grub2/grub.cfg", "high", None);
    assert_eq!(host.seen()["running_kernel"]["confidence"], "low");
    host.wtmp("wtmp.1", OLD);
    host.check(NEW, "/boot/grub2/grub.cfg", "high", Some(true));
    let evidence = "/var/log/wtmp.1: started at 2023-11-14T22:13:20Z";
    assert_eq!(host.seen()["running_kernel"]["evidence"], evidence);
}

#[test]
fn a_menu_whose_kernel_is_gone_is_not_sure() {
    let host = Host::new(OLD, &[OLD]);
    host.file("boot/grub2/grub.cfg", &format!("{}{}", entry(NEW), entry(OLD)));
    let doubt = format!("/boot/grub2/grub.cfg; but /vmlinuz-{NEW} is not there");
    host.check(NEW, &doubt, "low", None);
}

#[test]
fn what_the_firmware_keeps_is_not_known() {
    let host = Host::new(OLD, &[NEW, OLD]);
    host.entries();
    host.file("boot/loader/loader.conf", "timeout 3\ndefault @saved\n");
    assert_eq!(host.seen()["next_kernel"], Value::Null);
    // With one entry there is nothing to be kept.
    fs::remove_file(host.0.path().join(format!("boot/loader/entries/{MACHINE}-{NEW}.conf")))
        .expect("removed");
    host.check(OLD, "/boot/loader/entries", "high", Some(false));
}

#[test]
fn debian_starts_what_is_in_its_own_folder() {
    let host = Host::new(OLD, &[NEW, OLD]);
    host.file(
        "boot/grub/grub.cfg",
        &format!("menuentry \"x\" {{ linux /boot/vmlinuz-{NEW} root=/dev/x }}\n{}", entry(OLD)),
    );
    host.file("boot/grub2/grub.cfg", &entry(OLD));
    host.check(NEW, "/boot/grub/grub.cfg", "high", Some(true));
    host.file("etc/os-release", "ID=rhel\nVERSION_ID=8.9\n");
    host.check(OLD, "/boot/grub2/grub.cfg", "high", Some(false));
}

#[test]
fn an_image_that_was_upgraded_under_its_release_needs_a_reboot() {
    let host = Host::new(OLD, &[OLD]);
    let name = format!("linux-image-{OLD}");
    host.file("boot/grub/grub.cfg", &entry(OLD));
    host.check(OLD, "/boot/grub/grub.cfg", "high", Some(false));
    // The files may be a copy.
    host.file(&format!("var/lib/dpkg/info/{name}.list"), "/.\n");
    host.check(OLD, "/boot/grub/grub.cfg", "high", Some(false));
    host.file("var/log/dpkg.log", "");
    host.check(OLD, "/boot/grub/grub.cfg", "high", None);
    let path = host.0.path().join(format!("var/lib/dpkg/info/{name}.list"));
    let list = fs::File::options().write(true).open(path).expect("opened");
    let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_706_774_401);
    list.set_modified(at).expect("set");
    host.file(
        "var/log/dpkg.log",
        &format!("2024-02-01 09:00:00 upgrade {name}:amd64 4.18-1 4.18-2\n"),
    );
    let told = format!(
        "/boot/grub/grub.cfg; /var/log/dpkg.log: {name} was upgraded from 4.18-1 to 4.18-2 since"
    );
    host.check(OLD, &told, "high", Some(true));
}
