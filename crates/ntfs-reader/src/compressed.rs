//! Data that NTFS compresses: in units of, mostly, 16 clusters, each compressed for itself.
//! A unit that takes up all of its clusters is not compressed, one that takes up none is zero:
//! <https://flatcap.github.io/linux-ntfs/ntfs/concepts/compression.html>.

use crate::attribute::{Attribute, Clusters};
use crate::file::File;
use crate::runs::Run;
use crate::{Error, Ntfs, lznt1};
use std::ops::Range;

/// Windows compresses 64 KiB together.
const MOST_UNIT: u64 = 1 << 20;

impl Ntfs {
    /// Fills `out`, all of which was written.
    pub(crate) fn read_compressed(
        &self,
        file: &File,
        attribute: &Attribute,
        clusters: &Clusters,
        offset: u64,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let size = self.disk.boot.cluster_size;
        let end = offset.saturating_add(out.len() as u64);
        let wanted = self.whole_units(clusters, file, &(offset / size..end.div_ceil(size)))?;
        let runs = self.runs(file, attribute, clusters, &wanted)?;
        self.expect(&runs);
        let unit = self.unit(file, clusters)?;
        let mut bytes = vec![0; (unit * size) as usize];
        for first in wanted.step_by(unit as usize) {
            self.read_unit(file, &runs, first..first + unit, &mut bytes)?;
            let start = first * size;
            let from = offset.max(start);
            let to = end.min(start + unit * size);
            let target = &mut out[(from - offset) as usize..(to - offset) as usize];
            target.copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
        }
        Ok(())
    }

    fn expect(&self, runs: &[Run]) {
        let size = self.disk.boot.cluster_size;
        let device = |run: &Run| run.physical.map(|at| at * size..(at + run.length) * size);
        self.disk.device.will_need(&runs.iter().filter_map(device).collect::<Vec<_>>());
    }

    fn read_unit(
        &self,
        file: &File,
        runs: &[Run],
        unit: Range<u64>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let size = self.disk.boot.cluster_size;
        let stored =
            stored_clusters(runs, &unit).ok_or(file.corrupt("hole in compressed unit: file"))?;
        if stored == unit.end - unit.start {
            return self.disk.read(runs, unit.start * size, out);
        }
        if stored == 0 {
            out.fill(0);
            return Ok(());
        }
        let mut bytes = vec![0; (stored * size) as usize];
        self.disk.read(runs, unit.start * size, &mut bytes)?;
        lznt1::decompress(&bytes, out).map_err(|flaw| file.corrupt(flaw))
    }

    /// Clusters of a unit.
    fn unit(&self, file: &File, clusters: &Clusters) -> Result<u64, Error> {
        let unit = 1_u64.checked_shl(file.table.sizes(clusters)?.unit.into()).unwrap_or(0);
        let bytes = unit.saturating_mul(self.disk.boot.cluster_size);
        if unit < 2 || bytes > MOST_UNIT {
            return Err(Error::unsupported(format!("compression in units of {unit} clusters")));
        }
        Ok(unit)
    }

    /// The clusters of all units that some clusters touch.
    pub(crate) fn whole_units(
        &self,
        clusters: &Clusters,
        file: &File,
        wanted: &Range<u64>,
    ) -> Result<Range<u64>, Error> {
        let unit = self.unit(file, clusters)?;
        Ok(wanted.start / unit * unit..wanted.end.div_ceil(unit) * unit)
    }
}

/// How many clusters of a unit are on the volume; they must come before those that are not. The
/// runs of the last unit may end before it.
fn stored_clusters(runs: &[Run], unit: &Range<u64>) -> Option<u64> {
    let (mut stored, mut ended) = (0, false);
    let first = runs.partition_point(|run| run.end() <= unit.start);
    for run in runs[first..].iter().take_while(|run| run.virtual_start < unit.end) {
        let length = run.end().min(unit.end) - run.virtual_start.max(unit.start);
        match run.physical {
            Some(_) if ended => return None,
            Some(_) => stored += length,
            None => ended = true,
        }
    }
    Some(stored)
}
