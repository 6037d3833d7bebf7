//! Programs whose sources name their version in one file that is installed with them: headers of Python and PHP,
//! WordPress.

use super::{Collector, Manifest, text};
use crate::inventory::PathPattern;
use crate::model::{Ecosystem, PackageState};

/// `include/pythonX.Y/patchlevel.h`.
pub const PYTHON: Manifest = Manifest {
    name: "python-core",
    patterns: &[PathPattern::Named("patchlevel.h")],
    takes: |_| true,
    ecosystem: Ecosystem::Generic,
    state: PackageState::Installed,
    read: |text, found| set(text, "#define PY_VERSION ", "python", found),
};

/// `include/php/.../main/php_version.h`.
pub const PHP: Manifest = Manifest {
    name: "php-core",
    patterns: &[PathPattern::Named("php_version.h")],
    read: |text, found| set(text, "#define PHP_VERSION ", "php", found),
    ..PYTHON
};

/// `wp-includes/version.php`.
pub const WORDPRESS: Manifest = Manifest {
    name: "wordpress",
    patterns: &[PathPattern::Within { folder: "wp-includes", name: "version.php" }],
    read: |text, found| set(text, "$wp_version =", "wordpress", found),
    ..PYTHON
};

/// Takes the string that the first line with this start sets.
fn set(text: &str, start: &str, name: &str, found: &mut Collector) {
    let values =
        text.lines().filter_map(|line| squeeze(line).strip_prefix(start).map(str::to_owned));
    for value in values {
        if let Some((version, _)) = text::quoted(&value) {
            return found.add(name, version);
        }
    }
}

/// A line with its blanks as single spaces.
fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::language::manifest::{check, survive_damage};

    #[test]
    fn each_program() {
        check(
            &PYTHON,
            "#define PY_MICRO_VERSION 2\n#define PY_VERSION      \t\"3.11.2\"\n",
            &["python 3.11.2"],
        );
        check(&PYTHON, "/* another program's */\n", &[]);
        check(
            &PHP,
            "#define PHP_VERSION \"8.2.7\"\n#define PHP_VERSION_ID 80207\n",
            &["php 8.2.7"],
        );
        check(
            &WORDPRESS,
            "<?php\n/**\n * @global string $wp_version\n */\n$wp_version = '6.4.2';\n$wp_db_version = 1;\n",
            &["wordpress 6.4.2"],
        );
    }

    #[test]
    fn damage() {
        survive_damage(&WORDPRESS, "<?php\n$wp_version = '6.4.2';\n");
    }
}
