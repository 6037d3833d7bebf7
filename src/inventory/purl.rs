//! Package URLs: `pkg:type/namespace/name@version?qualifiers`, by the purl specification.

use std::fmt::Write;

/// A purl; qualifiers are given in alphabetic order, empty ones are left out.
pub fn purl(
    kind: &str,
    namespace: &str,
    name: &str,
    version: &str,
    qualifiers: &[(&str, &str)],
) -> String {
    let mut purl = format!("pkg:{kind}/");
    for segment in namespace.split('/').filter(|segment| !segment.is_empty()) {
        encode(&mut purl, segment, &[]);
        purl.push('/');
    }
    encode(&mut purl, name, &[]);
    if !version.is_empty() {
        purl.push('@');
        encode(&mut purl, version, b":");
    }
    let set = qualifiers.iter().filter(|(_, value)| !value.is_empty());
    for (index, (key, value)) in set.enumerate() {
        purl.push(if index == 0 { '?' } else { '&' });
        purl.push_str(key);
        purl.push('=');
        encode(&mut purl, value, b":/");
    }
    purl
}

/// Percent-encodes all but letters, digits, `.-_~` and what this part may hold as it is.
fn encode(purl: &mut String, text: &str, plain: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~".contains(&byte) || plain.contains(&byte) {
            purl.push(char::from(byte));
        } else {
            let _ = write!(purl, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debian_purl_as_the_specification_writes_it() {
        let purl = purl(
            "deb",
            "debian",
            "libstdc++6",
            "1:12.2.0-14+deb12u1",
            &[("arch", "amd64"), ("distro", "debian-12"), ("epoch", "")],
        );
        assert_eq!(
            purl,
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12"
        );
    }
}
