//! Hives and logs made byte by byte, for what no tool writes.

/// The offset that points to nothing.
pub const NOWHERE: u32 = u32::MAX;

/// Hive bins with one bin.
pub struct Maker {
    pub bins: Vec<u8>,
    pub minor: u32,
    root: u32,
    security: u32,
}

impl Maker {
    pub fn new() -> Self {
        let mut maker = Self { bins: vec![0; 32], minor: 5, root: 0, security: 0 };
        // Owner, group, all rights to all.
        let descriptor: Vec<u8> = [1, 0, 4, 0x80].into_iter().chain([0; 16]).collect();
        let mut security = b"sk\0\0".to_vec();
        for number in [0, 0, 1, descriptor.len() as u32] {
            security.extend(u32::to_le_bytes(number));
        }
        security.extend(descriptor);
        maker.security = maker.cell(&security);
        let (at, own) = (maker.security, maker.security.to_le_bytes());
        maker.put(at + 8, &own);
        maker.put(at + 12, &own);
        maker.root = maker.key("ROOT", 0);
        let flags = maker.root + 6;
        maker.put(flags, &0x2cu16.to_le_bytes());
        maker
    }

    pub fn root(&self) -> u32 {
        self.root
    }

    /// A cell in use; gives its offset.
    pub fn cell(&mut self, data: &[u8]) -> u32 {
        let offset = self.bins.len() as u32;
        let size = (data.len() + 4).next_multiple_of(8);
        self.bins.extend((size as u32).wrapping_neg().to_le_bytes());
        self.bins.extend(data);
        self.bins.resize(offset as usize + size, 0);
        offset
    }

    pub fn put(&mut self, offset: u32, bytes: &[u8]) {
        self.bins[offset as usize..offset as usize + bytes.len()].copy_from_slice(bytes);
    }

    pub fn put32(&mut self, offset: u32, number: u32) {
        self.put(offset, &number.to_le_bytes());
    }

    /// A key without subkeys and values, with a name in Latin-1.
    pub fn key(&mut self, name: &str, parent: u32) -> u32 {
        let mut node = vec![0; 76];
        node[..4].copy_from_slice(b"nk\x20\0");
        node[4..12].copy_from_slice(&(132_000_000_000_000_000 + u64::from(parent)).to_le_bytes());
        node[16..20].copy_from_slice(&parent.to_le_bytes());
        for at in [28, 32, 40, 48] {
            node[at..at + 4].copy_from_slice(&NOWHERE.to_le_bytes());
        }
        node[44..48].copy_from_slice(&self.security.to_le_bytes());
        node[72..74].copy_from_slice(&(name.len() as u16).to_le_bytes());
        node.extend(name.bytes());
        self.cell(&node)
    }

    /// Gives a key its subkeys.
    pub fn set_subkeys(&mut self, key: u32, count: usize, list: u32) {
        self.put32(key + 4 + 20, count as u32);
        self.put32(key + 4 + 28, list);
    }

    /// Gives a key its values.
    pub fn set_values(&mut self, key: u32, values: &[u32]) {
        let list: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let list = self.cell(&list);
        self.put32(key + 4 + 36, values.len() as u32);
        self.put32(key + 4 + 40, list);
    }

    /// A list of subkeys: `li`, `lf`, `lh`, or `ri` over lists.
    pub fn list(&mut self, signature: &[u8], elements: &[(u32, &str)]) -> u32 {
        let mut list = signature.to_vec();
        list.extend((elements.len() as u16).to_le_bytes());
        for (offset, name) in elements {
            list.extend(offset.to_le_bytes());
            match signature {
                b"lf" => list.extend(name.bytes().chain([0; 4]).take(4)),
                b"lh" => list.extend(hash(name).to_le_bytes()),
                _ => {}
            }
        }
        self.cell(&list)
    }

    /// Keys below another, in one list.
    pub fn keys(&mut self, parent: u32, signature: &[u8], names: &[&str]) -> Vec<u32> {
        let keys: Vec<u32> = names.iter().map(|name| self.key(name, parent)).collect();
        let elements: Vec<(u32, &str)> = keys.iter().copied().zip(names.iter().copied()).collect();
        let list = self.list(signature, &elements);
        self.set_subkeys(parent, keys.len(), list);
        keys
    }

    /// A value whose length and place are given as they are stored.
    pub fn raw_value(&mut self, name: &str, kind: u32, length: u32, place: u32) -> u32 {
        let mut value = b"vk".to_vec();
        value.extend((name.len() as u16).to_le_bytes());
        for number in [length, place, kind, 1] {
            value.extend(number.to_le_bytes());
        }
        value.extend(name.bytes());
        self.cell(&value)
    }

    pub fn value(&mut self, name: &str, kind: u32, data: &[u8]) -> u32 {
        let place = match data.len() {
            0..=16344 => self.cell(data),
            _ => self.big(data),
        };
        self.raw_value(name, kind, data.len() as u32, place)
    }

    /// Data in segments.
    pub fn big(&mut self, data: &[u8]) -> u32 {
        let segments: Vec<u32> = data.chunks(16344).map(|part| self.cell(part)).collect();
        let list: Vec<u8> = segments.iter().flat_map(|segment| segment.to_le_bytes()).collect();
        let list = self.cell(&list);
        let mut big = b"db".to_vec();
        big.extend((segments.len() as u16).to_le_bytes());
        big.extend(list.to_le_bytes());
        self.cell(&big)
    }

    /// The hive's file.
    pub fn hive(&self) -> Vec<u8> {
        let mut bins = self.bins.clone();
        let used = bins.len();
        bins.resize((used + 8).next_multiple_of(4096), 0);
        let (size, free) = (bins.len() as u32, (bins.len() - used) as u32);
        bins[used..used + 4].copy_from_slice(&free.to_le_bytes());
        bins[..4].copy_from_slice(b"hbin");
        bins[8..12].copy_from_slice(&size.to_le_bytes());
        let mut file = vec![0; 4096];
        file[..4].copy_from_slice(b"regf");
        let fields = [
            (4, 1),
            (8, 1),
            (20, 1),
            (24, self.minor),
            (32, 1),
            (36, self.root),
            (40, size),
            (44, 1),
        ];
        for (at, number) in fields {
            set(&mut file, at, number);
        }
        seal(&mut file);
        file.extend(bins);
        file
    }
}

/// The hash of a name in plain letters.
pub fn hash(name: &str) -> u32 {
    let letters = name.bytes().map(|letter| u32::from(letter.to_ascii_uppercase()));
    letters.fold(0u32, |hash, letter| hash.wrapping_mul(37).wrapping_add(letter))
}

pub fn set(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

/// Makes the checksum of a base block hold.
pub fn seal(file: &mut [u8]) {
    let words = file[..508].chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    let sum = words.fold(0, |sum, word| sum ^ word);
    set(file, 508, sum);
}

/// The file of the hive with other numbers in its base block.
pub fn numbered(hive: &[u8], primary: u32, secondary: u32) -> Vec<u8> {
    let mut hive = hive.to_vec();
    set(&mut hive, 4, primary);
    set(&mut hive, 8, secondary);
    seal(&mut hive);
    hive
}

/// The first sector of a log, from the hive that it brings about.
pub fn log_start(hive: &[u8], kind: u32, number: u32) -> Vec<u8> {
    let mut sector = hive[..512].to_vec();
    set(&mut sector, 4, number);
    set(&mut sector, 8, number);
    set(&mut sector, 28, kind);
    seal(&mut sector);
    sector
}

/// Pages (offset in the hive bins, bytes) in which two hives differ.
pub fn changes(from: &[u8], to: &[u8], page: usize) -> Vec<(u32, Vec<u8>)> {
    let (from, to) = (&from[4096..], &to[4096..]);
    let pages = to.chunks(page).enumerate();
    let changed = pages.filter(|(index, bytes)| {
        from.get(index * page..index * page + bytes.len()) != Some(*bytes)
    });
    changed.map(|(index, bytes)| ((index * page) as u32, bytes.to_vec())).collect()
}

/// An entry of a log.
pub fn entry(number: u32, bins: u32, pages: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut entry = b"HvLE".to_vec();
    for field in [0, 0, number, bins, pages.len() as u32, 0, 0, 0, 0] {
        entry.extend(u32::to_le_bytes(field));
    }
    for (offset, bytes) in pages {
        entry.extend(offset.to_le_bytes());
        entry.extend((bytes.len() as u32).to_le_bytes());
    }
    for (_, bytes) in pages {
        entry.extend(bytes);
    }
    entry.resize(entry.len().next_multiple_of(512), 0);
    let size = entry.len() as u32;
    set(&mut entry, 4, size);
    seal_entry(&mut entry);
    entry
}

/// Makes the hashes of an entry hold.
pub fn seal_entry(entry: &mut [u8]) {
    let first = marvin(&entry[40..]).to_le_bytes();
    entry[24..32].copy_from_slice(&first);
    let second = marvin(&entry[..32]).to_le_bytes();
    entry[32..40].copy_from_slice(&second);
}

/// A log of the old format.
pub fn old_log(from: &[u8], to: &[u8], number: u32) -> Vec<u8> {
    let pages = changes(from, to, 512);
    let mut log = log_start(to, 1, number);
    let mut bitmap = vec![0u8; (to.len() - 4096) / 512 / 8];
    for (offset, _) in &pages {
        bitmap[*offset as usize / 4096] |= 1 << (offset / 512 % 8);
    }
    log.extend(b"DIRT");
    log.extend(bitmap);
    log.resize(log.len().next_multiple_of(512), 0);
    for (_, bytes) in &pages {
        log.extend(bytes);
    }
    log
}

/// Marvin32 over 64 bits of state.
fn marvin(bytes: &[u8]) -> u64 {
    let (mut low, mut high) = (0x7a4e_55c5u32, 0x82ef_4d88u32);
    let words = bytes.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    for word in words.chain([0x80, 0]) {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    }
    u64::from(high) << 32 | u64::from(low)
}
