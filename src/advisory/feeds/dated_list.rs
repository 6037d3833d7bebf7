//! The shape of some feeds: one JSON object with the time it was made and a list, whose items are shown one by
//! one and never held together.

use super::FeedError;
use crate::advisory::date;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::io::{BufReader, Read};

/// Shows the items of the list of this name as their JSON; the time under the name `dated`, if it is one. Without
/// a list it is an error.
pub(super) fn read(
    input: &mut dyn Read,
    dated: &'static str,
    list: &'static str,
    show: &mut dyn FnMut(&str),
) -> Result<Option<String>, FeedError> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(input));
    let time = json.deserialize_map(Top { dated, list, show })?;
    json.end()?;
    Ok(time)
}

struct Top<'a> {
    dated: &'static str,
    list: &'static str,
    show: &'a mut dyn FnMut(&str),
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a map with the list `{}`", self.list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut listed, mut time) = (false, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == self.list {
                map.next_value_seed(List { name: self.list, show: self.show })?;
                listed = true;
            } else if key == self.dated {
                let raw = map.next_value::<Box<RawValue>>()?;
                let text = serde_json::from_str::<String>(raw.get()).ok();
                time = text.as_deref().and_then(date::from_rfc3339);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if listed { Ok(time) } else { Err(A::Error::missing_field(self.list)) }
    }
}

struct List<'a> {
    name: &'static str,
    show: &'a mut dyn FnMut(&str),
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "the list `{}`", self.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<Box<RawValue>>()? {
            (self.show)(raw.get());
        }
        Ok(())
    }
}
