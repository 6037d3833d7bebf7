//! The boot configuration of a filesystem: which entries it has, which of them is started, and with
//! what kernel command line.
//!
//! Read are grub's configuration and environment block, on the EFI system partition too, entries of the
//! Boot Loader Specification (<https://uapi-group.org/specifications/specs/boot_loader_specification/>),
//! unified kernel images, and, if there is none of them, what new entries are made from
//! (`/etc/kernel/cmdline`, `/etc/default/grub`). Not read: what the firmware keeps in its variables.

mod bls;
mod command_line;
mod grub;
mod scripts;
mod unified;

pub use command_line::Arguments;

use super::{Tree, identity};
use crate::model::{Gap, printable_str};
use scripts::Placed;

/// A filesystem's boot configuration.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where it is written.
    pub place: String,
    /// Whether it is at the top of its filesystem, which then is `/boot` of its host.
    pub is_boot: bool,
    /// Whether it is what the boot loader shows, and not what new entries are made from.
    pub is_menu: bool,
    /// The kernel command line of the entry that is started.
    pub arguments: Arguments,
    /// Path of the kernel that it starts, as the boot loader sees it.
    pub kernel: Option<String>,
    /// Why it may start another one.
    pub doubt: Option<String>,
}

/// What the firmware's variables keep stands for this word of systemd-boot.
const KEPT: &str = "@saved";

/// Reads what a filesystem of the boot firmware has. It is no `/boot`, wherever it is mounted.
pub fn read_firmware(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Configuration> {
    Some(Configuration { is_boot: false, ..menu(tree, "", "/EFI", gaps)? })
}

/// Reads what a filesystem has, if it has any.
pub fn read(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Configuration> {
    // The top comes first: a filesystem for `/boot` may have a link `boot` to itself.
    let mut menus = [("", "/efi/EFI"), ("/boot", "/boot/efi/EFI")].into_iter();
    menus
        .find_map(|(folder, vendors)| menu(tree, folder, vendors, gaps))
        .or_else(|| seed(tree, gaps))
}

/// An entry of a boot menu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    title: String,
    id: String,
    command_line: Option<String>,
    kernel: Option<String>,
    /// The file that it is, if that is not the whole menu's.
    place: Option<String>,
    /// Those of a submenu.
    children: Vec<Entry>,
}

/// What the first script starts; that another one starts something else is a doubt.
fn menu(tree: &Tree, folder: &str, vendors: &str, gaps: &mut Vec<Gap>) -> Option<Configuration> {
    let scripts = scripts::find(tree, folder, vendors, gaps);
    let mut menus = scripts.into_iter().filter_map(|script| {
        let place = script.place.clone();
        Some((place, of_script(tree, folder, script, gaps)?))
    });
    let (_, mut menu) = menus.next()?;
    let other = menus.find(|(_, other)| !is_same(menu.kernel.as_deref(), other.kernel.as_deref()));
    let doubt = other.map(|(place, other)| {
        let kernel = other.kernel.as_deref().unwrap_or("something else");
        printable_str(&format!("{place} starts {kernel}"))
    });
    menu.doubt = menu.doubt.or(doubt);
    Some(menu)
}

/// Paths of one kernel may begin at different filesystems.
fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
        _ => one == other,
    }
}

fn of_script(
    tree: &Tree,
    folder: &str,
    placed: Placed,
    gaps: &mut Vec<Gap>,
) -> Option<Configuration> {
    let Placed { place, script, doubt } = placed;
    let own = script.has_entries();
    let loader = format!("{folder}/loader");
    let (place, entries, default) = if script.takes_loader_entries || !own {
        let entries = bls::entries(tree, &format!("{loader}/entries"), &script.variables, gaps);
        let kept = || script.variables.get("saved_entry").filter(|_| place.is_empty()).cloned();
        let default = script.default.or_else(|| bls::default(tree, &loader, gaps)).or_else(kept);
        (format!("{loader}/entries"), entries, default)
    } else {
        (place, script.entries, script.default)
    };
    let entries = if own { entries } else { with_images(tree, folder, entries, gaps) };
    let entry = started(&entries, default.as_deref())?;
    let place = printable_str(entry.place.as_deref().unwrap_or(&place));
    let arguments = Arguments::parse(first_command_line(entry)?);
    let kernel = first(entry, &|entry| entry.kernel.as_deref()).map(str::to_owned);
    // Where all start one kernel, it does not matter which is started.
    let is_choice = entries.iter().any(|it| it.kernel != kernel);
    let doubt = doubt.filter(|_| is_choice && default.is_none());
    let kernel = kernel.filter(|_| !is_choice || default.as_deref() != Some(KEPT));
    let is_boot = folder.is_empty();
    Some(Configuration { place, is_boot, is_menu: true, arguments, kernel, doubt })
}

/// Where the boot loader finds images by itself, they follow the entries that are files.
fn with_images(
    tree: &Tree,
    folder: &str,
    mut entries: Vec<Entry>,
    gaps: &mut Vec<Gap>,
) -> Vec<Entry> {
    entries.extend(unified::entries(tree, &format!("{folder}/EFI/Linux"), gaps));
    entries
}

/// What the next entry would be made from.
fn seed(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<Configuration> {
    let configuration = |place: &str, text: &str| Configuration {
        place: place.to_owned(),
        is_boot: false,
        is_menu: false,
        arguments: Arguments::parse(text),
        kernel: None,
        doubt: None,
    };
    if let Some(text) = identity::text(tree, "/etc/kernel/cmdline", gaps) {
        return Some(configuration("/etc/kernel/cmdline", &text));
    }
    let text = identity::text(tree, "/etc/default/grub", gaps)?;
    let line = identity::assignments(&text).find(|(key, _)| key == "GRUB_CMDLINE_LINUX")?.1;
    Some(configuration("/etc/default/grub", &line))
}

/// The entry that a default means: a title, an id, the start of an id before `*`, or a number, and
/// the same for a submenu after `>`. One that is not there starts the first.
fn started<'a>(entries: &'a [Entry], default: Option<&str>) -> Option<&'a Entry> {
    let named = default.and_then(|default| {
        // A title may have a `>` of its own.
        by_name(entries, default).or_else(|| {
            let mut entries = entries;
            let mut found = None;
            for name in default.split('>') {
                let entry = by_name(entries, name)?;
                (entries, found) = (&entry.children, Some(entry));
            }
            found
        })
    });
    named.or_else(|| entries.first())
}

fn by_name<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    let mut named = entries.iter();
    let start = name.strip_suffix('*');
    let is_named = |id: &str| id == name || start.is_some_and(|start| id.starts_with(start));
    named
        .find(|entry| entry.title == name || (!entry.id.is_empty() && is_named(&entry.id)))
        .or_else(|| entries.get(name.parse::<usize>().ok()?))
}

/// That of the entry, or of the first one inside that has any. Menus are [`grub::DEEPEST`] deep at
/// most.
fn first_command_line(entry: &Entry) -> Option<&str> {
    first(entry, &|entry| entry.command_line.as_deref())
}

fn first<'a>(entry: &'a Entry, what: &dyn Fn(&'a Entry) -> Option<&'a str>) -> Option<&'a str> {
    what(entry).or_else(|| entry.children.iter().find_map(|child| first(child, what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `grub-mkconfig` of Debian 12 and `grub2-mkconfig` of Fedora write them, shortened.
    const DEBIAN: &str = r#"
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
else
   set default="0"
fi
function gfxmode {
	set gfxpayload="${1}"
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1111' {
	insmod ext2
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root 1111
	fi
	linux	/boot/vmlinuz-6.1.0-18-amd64 root=UUID=1111 ro  quiet
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1111' {
	menuentry 'Debian, with Linux 5.10' --class debian $menuentry_id_option 'gnulinux-5.10-advanced-1111' {
		linux	/boot/vmlinuz-5.10 root=UUID=1111 ro old
	}
}
menuentry 'Debian GNU/Linux 11 (bullseye) (on /dev/sda2)' --class debian $menuentry_id_option 'osprober-2222' {
	linux /boot/vmlinuz-5.10.0-28-amd64 root=/dev/sda2
}
"#;

    #[track_caller]
    fn check(script: &str, variables: &str, expected: &str) {
        let script = grub::parse(script, variables);
        let entry = started(&script.entries, script.default.as_deref()).expect("an entry");
        assert_eq!(first_command_line(entry), Some(expected));
    }

    #[test]
    fn the_default_entry_by_number_id_and_submenu() {
        check(DEBIAN, "", "root=UUID=1111 ro quiet");
        let saved = DEBIAN.replace("set default=\"0\"", "set default=\"${saved_entry}\"");
        check(&saved, "saved_entry=osprober-2222\n###", "root=/dev/sda2");
        check(&saved, "saved_entry=2\n", "root=/dev/sda2");
        check(
            &saved,
            "saved_entry=gnulinux-advanced-1111>gnulinux-5.10-advanced-1111\n",
            "root=UUID=1111 ro old",
        );
        check(&saved, "saved_entry=gone\n", "root=UUID=1111 ro quiet");
        check(&saved, "", "root=UUID=1111 ro quiet");
    }

    #[test]
    fn entries_and_commands_that_share_a_line() {
        let script = "set timeout=5; set default=x>own\nmenuentry \"a; {b}\" { linux /first root=1 }\n\
            submenu x { menuentry y --id own { insmod ext2; linux /second root=${one} two; initrd /i } }\n\
            menuentry z {\n linux /third root=3 }\n";
        check(script, "one=1", "root=1 two");
        let entries = grub::parse(script, "").entries;
        let names: Vec<_> = entries.iter().map(|it| (&*it.title, first_command_line(it))).collect();
        let expected =
            [("a; {b}", Some("root=1")), ("x", Some("root= two")), ("z", Some("root=3"))];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_script_that_leaves_all_to_loader_entries() {
        let text = "set default=\"${saved_entry}\"\nif [ -z \"${kernelopts}\" ]; then\n  set kernelopts=\"root=UUID=1 ro \"\nfi\ninsmod blscfg\nblscfg\n";
        let script = grub::parse(text, "# GRUB Environment Block\nsaved_entry=abc-6.1\n####");
        assert!(script.takes_loader_entries && script.entries.is_empty());
        assert_eq!(script.default.as_deref(), Some("abc-6.1"));
        assert_eq!(script.variables.get("kernelopts").map(String::as_str), Some("root=UUID=1 ro "));
    }
}
