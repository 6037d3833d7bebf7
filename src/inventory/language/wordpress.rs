//! WordPress: its plugins and themes, by the comment at the start of a file.
//!
//! A plugin is any `.php` directly in its folder, or in the folder of all plugins, whose comment has `Plugin Name:`; a theme
//! is a folder whose `style.css` has `Theme Name:`. Format: <https://developer.wordpress.org/plugins/plugin-basics/header-requirements/>.
//! Packages are named as their folders are, as advisories name them; a title is only for people. What has no version is no package.

use super::{Collector, fields, place, text};
use crate::host::{Host, Part};
use crate::inventory::{Cataloger, PathPattern};
use crate::model::{Ecosystem, Gap, Package, PackageState, Partial, printable};
use std::io::Read;

/// The cataloger.
pub struct Extensions;

/// Bytes of a file in which WordPress looks for the comment.
const HEAD: u64 = 8 << 10;

impl Cataloger for Extensions {
    fn name(&self) -> &'static str {
        "wordpress-extensions"
    }

    fn patterns(&self) -> &[PathPattern] {
        const PATTERNS: &[PathPattern] = &[
            PathPattern::Below { folders: &["wp-content", "plugins", "*"], ending: ".php" },
            PathPattern::Below { folders: &["wp-content", "plugins"], ending: ".php" },
            PathPattern::Below { folders: &["wp-content", "mu-plugins"], ending: ".php" },
            PathPattern::Below { folders: &["wp-content", "themes", "*"], ending: "style.css" },
        ];
        PATTERNS
    }

    /// WordPress runs `uninstall.php` of each plugin when it goes; no plugin is made of it.
    fn takes(&self, path: &[u8]) -> bool {
        let name = file_name(path);
        name == b"style.css" || (!name.ends_with(b"style.css") && name != b"uninstall.php")
    }

    fn part(&self) -> Part {
        Part::Start(HEAD)
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut found = Collector::new(Ecosystem::Wordpress, PackageState::Installed, path);
        let mut head = Vec::new();
        match host.tree.open(path) {
            Ok(Some(file)) => match file.take(HEAD).read_to_end(&mut head) {
                Ok(_) => read(&text::decode(head), &mut found),
                Err(error) => found.gap(fields::unreadable(path, &error)),
            },
            Ok(None) => {}
            Err(error) => found.gap(Gap::new(printable(path), error.reason(), error)),
        }
        found.into_found()
    }
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

fn read(head: &str, found: &mut Collector) {
    let path = found.path();
    let (kind, title) = match file_name(path) {
        b"style.css" => ("wordpress-theme", "Theme Name"),
        _ => ("wordpress-plugin", "Plugin Name"),
    };
    let (Some(_), Some(version)) = (field(head, title), field(head, "Version")) else { return };
    found.add_of(kind, &text::decode(name(path).to_vec()), version);
}

/// The folder's name, or that of a file that is a plugin by itself.
fn name(path: &[u8]) -> &[u8] {
    let file = file_name(path);
    match place::folders(path).pop() {
        Some(b"plugins" | b"mu-plugins") | None => &file[..file.len().saturating_sub(4)],
        Some(folder) => folder,
    }
}

/// The first field of this name, whatever starts the line of a comment; empty ones are none.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.split(['\n', '\r']).filter_map(|line| {
        let line = line.trim_start_matches([' ', '\t']);
        let line = line.strip_prefix("<?php").unwrap_or(line);
        let line = line.trim_start_matches([' ', '\t', '/', '*', '#', '@']);
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    let value = values.next()?;
    let end = ["*/", "?>"].iter().filter_map(|end| value.find(end)).min().unwrap_or(value.len());
    Some(value[..end].trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purls(path: &str, head: &str) -> Vec<String> {
        let mut found =
            Collector::new(Ecosystem::Wordpress, PackageState::Installed, path.as_bytes());
        read(head, &mut found);
        let found = found.into_found();
        assert_eq!(found.gaps, []);
        found.found.into_iter().map(|it| it.purl).collect()
    }

    const PLUGIN: &str = "<?php\n/**\n * @package Akismet\n */\n/*\nPlugin Name: Akismet Anti-spam: Spam Protection\nPlugin URI: https://akismet.com/\nVersion: 5.3.2\nAuthor: x\n*/\ndefine( 'V', '1' );\n";

    #[test]
    fn plugins_and_themes_by_their_folders() {
        let akismet = ["pkg:generic/wordpress-plugin/akismet@5.3.2"];
        assert_eq!(purls("/w/wp-content/plugins/akismet/main.php", PLUGIN), akismet);
        let mac = PLUGIN.replace('\n', "\r");
        assert_eq!(purls("/w/wp-content/plugins/akismet/main.php", &mac), akismet);
        let hello = ["pkg:generic/wordpress-plugin/hello@1.7.2"];
        let line = "<?php /* plugin name: Hello */ ?>\n# version:1.7.2 */ // Version: 9\n";
        assert_eq!(purls("/wp-content/plugins/hello.php", line), hello);
        assert_eq!(purls("/wp-content/mu-plugins/hello.php", line), hello);
        let theme = "/*\n * Theme Name: Twenty\n * Version: 2.5\n */\n";
        let twenty = ["pkg:generic/wordpress-theme/twentytwelve@2.5"];
        assert_eq!(purls("/wp-content/themes/twentytwelve/style.css", theme), twenty);
    }

    #[test]
    fn other_files_are_no_plugins() {
        for head in ["", "<?php // Silence is golden.\n", "/* Plugin Name: a */", "Version: 1"] {
            assert!(purls("/wp-content/plugins/a/a.php", head).is_empty(), "{head}");
        }
        assert!(purls("/wp-content/plugins/a/a.php", &PLUGIN.replace("5.3.2", "")).is_empty());
        assert!(purls("/wp-content/themes/a/style.css", PLUGIN).is_empty());
        assert!(purls("/.php", PLUGIN).is_empty());
    }

    #[test]
    fn only_files_where_wordpress_looks() {
        let is_wanted = |path: &str| {
            let (folder, file) = path.rsplit_once('/').unwrap();
            let mut patterns = Extensions.patterns().iter();
            patterns.any(|it| it.takes(folder.as_bytes(), file.as_bytes()))
                && Extensions.takes(path.as_bytes())
        };
        assert!(is_wanted("/wp-content/plugins/hello.php"));
        assert!(is_wanted("/srv/wp-content/plugins/a/b.php"));
        assert!(is_wanted("/wp-content/themes/a/style.css"));
        assert!(!is_wanted("/wp-content/plugins/a/lib/b.php"));
        assert!(!is_wanted("/wp-content/plugins/a/uninstall.php"));
        assert!(!is_wanted("/wp-content/themes/a/editor-style.css"));
        assert!(!is_wanted("/wp-content/themes/a/index.php"));
        assert!(!is_wanted("/plugins/a/b.php"));
    }

    #[test]
    fn damage() {
        for end in (0..PLUGIN.len()).filter(|end| PLUGIN.is_char_boundary(*end)) {
            purls("/wp-content/plugins/a/b.php", &PLUGIN[..end]);
        }
    }
}
