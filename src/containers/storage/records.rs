//! Records of containers-storage: `layers.json`, `images.json` and `containers.json`, lists of JSON objects as
//! <https://github.com/containers/storage> writes them.
//!
//! A list is read record by record: one that is not what it should be costs itself only, and of a list that is
//! cut, those before the cut are kept.

use super::super::store::Store;
use crate::model::{Gap, GapReason};
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Broken records of a file that are told one by one.
const MOST_BROKEN: usize = 20;

/// A layer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Layer {
    /// Its id, which is the name of its folder.
    pub id: String,
    /// Names; a container's layer has one made of that of the container.
    pub names: Option<Vec<String>>,
    /// The layer below.
    pub parent: String,
    /// Further marks.
    pub flags: Flags,
}

/// Marks of a record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Flags(Option<BTreeMap<String, serde_json::Value>>);

impl Flags {
    /// Whether it was not made whole yet, or is half removed: the engine removes it when it starts.
    pub fn is_incomplete(&self) -> bool {
        let flag = self.0.as_ref().and_then(|flags| flags.get("incomplete"));
        flag.is_some_and(|flag| flag.as_bool() == Some(true))
    }
}

/// An image.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Image {
    /// Its id: the digest of its configuration without `sha256:`.
    pub id: String,
    /// Digest of its manifest.
    pub digest: String,
    /// Names.
    pub names: Option<Vec<String>>,
    /// Its uppermost layer.
    pub layer: String,
    /// Documents that are kept with it.
    #[serde(rename = "big-data-names")]
    pub documents: Option<Vec<String>>,
    /// Their digests.
    #[serde(rename = "big-data-digests")]
    pub digests: Option<BTreeMap<String, String>>,
}

/// A container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Names.
    pub names: Option<Vec<String>>,
    /// Id of its image.
    pub image: String,
    /// Its own layer.
    pub layer: String,
    /// What its engine keeps with it: JSON in a string.
    pub metadata: String,
    /// When it was made.
    pub created: Option<String>,
}

/// The records of a file, at most `most`; none if there is no such file.
pub fn read<T: DeserializeOwned>(
    store: &Store,
    path: &str,
    most: usize,
    gaps: &mut Vec<Gap>,
) -> Vec<T> {
    let bytes = match store.read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Vec::new(),
        Err(gap) => {
            gaps.push(gap);
            return Vec::new();
        }
    };
    let mut list = List { most, kept: Vec::new(), broken: Vec::new(), left: false };
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    let read = list.deserialize(&mut json).and_then(|()| json.end());
    let mut gap = |reason, detail: String| gaps.push(Gap::new(store.place(path), reason, detail));
    if let Err(error) = read {
        let kept = list.kept.len();
        let detail = format!("not the JSON that it should be, after {kept} records: {error}");
        gap(GapReason::Corrupt, detail);
    }
    if list.left {
        gap(GapReason::Limit, format!("more than the {most} records that are read"));
    }
    let more = list.broken.len().saturating_sub(MOST_BROKEN);
    for detail in list.broken.into_iter().take(MOST_BROKEN) {
        gap(GapReason::Corrupt, detail);
    }
    if more > 0 {
        gap(GapReason::Corrupt, format!("{more} more records that are not what they should be"));
    }
    list.kept
}

/// A list that is being read.
struct List<T> {
    most: usize,
    kept: Vec<T>,
    broken: Vec<String>,
    /// Whether some were left.
    left: bool,
}

impl<T: DeserializeOwned> List<T> {
    /// Reads a list as far as it goes.
    fn deserialize<'de, D: Deserializer<'de>>(&mut self, json: D) -> Result<(), D::Error> {
        Records { list: self, kind: PhantomData }.deserialize(json)
    }

    fn push(&mut self, raw: &RawValue, number: usize) {
        match serde_json::from_str(raw.get()) {
            Ok(record) => self.kept.push(record),
            Err(error) => {
                self.broken.push(format!("record {number} is not what it should be: {error}"));
            }
        }
    }
}

struct Records<'a, T> {
    list: &'a mut List<T>,
    kind: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Records<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Records<'_, T> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a list of records")
    }

    /// An empty list that never had anything in it.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        for number in 0..self.list.most {
            let Some(raw) = records.next_element::<&RawValue>()? else { return Ok(()) };
            self.list.push(raw, number);
        }
        while records.next_element::<IgnoredAny>()?.is_some() {
            self.list.left = true;
        }
        Ok(())
    }
}
