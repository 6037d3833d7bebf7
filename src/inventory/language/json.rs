//! Some values of a JSON text, shown one by one while it is read, so that what stands before a
//! damage is found, and nothing else of a large file is kept.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Where a value is: keys from the outside in.
pub type Path = [&'static str];

/// In a [`Path`]: every member of an object or an array.
pub const EACH: &str = "*";

/// Shows each value at one of these paths: which path it is, its own key (empty in an array) and its
/// text. The error is where the text ends to be JSON; what was before it has been shown.
pub fn each(
    text: &str,
    paths: &[&Path],
    show: &mut dyn FnMut(usize, &str, &RawValue),
) -> Result<(), serde_json::Error> {
    let wanted = paths.iter().copied().enumerate().collect();
    let mut json = serde_json::Deserializer::from_str(text);
    Value { wanted, key: String::new(), show }.deserialize(&mut json)?;
    json.end()
}

/// The string that this is.
pub fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// A field that is a string where its writer kept to the format, and nothing where it did not.
#[derive(Debug, Default)]
pub struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(string(raw).unwrap_or_default()))
    }
}

/// A value on the way to those that are wanted.
struct Value<'w, 'f> {
    /// Number of a path, and what of it is still to come.
    wanted: Vec<(usize, &'w Path)>,
    key: String,
    show: &'f mut dyn FnMut(usize, &str, &RawValue),
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let here = self.wanted.iter().find(|(_, rest)| rest.is_empty());
        if let Some((number, _)) = here {
            let raw = <&RawValue>::deserialize(deserializer)?;
            (self.show)(*number, &self.key, raw);
            return Ok(());
        }
        if self.wanted.is_empty() {
            return serde::de::IgnoredAny::deserialize(deserializer).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'w> Value<'w, '_> {
    fn inner(&mut self, key: String) -> Value<'w, '_> {
        let steps = self.wanted.iter().filter_map(|(number, path)| {
            let (first, rest) = path.split_first()?;
            (*first == EACH || *first == key).then_some((*number, rest))
        });
        Value { wanted: steps.collect(), key, show: &mut *self.show }
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            map.next_value_seed(self.inner(key))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(self.inner(String::new()))?.is_some() {}
        Ok(())
    }

    // Not what was looked for: its own file's business.
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut shown = Vec::new();
        let paths: &[&Path] = &[&["a", EACH], &["b", EACH, "c"]];
        let end = each(text, paths, &mut |number, key, value| {
            shown.push(format!("{number} {key} {}", value.get()));
        });
        if end.is_err() {
            shown.push("damaged".to_owned());
        }
        assert_eq!(shown, expected);
    }

    #[test]
    fn only_what_is_asked_for() {
        check(
            r#"{"x":{"a":1},"b":[{"c":2,"d":3},{"c":[4]},5,null,"c"],"a":{"k":"v"}}"#,
            &["1 c 2", "1 c [4]", "0 k \"v\""],
        );
        check(r#"{"a":1,"b":2.5}"#, &[]);
        check("[1]", &[]);
        check("7", &[]);
    }

    #[test]
    fn what_stands_before_a_damage_is_shown() {
        check(r#"{"a":{"k":1,"l":{"m""#, &["0 k 1", "damaged"]);
        check(r#"{"a":[1]} x"#, &["0  1", "damaged"]);
        check("", &["damaged"]);
    }

    #[test]
    fn nesting_beyond_reason_ends_without_a_crash() {
        let deep = "[".repeat(1 << 20);
        check(&deep, &["damaged"]);
        check(&format!("{{\"x\":{deep}"), &["damaged"]);
        check(&format!("{{\"a\":{{\"k\":{deep}"), &["damaged"]);
        check(&format!("{{\"b\":{deep}"), &["damaged"]);
    }
}
