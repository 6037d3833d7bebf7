//! What `cargo auditable` leaves in a program: the section `.dep-v0`, JSON packed with zlib, of the crates
//! that went into it. Crates that only took part in the build are no packages of the program.
//!
//! Format: <https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>.

use crate::inventory::language::{Collector, corrupt};
use crate::model::{Gap, GapReason, printable};
use executable_reader::{Error, Executable};
use flate2::read::ZlibDecoder;
use serde::Deserialize;
use std::borrow::Cow;
use std::io::Read;

const SECTION: &str = ".dep-v0";
/// Bytes of the section. That of a thousand crates has some ten thousand.
const MOST_PACKED: u64 = 4 << 20;
const MOST_JSON: u64 = 16 << 20;

/// Why the list could not be read.
pub struct Unread {
    reason: GapReason,
    detail: String,
}

impl Unread {
    /// The gap that it is.
    pub fn at(self, path: &[u8]) -> Gap {
        Gap::new(printable(path), self.reason, format!("the crates in {SECTION}: {}", self.detail))
    }
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        let reason = match error {
            Error::Read(_) => GapReason::Unreadable,
            Error::Corrupt { .. } => GapReason::Corrupt,
        };
        Self { reason, detail: error.to_string() }
    }
}

/// The list of a program, unpacked; `None` if it has none.
pub fn audit_data(program: &Executable) -> Result<Option<Vec<u8>>, Unread> {
    let Some(section) = program.section(SECTION) else { return Ok(None) };
    if section.size > MOST_PACKED {
        let detail = format!("{} bytes, more than the {MOST_PACKED} that are read", section.size);
        return Err(Unread { reason: GapReason::Limit, detail });
    }
    let packed = program.bytes(section.offset, section.size as usize)?;
    let mut json = Vec::new();
    let unpacked = ZlibDecoder::new(packed.as_slice()).take(MOST_JSON + 1).read_to_end(&mut json);
    unpacked.map_err(|error| Unread { reason: GapReason::Corrupt, detail: error.to_string() })?;
    if json.len() as u64 > MOST_JSON {
        let detail = format!("more than {MOST_JSON} bytes when unpacked");
        return Err(Unread { reason: GapReason::Limit, detail });
    }
    Ok(Some(json))
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    packages: Vec<Crate<'a>>,
}

#[derive(Deserialize)]
struct Crate<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    /// `runtime`, which is not written, or `build`.
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
}

/// Adds the crates of a list.
pub fn add(to: &mut Collector<'_>, path: &[u8], json: &[u8]) {
    match serde_json::from_slice::<List<'_>>(json) {
        Ok(list) => {
            let linked = list.packages.iter().filter(|it| matches!(&*it.kind, "" | "runtime"));
            linked.for_each(|it| to.add(&it.name, &it.version));
        }
        Err(error) => {
            let gap = corrupt(path, &format!("the crates in {SECTION}: {error}"));
            to.gap(gap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ecosystem, PackageState};

    #[test]
    fn crates_of_the_build_alone_are_left_out() {
        let json = br#"{"packages":[{"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1]},
            {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
            {"name":"\u0061bc","version":"1.2.3","source":"crates.io"}]}"#;
        let mut to = Collector::new(Ecosystem::Cargo, PackageState::Installed, b"/app");
        add(&mut to, b"/app", json);
        let found = to.into_found();
        let purls: Vec<_> = found.found.iter().map(|package| package.purl.as_str()).collect();
        assert_eq!(purls, ["pkg:cargo/abc@1.2.3", "pkg:cargo/app@0.1.0"]);
        let mut to = Collector::new(Ecosystem::Cargo, PackageState::Installed, b"/app");
        add(&mut to, b"/app", b"{\"packages\":[{}");
        assert_eq!(to.into_found().gaps[0].reason, GapReason::Corrupt);
    }
}
