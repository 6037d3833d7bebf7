//! The text in which LVM keeps its metadata: `name { ... }`, `name = value`, values that are
//! numbers, strings or lists of them, and comments from `#` to the end of the line.

use crate::Error;
use crate::error::corrupt;

/// Sections inside each other.
const MOST_DEPTH: usize = 16;
/// Values in one text: a group of tens of thousands of volumes has as many.
const MOST_VALUES: usize = 1 << 20;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A whole number that is not negative.
    Number(u64),
    /// A string, or a number of another kind as it is written.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A section.
    Section(Section),
}

/// Names and values in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section(pub Vec<(String, Value)>);

impl Section {
    fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(entry, _)| entry == name).map(|(_, value)| value)
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn list(&self, name: &str) -> &[Value] {
        match self.value(name) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    pub fn section(&self, name: &str) -> Option<&Section> {
        match self.value(name)? {
            Value::Section(section) => Some(section),
            _ => None,
        }
    }

    /// All sections in it, with their names.
    pub fn sections(&self) -> impl Iterator<Item = (&str, &Section)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Value::Section(section) => Some((name.as_str(), section)),
            _ => None,
        })
    }

    /// Whether a list of words has this one.
    pub fn has(&self, list: &str, word: &str) -> bool {
        self.list(list).iter().any(|value| matches!(value, Value::Text(text) if text == word))
    }
}

/// Reads a whole text, up to its end or a zero.
pub fn parse(bytes: &[u8]) -> Result<Section, Error> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let mut reader = Reader { bytes: &bytes[..end], at: 0, values: 0 };
    let section = reader.section(0)?;
    if reader.at < end { Err(reader.wrong()) } else { Ok(section) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl Reader<'_> {
    fn wrong(&self) -> Error {
        corrupt("LVM metadata text, at byte", self.at as u64)
    }

    /// The next byte that is not space or part of a comment.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at)? {
                b'#' => {
                    let rest = &self.bytes[self.at..];
                    let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                    self.at += line;
                }
                byte if byte.is_ascii_whitespace() => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn count(&mut self) -> Result<(), Error> {
        self.values += 1;
        if self.values > MOST_VALUES { Err(self.wrong()) } else { Ok(()) }
    }

    /// Entries up to the end or a closing brace, which is left.
    fn section(&mut self, depth: usize) -> Result<Section, Error> {
        let mut section = Section::default();
        while self.peek().is_some_and(|byte| byte != b'}') {
            self.count()?;
            let name = self.name()?;
            let value = if self.take(b'=') {
                self.value()?
            } else if self.take(b'{') && depth < MOST_DEPTH {
                let inner = self.section(depth + 1)?;
                if !self.take(b'}') {
                    return Err(self.wrong());
                }
                Value::Section(inner)
            } else {
                return Err(self.wrong());
            };
            section.0.push((name, value));
        }
        Ok(section)
    }

    fn name(&mut self) -> Result<String, Error> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"={}[],\"#".contains(byte);
        self.word(ends)
    }

    fn word(&mut self, ends: impl Fn(&u8) -> bool) -> Result<String, Error> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.wrong());
        }
        self.at += length;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn value(&mut self) -> Result<Value, Error> {
        if !self.take(b'[') {
            return self.single();
        }
        let mut list = Vec::new();
        while !self.take(b']') {
            self.count()?;
            list.push(self.single()?);
            if !self.take(b',') && self.peek() != Some(b']') {
                return Err(self.wrong());
            }
        }
        Ok(Value::List(list))
    }

    fn single(&mut self) -> Result<Value, Error> {
        if self.take(b'"') {
            return self.string().map(Value::Text);
        }
        let word = self.name()?;
        Ok(word.parse().map_or(Value::Text(word), Value::Number))
    }

    /// The rest of a string in which a backslash hides the next character's meaning.
    fn string(&mut self) -> Result<String, Error> {
        let mut text = Vec::new();
        loop {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.wrong())?;
            self.at += 1;
            match byte {
                b'"' => return Ok(String::from_utf8_lossy(&text).into_owned()),
                b'\\' => {
                    text.push(*self.bytes.get(self.at).ok_or_else(|| self.wrong())?);
                    self.at += 1;
                }
                byte => text.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: u64) -> Value {
        Value::Number(value)
    }

    #[test]
    fn sections_lists_strings_and_comments_are_told_apart() {
        let text = br#"
            vg { # a comment } with "things" in it
                id = "a\"b\\c{"
                seqno = 7 list = [] mixed=["pv0", 12 ,-1]
                in.ner-1+ { x = 1 }
            }
            creation_time = 1764035595 # Wed Nov 25
        "#;
        let parsed = parse(text).unwrap();
        let vg = parsed.section("vg").unwrap();
        assert_eq!(vg.text("id"), Some("a\"b\\c{"));
        assert_eq!(vg.number("seqno"), Some(7));
        assert!(vg.list("list").is_empty());
        let mixed = [Value::Text("pv0".into()), number(12), Value::Text("-1".into())];
        assert_eq!(vg.list("mixed"), mixed);
        assert_eq!(vg.section("in.ner-1+").unwrap().number("x"), Some(1));
        assert_eq!(parsed.number("creation_time"), Some(1_764_035_595));
    }

    #[test]
    fn what_does_not_close_or_goes_too_deep_is_an_error() {
        for text in
            ["a {", "a = [1, 2", "a = \"b", "a = \"b\\", "}", "a", "a = [1 2]", "= 3", "a = {"]
        {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        let deep = |depth: usize| "a { ".repeat(depth) + &"}".repeat(depth);
        assert!(parse(deep(16).as_bytes()).is_ok());
        assert!(parse(deep(17).as_bytes()).is_err());
        assert!(parse("a { ".repeat(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn too_many_values_are_an_error() {
        let list = |count: usize| format!("a = [{}]", "1,".repeat(count));
        assert!(parse(list(1000).as_bytes()).is_ok());
        assert!(parse(list(MOST_VALUES).as_bytes()).is_err());
    }
}
