//! Whose a file is, by its path: of an application that was put there, or of a package that some
//! tool installed, which brings along what its authors had.

/// Folders below which are packages that a tool installed, or their sources: what lies there was
/// locked by their authors, not by who runs this host.
const INSTALLED: &[&[u8]] =
    &[b"node_modules", b"site-packages", b"dist-packages", b"gems", b"bower_components"];
/// The same, for folders that are known with the one above.
const BELOW: &[[&[u8]; 2]] = &[
    [b"pkg", b"mod"],
    [b".cargo", b"registry"],
    [b".cargo", b"git"],
    [b"cargo", b"registry"],
    [b"share", b"cargo"],
    [b"share", b"nodejs"],
    [b"share", b"doc"],
];

/// The names of the folders above a file, outermost first.
pub fn folders(path: &[u8]) -> Vec<&[u8]> {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    path[..end].split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect()
}

/// Whether a lockfile may be that of an application.
pub fn of_application(path: &[u8]) -> bool {
    let above = folders(path);
    let inside = above.iter().any(|name| INSTALLED.contains(name));
    !inside && !above.windows(2).any(|pair| BELOW.iter().any(|known| known == pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_authors_of_a_package_locked_does_not_count() {
        for path in
            ["/app/Cargo.lock", "/Gemfile.lock", "/srv/mod/pkg/go.mod", "/root/.cargo/x.lock"]
        {
            assert!(of_application(path.as_bytes()), "{path}");
        }
        for path in [
            "/app/node_modules/a/yarn.lock",
            "/root/go/pkg/mod/a@v1/go.mod",
            "/root/.cargo/registry/src/a/Cargo.lock",
            "/usr/local/bundle/gems/a-1/Gemfile.lock",
        ] {
            assert!(!of_application(path.as_bytes()), "{path}");
        }
    }
}
