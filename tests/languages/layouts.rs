//! What is known by where it lies: a host with files in the places that WordPress, Bitnami, conda and LuaRocks put them, and
//! with files of the same names elsewhere.

use crate::support::scan;
use std::fs;

const FILES: &[(&str, &str)] = &[
    (
        "srv/wp/wp-content/plugins/akismet/akismet.php",
        "<?php\n/*\nPlugin Name: Akismet\nVersion: 5.3.2\n*/\n",
    ),
    ("srv/wp/wp-content/plugins/akismet/class.php", "<?php\n// Version: 1\n"),
    (
        "srv/wp/wp-content/plugins/akismet/lib/other.php",
        "<?php\n/*\nPlugin Name: B\nVersion: 9\n*/\n",
    ),
    ("srv/wp/wp-content/plugins/hello.php", "<?php\n/*\nPlugin Name: Hello\nVersion: 1.7.2\n*/\n"),
    ("srv/wp/wp-content/themes/twenty/style.css", "/*\nTheme Name: Twenty\nVersion: 2.5\n*/\n"),
    ("srv/wp/wp-includes/version.php", "<?php\n$wp_version = '6.4.2';\n"),
    (
        "opt/bitnami/redis/.spdx-redis.spdx",
        r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"redis","versionInfo":"7.2.4-1",
        "externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:bitnami/redis@7.2.4-1?arch=amd64"}]}]}"#,
    ),
    (
        "srv/redis/.spdx-redis.spdx",
        r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"x","versionInfo":"1"}]}"#,
    ),
    ("opt/conda/conda-meta/openssl-3.0.13-0.json", r#"{"name":"openssl","version":"3.0.13"}"#),
    ("opt/conda/conda-meta/history", "==> 2024-01-01 <==\n"),
    ("opt/conda/pkgs/cache/openssl.json", r#"{"name":"openssl","version":"1"}"#),
    ("usr/lib/luarocks/rocks-5.1/lpeg/1.0.2-1/lpeg-1.0.2-1.rockspec", "package = x\n"),
    ("srv/lua/lpeg-1.0.1-1.rockspec", "package = 'lpeg'\nversion = '1.0.1-1'\n"),
];

#[test]
fn packages_that_are_known_by_where_they_lie() {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = scan(root.path());
    assert_eq!(found.gaps, []);
    let mut purls: Vec<_> = found.packages.iter().map(|it| it.purl.as_str()).collect();
    purls.sort_unstable();
    let expected = [
        "pkg:bitnami/redis@7.2.4-1?arch=amd64",
        "pkg:conda/openssl@3.0.13",
        "pkg:generic/wordpress-plugin/akismet@5.3.2",
        "pkg:generic/wordpress-plugin/hello@1.7.2",
        "pkg:generic/wordpress-theme/twenty@2.5",
        "pkg:generic/wordpress@6.4.2",
        "pkg:luarocks/lpeg@1.0.2-1",
    ];
    assert_eq!(purls, expected);
}
