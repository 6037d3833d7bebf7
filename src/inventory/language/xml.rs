//! Tags of a small XML file and their attributes, without a parser: what NuGet reads has no other content that counts.

/// Each tag without its brackets, and what follows it up to the next one. Comments are left out.
pub fn tags(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('<')?;
            if let Some(comment) = after.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
                continue;
            }
            let (tag, following) = after.split_once('>').unwrap_or((after, ""));
            rest = following;
            return Some((tag, following.split('<').next().unwrap_or_default()));
        }
    })
}

/// The attributes of a tag of this name; `None` of another tag.
pub fn attributes<'a>(
    tag: &'a str,
    name: &str,
) -> Option<impl Iterator<Item = (&'a str, &'a str)>> {
    let mut rest = tag.strip_prefix(name).filter(|it| it.starts_with(char::is_whitespace))?;
    Some(std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = super::text::quoted(after)?;
        rest = after;
        Some((name.trim(), value))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_what_follows_them() {
        let text = "<?xml?><a b='1'><!-- <c> --> x <d e=\"f\" g = '>'/>";
        let found: Vec<_> = tags(text).collect();
        assert_eq!(found, [("?xml?", ""), ("a b='1'", ""), ("d e=\"f\" g = '", "'/>")]);
        assert_eq!(tags("<a").collect::<Vec<_>>(), [("a", "")]);
        assert_eq!(tags("<!--").count(), 0);
    }

    #[test]
    fn attributes_of_one_tag() {
        let read = |tag| attributes(tag, "a").map(Iterator::collect::<Vec<_>>);
        assert_eq!(read("a b='1'\n c=\"2\" /"), Some(vec![("b", "1"), ("c", "2")]));
        assert_eq!(read("a b=1"), Some(vec![]));
        assert_eq!(read("ab c='1'"), None);
    }
}
