//! The file table: a file whose data is the records of all files, its own first:
//! <https://flatcap.github.io/linux-ntfs/ntfs/files/mft.html>. The first four records have a copy.

use crate::attribute::Body;
use crate::error::Damage;
use crate::record::{Record, kind};
use crate::runs::{Disk, Run};
use crate::table::Table;
use crate::{Error, FileReference};
use std::ops::Range;

/// Records of which there is a copy.
const MIRRORED: u64 = 4;

/// Where the file table is.
pub struct Mft {
    runs: Vec<Run>,
    size: u64,
    /// Parts of the table that could not be found.
    pub damage: Damage,
    /// Why its own record could not be read, if its copy was used.
    pub mirror_used: Option<Error>,
}

impl Mft {
    pub fn open(disk: &Disk) -> Result<Self, Error> {
        let boot = &disk.boot;
        let primary = read_record(disk, 0, boot.mft * boot.cluster_size)
            .and_then(|record| Self::from_record(disk, &record));
        let Err(reason) = primary else { return primary };
        let copy = read_copy(disk, 0).and_then(|record| Self::from_record(disk, &record));
        copy.map(|mft| Self { mirror_used: Some(reason.clone()), ..mft }).map_err(|_| reason)
    }

    /// The table's runs may be told by records that are in the table; the first runs lead to the
    /// record with the next ones.
    fn from_record(disk: &Disk, record: &Record) -> Result<Self, Error> {
        record.check_base(FileReference(0))?;
        let mut table = Table::new(record)?;
        let mut mft =
            Self { runs: Vec::new(), size: 0, damage: Damage::default(), mirror_used: None };
        mft.learn(disk, &table)?;
        if table.of_kind(kind::ATTRIBUTE_LIST).next().is_some() {
            table.follow_list(disk, &mft);
            mft.learn(disk, &table)?;
            mft.damage = std::mem::take(&mut table.damage);
            mft.go_on(disk, &table);
        }
        Ok(mft)
    }

    fn learn(&mut self, disk: &Disk, table: &Table) -> Result<(), Error> {
        let lost = Error::corrupt("file table without data: size", self.size);
        let data = table.of_kind(kind::DATA).find(|data| data.name.is_empty());
        let data = data.ok_or(lost.clone())?;
        let Body::Clusters(clusters) = &data.body else { return Err(lost) };
        self.size = table.sizes(clusters)?.size;
        let first = clusters.first_clusters().nth(1).unwrap_or(u64::MAX);
        self.runs = table.runs(disk, self, data, clusters, &(0..first))?;
        Ok(())
    }

    fn go_on(&mut self, disk: &Disk, table: &Table) {
        let data = table.of_kind(kind::DATA).find(|data| data.name.is_empty());
        let Some(data) = data else { return };
        let Body::Clusters(clusters) = &data.body else { return };
        let firsts: Vec<u64> = clusters.first_clusters().collect();
        for (index, &first) in firsts.iter().enumerate().skip(1) {
            let next = firsts.get(index + 1).copied().unwrap_or(u64::MAX);
            match table.runs(disk, self, data, clusters, &(first..next)) {
                Ok(runs) => self.runs.extend(runs),
                Err(error) => self.damage.note(error),
            }
        }
    }

    /// How many records the table has, in use or not.
    pub fn records(&self, disk: &Disk) -> u64 {
        self.size / disk.boot.record_size
    }

    /// A record in use; a damaged one of the first four is replaced by its copy.
    pub fn read(&self, disk: &Disk, number: u64) -> Result<Record, Error> {
        let record = self.read_primary(disk, number);
        match record {
            Err(Error::Corrupt { .. } | Error::Read(_)) if number < MIRRORED => {
                read_copy(disk, number).or(record)
            }
            record => record,
        }
    }

    fn read_primary(&self, disk: &Disk, number: u64) -> Result<Record, Error> {
        let mut bytes = vec![0; disk.boot.record_size as usize];
        disk.read(&self.runs, self.offset(disk, number)?, &mut bytes)?;
        Record::parse(number, bytes)
    }

    /// A record that goes on with the attributes of `base`.
    pub fn extension(
        &self,
        disk: &Disk,
        reference: FileReference,
        base: FileReference,
    ) -> Result<Record, Error> {
        let record = self.read(disk, reference.number())?;
        record.check_extends(reference, base)?;
        Ok(record)
    }

    /// Where a record is.
    pub fn ranges(&self, disk: &Disk, number: u64) -> Result<Vec<Range<u64>>, Error> {
        disk.ranges(&self.runs, self.offset(disk, number)?, disk.boot.record_size)
    }

    fn offset(&self, disk: &Disk, number: u64) -> Result<u64, Error> {
        if number >= self.records(disk) {
            return Err(Error::corrupt("record past the end of the file table", number));
        }
        Ok(number * disk.boot.record_size)
    }
}

fn read_copy(disk: &Disk, number: u64) -> Result<Record, Error> {
    let start = disk.boot.mirror.checked_mul(disk.boot.cluster_size);
    let start = start.ok_or(Error::corrupt("copy of the file table out of range", number))?;
    read_record(disk, number, start)
}

/// One of the first records, by where they start.
fn read_record(disk: &Disk, number: u64, start: u64) -> Result<Record, Error> {
    let mut bytes = vec![0; disk.boot.record_size as usize];
    let offset = (number * disk.boot.record_size).saturating_add(start);
    disk.device.read_exact_at(offset, &mut bytes)?;
    Record::parse(number, bytes)
}
