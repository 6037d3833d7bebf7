//! The attributes of a file, gathered from all of its records.
//!
//! The records in which an attribute begins are read at once; those in which its runs go on when
//! the runs are wanted.

use crate::attribute::{Attribute, Body, Clusters, Piece, Place, Sizes};
use crate::error::Damage;
use crate::list::{self, Listed};
use crate::mft::Mft;
use crate::record::{Form, RawAttribute, Record, kind};
use crate::runs::{self, Disk, Run};
use crate::{Error, FileReference};
use std::collections::BTreeMap;
use std::ops::Range;

/// Runs that one request may give: more than a terabyte of a file, if they are sound.
const MOST_RUNS: usize = 1 << 20;

/// All attributes of a file, as far as they could be read.
#[derive(Debug, Clone)]
pub struct Table {
    pub base: FileReference,
    attributes: Vec<Attribute>,
    /// Records that could not be read.
    pub damage: Damage,
}

impl Table {
    pub fn new(base: &Record) -> Result<Self, Error> {
        let mut table =
            Self { base: base.reference(), attributes: Vec::new(), damage: Damage::default() };
        for attribute in base.attributes() {
            table.add(&attribute?);
        }
        table.sort();
        Ok(table)
    }

    /// All attributes of a type.
    pub fn of_kind(&self, kind: u32) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(move |attribute| attribute.kind == kind)
    }

    /// An attribute by type and name. One that is not there may be in a record that was lost,
    /// which is the error then.
    pub fn find(&self, kind: u32, name: &[u16]) -> Result<Option<&Attribute>, Error> {
        let found = self.of_kind(kind).find(|attribute| attribute.name == name);
        match self.damage.reasons.first() {
            Some(reason) if found.is_none() => Err(reason.clone()),
            _ => Ok(found),
        }
    }

    fn add(&mut self, raw: &RawAttribute) {
        let Form::Stored(stored) = &raw.form else {
            self.attributes.push(Attribute::new(raw));
            return;
        };
        match self.clusters_mut(raw.kind, &raw.name) {
            Some((flags, clusters)) => {
                // As the sizes are, the flags are told by the piece with the first cluster.
                if stored.first == 0 {
                    *flags = raw.flags;
                }
                clusters.add(stored);
            }
            None => self.attributes.push(Attribute::new(raw)),
        }
    }

    fn clusters_mut(&mut self, kind: u32, name: &[u16]) -> Option<(&mut u16, &mut Clusters)> {
        let mut all = self.attributes.iter_mut();
        all.find_map(|one| match &mut one.body {
            Body::Clusters(clusters) if one.kind == kind && one.name == name => {
                Some((&mut one.flags, clusters))
            }
            _ => None,
        })
    }

    /// Adds what the attribute list, if there is one, tells of other records.
    pub fn follow_list(&mut self, disk: &Disk, mft: &Mft) {
        let Some(list) = self.of_kind(kind::ATTRIBUTE_LIST).next() else { return };
        let list = self.whole(disk, mft, list, list::MOST_BYTES);
        match list.and_then(|list| list::parse(&list, self.base)) {
            Ok((listed, flaw)) => {
                self.load(disk, mft, &listed);
                if let Some(flaw) = flaw {
                    self.damage.note(flaw);
                }
            }
            Err(error) => self.damage.note(error),
        }
        self.sort();
    }

    fn sort(&mut self) {
        for attribute in &mut self.attributes {
            if let Body::Clusters(clusters) = &mut attribute.body {
                clusters.pieces.sort_by_key(|piece| piece.first);
            }
        }
    }

    fn load(&mut self, disk: &Disk, mft: &Mft, listed: &[Listed]) {
        let others = listed.iter().filter(|entry| entry.record.number() != self.base.number());
        let (begin, go_on): (Vec<_>, Vec<_>) = others.partition(|entry| entry.first == 0);
        let mut records: BTreeMap<FileReference, Vec<&Listed>> = BTreeMap::new();
        for entry in begin {
            records.entry(entry.record).or_default().push(entry);
        }
        let ranges = records.keys().filter_map(|record| mft.ranges(disk, record.number()).ok());
        disk.device.will_need(&ranges.flatten().collect::<Vec<_>>());
        for (record, entries) in records {
            if let Err(error) = self.load_record(disk, mft, record, &entries) {
                self.damage.note(error);
            }
        }
        for entry in go_on {
            self.go_on(entry);
        }
    }

    fn load_record(
        &mut self,
        disk: &Disk,
        mft: &Mft,
        record: FileReference,
        entries: &[&Listed],
    ) -> Result<(), Error> {
        let extension = mft.extension(disk, record, self.base)?;
        for attribute in extension.attributes() {
            let attribute = attribute?;
            if entries.iter().any(|entry| entry.is(&attribute)) {
                self.add(&attribute);
            }
        }
        Ok(())
    }

    /// Notes where the runs of an attribute go on.
    fn go_on(&mut self, entry: &Listed) {
        let piece = Piece { first: entry.first, place: Place::Record(entry.record) };
        if let Some((_, clusters)) = self.clusters_mut(entry.kind, &entry.name) {
            clusters.pieces.push(piece);
        } else {
            let body = Body::Clusters(Clusters { sizes: None, pieces: vec![piece] });
            let name = entry.name.clone();
            self.attributes.push(Attribute { kind: entry.kind, name, flags: 0, body });
        }
    }

    /// The whole value of an attribute that has to be small.
    pub fn whole(
        &self,
        disk: &Disk,
        mft: &Mft,
        attribute: &Attribute,
        most: u64,
    ) -> Result<Vec<u8>, Error> {
        let clusters = match &attribute.body {
            Body::Resident(bytes) => return Ok(bytes.clone()),
            Body::Clusters(clusters) => clusters,
        };
        let sizes = self.sizes(clusters)?;
        if sizes.size > most {
            let feature = format!("an attribute {:#x} of {} bytes", attribute.kind, sizes.size);
            return Err(Error::unsupported(feature));
        }
        let mut value = vec![0; sizes.size as usize];
        let written = sizes.initialized.min(sizes.size);
        let wanted = 0..written.div_ceil(disk.boot.cluster_size);
        let runs = self.runs(disk, mft, attribute, clusters, &wanted)?;
        disk.read(&runs, 0, &mut value[..written as usize])?;
        Ok(value)
    }

    pub fn sizes(&self, clusters: &Clusters) -> Result<Sizes, Error> {
        let lost =
            Error::corrupt("attribute whose first record is lost in file", self.base.number());
        clusters.sizes.ok_or(lost)
    }

    /// The runs that touch some clusters of an attribute, in order.
    pub fn runs(
        &self,
        disk: &Disk,
        mft: &Mft,
        attribute: &Attribute,
        clusters: &Clusters,
        wanted: &Range<u64>,
    ) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::new();
        for (piece, end) in clusters.pieces_in(wanted) {
            let piece = self.piece_runs(disk, mft, attribute, piece, end)?;
            runs.extend(
                piece
                    .into_iter()
                    .filter(|run| run.end() > wanted.start && run.virtual_start < wanted.end),
            );
            if runs.len() > MOST_RUNS {
                let feature = format!("a file of more than {MOST_RUNS} pieces at once");
                return Err(Error::unsupported(feature));
            }
        }
        Ok(runs)
    }

    /// All runs, as far as they can be known.
    pub fn all_runs(
        &self,
        disk: &Disk,
        mft: &Mft,
        attribute: &Attribute,
        damage: &mut Damage,
    ) -> Vec<Run> {
        let Body::Clusters(clusters) = &attribute.body else { return Vec::new() };
        let mut runs = Vec::new();
        for (piece, end) in clusters.pieces_in(&(0..u64::MAX)) {
            match self.piece_runs(disk, mft, attribute, piece, end) {
                Ok(piece) if runs.len() < MOST_RUNS => runs.extend(piece),
                Ok(_) => {
                    damage.note(Error::unsupported("an attribute of more than a million runs"));
                }
                Err(error) => damage.note(error),
            }
        }
        runs
    }

    /// The runs of one piece, which must end where the next piece starts.
    fn piece_runs(
        &self,
        disk: &Disk,
        mft: &Mft,
        attribute: &Attribute,
        piece: &Piece,
        next: u64,
    ) -> Result<Vec<Run>, Error> {
        let (end, runs) = match &piece.place {
            Place::Here { end, pairs } => (*end, runs::decode(pairs, piece.first, &disk.boot)?),
            Place::Record(record) => {
                let extension = mft.extension(disk, *record, self.base)?;
                let (end, pairs) = find_piece(&extension, attribute, piece.first)?;
                (end, runs::decode(&pairs, piece.first, &disk.boot)?)
            }
        };
        let reached = runs.last().map_or(piece.first, Run::end);
        // An attribute of no clusters says that its last one is -1, or names none.
        if reached > next || (reached != end && reached != piece.first) {
            return Err(Error::corrupt(
                "runs that do not fit their attribute in file",
                self.base.number(),
            ));
        }
        Ok(runs)
    }
}

fn find_piece(extension: &Record, wanted: &Attribute, first: u64) -> Result<(u64, Vec<u8>), Error> {
    for attribute in extension.attributes() {
        let attribute = attribute?;
        if attribute.kind != wanted.kind || attribute.name != wanted.name {
            continue;
        }
        if let Form::Stored(stored) = attribute.form
            && stored.first == first
        {
            return Ok((stored.end, stored.pairs.to_vec()));
        }
    }
    Err(Error::corrupt("listed attribute not found in record", extension.number))
}
