//! Walks the tracker's file without holding more of it than one vulnerability of one package.

use super::Tracker;
use crate::advisory::feeds::is_token;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fmt;

/// The whole file: source packages by name.
pub(super) struct Sources<'a, 'b>(pub &'a mut Tracker<'b>);

impl<'de> Visitor<'de> for Sources<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map of source packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(package) = map.next_key::<String>()? {
            map.next_value_seed(Source { tracker: self.0, package: &package })?;
        }
        Ok(())
    }
}

/// One source package: vulnerabilities by id. Anything else is left out, and the stream goes on.
struct Source<'a, 'b> {
    tracker: &'a mut Tracker<'b>,
    package: &'a str,
}

impl Source<'_, '_> {
    fn skip(self) {
        self.tracker.summary.skip(self.package, "not a source package");
    }
}

impl<'de> DeserializeSeed<'de> for Source<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Source<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map of vulnerabilities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if !is_token(self.package) {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            self.skip();
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        while let Some((id, raw)) = map.next_entry::<String, Box<RawValue>>()? {
            self.tracker.vulnerability(self.package, &id, raw.get(), &mut seen);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.skip();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.skip();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.skip();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.skip();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.skip();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.skip();
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.skip();
        Ok(())
    }
}
