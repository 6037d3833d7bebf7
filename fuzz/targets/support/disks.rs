//! Several sparse disks from the bytes of one input, as `scripts/fixtures/volume-seeds` writes
//! them: how many disks, the sectors of each as 32 bits, then runs of sectors. A run is: disk,
//! number of sectors, its first sector as 32 bits, and the sectors.

use block_source::{BlockSource, ReadError, check_bounds};
use md_reader::Device;
use std::collections::HashMap;
use std::sync::Arc;

const MOST_DISKS: u8 = 8;

#[derive(Default)]
struct Disk {
    size: u64,
    sectors: HashMap<u64, [u8; 512]>,
}

impl BlockSource for Disk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        let mut at = offset;
        let mut rest = out;
        while !rest.is_empty() {
            let within = (at % 512) as usize;
            let length = rest.len().min(512 - within);
            let (piece, after) = rest.split_at_mut(length);
            match self.sectors.get(&(at / 512)) {
                Some(sector) => piece.copy_from_slice(&sector[within..within + length]),
                None => piece.fill(0),
            }
            (at, rest) = (at + length as u64, after);
        }
        Ok(())
    }
}

/// The disks of an input.
pub fn parse(data: &[u8]) -> Option<Vec<Device>> {
    let (count, mut rest) = data.split_first()?;
    let mut disks: Vec<Disk> = Vec::new();
    for _ in 0..(*count).min(MOST_DISKS) {
        let (sectors, after) = rest.split_at_checked(4)?;
        let sectors = u64::from(u32::from_le_bytes(sectors.try_into().ok()?));
        disks.push(Disk { size: sectors * 512, sectors: HashMap::new() });
        rest = after;
    }
    while let Some((head, after)) = rest.split_at_checked(6) {
        let first = u64::from(u32::from_le_bytes(head[2..].try_into().ok()?));
        let (sectors, after) = after.split_at(after.len().min(usize::from(head[1]) * 512));
        for (index, sector) in sectors.as_chunks::<512>().0.iter().enumerate() {
            if let Some(disk) = disks.get_mut(usize::from(head[0])) {
                disk.sectors.insert(first + index as u64, *sector);
            }
        }
        rest = after;
    }
    let named = disks
        .into_iter()
        .enumerate()
        .map(|(index, disk)| Device { name: format!("disk {index}"), source: Arc::new(disk) });
    Some(named.collect())
}

/// Announces all of a volume and reads some of it; a part must read the same as in the whole.
pub fn look(source: &dyn BlockSource) {
    let size = source.size();
    source.will_need(std::slice::from_ref(&(0..size)));
    let mut bytes = vec![0; 20_000];
    for at in [0, size / 2, size.saturating_sub(20_000)] {
        let length = (size - at).min(20_000) as usize;
        let whole = &mut bytes[..length];
        if source.read_exact_at(at, whole).is_err() {
            continue;
        }
        let mut part = [0; 100];
        if length > 5100 {
            source.read_exact_at(at + 5000, &mut part).expect("it was read before");
            assert_eq!(part, whole[5000..5100]);
        }
    }
    assert!(source.read_exact_at(size, &mut [0]).is_err());
}
