//! The description that an application brings along (AppStream): of its releases the first is the newest,
//! which is what is deployed. Format: <https://www.freedesktop.org/software/appstream/docs/chap-Metadata.html>.

use crate::host::Host;
use crate::model::Gap;

const PLACES: [(&str, &str); 3] = [
    ("/active/files/share/metainfo/", ".metainfo.xml"),
    ("/active/files/share/metainfo/", ".appdata.xml"),
    ("/active/files/share/appdata/", ".appdata.xml"),
];
const MOST: u64 = 4 << 20;

/// The version of what is deployed in the folder of a branch.
pub(super) fn version(
    host: &Host,
    folder: &[u8],
    name: &str,
    gaps: &mut Vec<Gap>,
) -> Option<String> {
    PLACES.iter().find_map(|(place, ending)| {
        let path = [folder, format!("{place}{name}{ending}").as_bytes()].concat();
        match host.tree.read(&path, MOST) {
            Ok(bytes) => newest(&String::from_utf8_lossy(&bytes?)),
            Err(error) => {
                gaps.push(Gap::new(crate::model::printable(&path), error.reason(), error));
                None
            }
        }
    })
}

/// The attribute `version` of the first element `release`.
fn newest(text: &str) -> Option<String> {
    let starts = text.match_indices("<release").map(|(at, start)| &text[at + start.len()..]);
    let mut tags = starts.filter(|rest| rest.starts_with(|next: char| next.is_ascii_whitespace()));
    let tag = tags.next()?.split('>').next()?;
    let (_, rest) = tag.split_once("version=")?;
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let version = rest[1..].split(quote).next()?.trim();
    (!version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_first_release_is_the_newest() {
        let text = "<releases urgency='x'>\n<release\n date='d' version='2.1'>\n</release><release version=\"2.0\"/>";
        assert_eq!(newest(text).as_deref(), Some("2.1"));
        for none in [
            "<releases>",
            "<release date='x'>version='1'",
            "<release version=1>",
            "<release version=''/>",
            "",
        ] {
            assert_eq!(newest(none), None, "{none}");
        }
    }
}
