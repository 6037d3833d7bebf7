//! Lua: `NAME/VERSION/NAME-VERSION.rockspec`, as LuaRocks lays out what it installed. The path says it all: the file is
//! a program, in which both may be put together. Other rockspecs are sources, not installations.

use super::{Collector, place, text};
use crate::host::{Host, Part};
use crate::inventory::{Cataloger, PathPattern};
use crate::model::{Ecosystem, Package, PackageState, Partial};

/// The cataloger.
pub struct Rockspec;

impl Cataloger for Rockspec {
    fn name(&self) -> &'static str {
        "luarocks"
    }

    fn patterns(&self) -> &[PathPattern] {
        &[PathPattern::Ending(".rockspec")]
    }

    fn takes(&self, path: &[u8]) -> bool {
        rock(path).is_some()
    }

    fn part(&self) -> Part {
        Part::Start(0)
    }

    fn catalog(&self, _: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        let mut found = Collector::new(Ecosystem::Luarocks, PackageState::Installed, path);
        if let Some((name, version)) = rock(path) {
            found.add(&text::decode(name.to_vec()), &text::decode(version.to_vec()));
        }
        found.into_found()
    }
}

/// Name and version of the rock that a path is in.
fn rock(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let file = path.rsplit(|byte| *byte == b'/').next()?;
    let folders = place::folders(path);
    let [.., name, version] = folders.as_slice() else { return None };
    (file == [name, b"-".as_slice(), version, b".rockspec"].concat()).then_some((*name, *version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed() {
        let rock = |path: &str| {
            let (name, version) = rock(path.as_bytes())?;
            Some(String::from_utf8([name, b" ", version].concat()).unwrap())
        };
        let installed =
            "/usr/local/lib/luarocks/rocks-5.1/kong-pgmoon/1.16.2-1/kong-pgmoon-1.16.2-1.rockspec";
        assert_eq!(rock(installed).as_deref(), Some("kong-pgmoon 1.16.2-1"));
        assert_eq!(rock("/srv/lua/luafilesystem-1.8.0-1.rockspec"), None);
        assert_eq!(rock("/a-1.rockspec"), None);
        assert_eq!(rock("/a/1/a-2.rockspec"), None);
    }
}
