//! Attributes of a file, each put together from its pieces.

use crate::FileReference;
use crate::record::{Form, RawAttribute, Stored};
use std::ops::Range;

const COMPRESSED: u16 = 0xff;
const ENCRYPTED: u16 = 0x4000;

/// An attribute of a file.
#[derive(Debug, Clone)]
pub struct Attribute {
    pub kind: u32,
    pub name: Vec<u16>,
    pub flags: u16,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub enum Body {
    Resident(Vec<u8>),
    Clusters(Clusters),
}

/// An attribute whose data is in clusters.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// `None` if the record in which the attribute begins was lost.
    pub sizes: Option<Sizes>,
    /// By first cluster.
    pub pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub size: u64,
    /// What lies after is zero, whatever the clusters hold.
    pub initialized: u64,
    /// Power of two of the clusters that are compressed together.
    pub unit: u8,
}

#[derive(Debug, Clone)]
pub struct Piece {
    pub first: u64,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub enum Place {
    Here { end: u64, pairs: Vec<u8> },
    Record(FileReference),
}

impl Attribute {
    pub fn is_compressed(&self) -> bool {
        self.flags & COMPRESSED != 0
    }

    pub fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// The value, if it stands in the record.
    pub fn resident(&self) -> Option<&[u8]> {
        match &self.body {
            Body::Resident(bytes) => Some(bytes),
            Body::Clusters(_) => None,
        }
    }

    /// Size in bytes; `None` if the record that says it was lost.
    pub fn size(&self) -> Option<u64> {
        match &self.body {
            Body::Resident(bytes) => Some(bytes.len() as u64),
            Body::Clusters(clusters) => clusters.sizes.map(|sizes| sizes.size),
        }
    }
}

impl Attribute {
    pub fn new(raw: &RawAttribute) -> Self {
        let body = match &raw.form {
            Form::Resident(bytes) => Body::Resident(bytes.to_vec()),
            Form::Stored(stored) => {
                let mut clusters = Clusters { sizes: None, pieces: Vec::new() };
                clusters.add(stored);
                Body::Clusters(clusters)
            }
        };
        Self { kind: raw.kind, name: raw.name.clone(), flags: raw.flags, body }
    }
}

impl Clusters {
    pub fn add(&mut self, stored: &Stored) {
        if stored.first == 0 {
            let Stored { size, initialized, unit, .. } = *stored;
            self.sizes = Some(Sizes { size, initialized, unit });
        }
        let place = Place::Here { end: stored.end, pairs: stored.pairs.to_vec() };
        self.pieces.push(Piece { first: stored.first, place });
    }

    pub fn first_clusters(&self) -> impl Iterator<Item = u64> {
        self.pieces.iter().map(|piece| piece.first)
    }

    /// The pieces that hold some clusters, each with where the next one starts.
    pub fn pieces_in(&self, wanted: &Range<u64>) -> impl Iterator<Item = (&Piece, u64)> {
        let next = self.first_clusters().skip(1).chain([u64::MAX]);
        let pieces = self.pieces.iter().zip(next);
        pieces.filter(|(piece, next)| piece.first < wanted.end && *next > wanted.start)
    }
}
