//! Features that the installed `mkfs.xfs` may not know: set in the superblocks of a new, empty
//! filesystem, before the kernel writes to it.

use crate::seal::seal;
use std::fs::File;
use std::os::unix::fs::FileExt;

const BLOCK_SIZE: u64 = 4;
const GROUP_BLOCKS: u64 = 84;
const GROUPS: u64 = 88;
const SECTOR_SIZE: u64 = 102;
const INCOMPAT: usize = 216;
const CHECKSUM: usize = 224;

fn number(file: &File, at: u64) -> u64 {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, at).unwrap();
    u64::from(u32::from_be_bytes(bytes))
}

/// Adds incompatible features to all superblocks.
pub fn add_incompat(image: &std::path::Path, features: u32) {
    let file = File::options().read(true).write(true).open(image).unwrap();
    let group = number(&file, BLOCK_SIZE) * number(&file, GROUP_BLOCKS);
    let sector_size = number(&file, SECTOR_SIZE) >> 16;
    for index in 0..number(&file, GROUPS) {
        let mut sector = vec![0; sector_size as usize];
        file.read_exact_at(&mut sector, index * group).unwrap();
        let stored: [u8; 4] = sector[INCOMPAT..INCOMPAT + 4].try_into().unwrap();
        let all = u32::from_be_bytes(stored) | features;
        sector[INCOMPAT..INCOMPAT + 4].copy_from_slice(&all.to_be_bytes());
        seal(&mut sector, CHECKSUM);
        file.write_all_at(&sector, index * group).unwrap();
    }
}
