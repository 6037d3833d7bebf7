//! The kernel command line: what of it says where the system is, and what confines its programs.
//!
//! Documented in `bootparam(7)`, `kernel-command-line(7)`, `dracut.cmdline(7)` and
//! `ostree-prepare-root(1)`.

/// What a kernel command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `root=`: the device of the root.
    pub root: Option<String>,
    /// `rootflags=`: options of its mount.
    pub root_options: Option<String>,
    /// `ostree=`: the link to the deployment.
    pub ostree: Option<String>,
    /// `mount.usr=`, or what `usrhash=` goes with: the device of `/usr`.
    pub usr: Option<String>,
    /// `boot=`: the device of `/boot`, as Fedora CoreOS has it.
    pub boot: Option<String>,
    /// `selinux=`: whether SELinux is taken.
    pub selinux: Option<String>,
    /// `enforcing=`: whether SELinux refuses.
    pub enforcing: Option<String>,
    /// `apparmor=`: whether AppArmor is taken.
    pub apparmor: Option<String>,
    /// `security=`: the one of the larger security modules that is taken.
    pub security: Option<String>,
    /// `lsm=`: all security modules that are.
    pub lsm: Option<String>,
}

impl Arguments {
    /// Reads a command line; the last of several arguments of one name counts.
    pub fn parse(text: &str) -> Self {
        let mut arguments = Self::default();
        for word in words(text) {
            let Some((name, value)) = word.split_once('=') else { continue };
            let place = match name {
                "root" => &mut arguments.root,
                "rootflags" => &mut arguments.root_options,
                "ostree" => &mut arguments.ostree,
                "mount.usr" | "systemd.verity_usr_data" => &mut arguments.usr,
                "boot" => &mut arguments.boot,
                "selinux" => &mut arguments.selinux,
                "enforcing" => &mut arguments.enforcing,
                "apparmor" => &mut arguments.apparmor,
                "security" => &mut arguments.security,
                "lsm" => &mut arguments.lsm,
                _ => continue,
            };
            if !value.is_empty() {
                *place = Some(value.to_owned());
            }
        }
        arguments
    }
}

/// Words, of which quotes may hold blanks; what comes after `--` is for the init.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut quoted = false;
    let words: Vec<String> = text
        .split(move |c: char| {
            quoted ^= c == '"';
            c.is_whitespace() && !quoted
        })
        .filter(|word| !word.is_empty())
        .map(|word| word.replace('"', ""))
        .collect();
    words.into_iter().take_while(|word| word != "--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_name_counts_and_quotes_hold_blanks() {
        let found = Arguments::parse(
            "root=/dev/sda1 ro dm=\"1 vroot none ro 1,0 root=no\" root=UUID=1 rootflags=subvol=@ mount.usr=PARTUUID=2 -- root=/dev/x",
        );
        assert_eq!(found.root.as_deref(), Some("UUID=1"));
        assert_eq!(found.root_options.as_deref(), Some("subvol=@"));
        assert_eq!(found.usr.as_deref(), Some("PARTUUID=2"));
        assert_eq!(found.ostree, None);
        // As RHEL writes it, and a word of another program that has `root` in its name.
        let found = Arguments::parse(
            "BOOT_IMAGE=(hd0,gpt2)/vmlinuz root=/dev/mapper/rhel-root ro rd.lvm.lv=rhel/root rd.lvm.lv=rhel/swap my.root=x",
        );
        let root = Some("/dev/mapper/rhel-root".to_owned());
        assert_eq!(found, Arguments { root, ..Arguments::default() });
    }
}
