//! What is said of a member before its own header: attributes as pax writes them, long names as GNU tar does.

/// What begins the name of an extended attribute.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// What was said of the next member.
#[derive(Default)]
pub struct Attributes {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub modified: Option<i64>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub sparse: Sparse,
}

/// What was said of a sparse file.
#[derive(Default)]
pub struct Sparse {
    /// Whether anything was.
    pub is_said: bool,
    pub name: Option<Vec<u8>>,
    /// Size with the holes.
    pub size: Option<u64>,
    pub pieces: Vec<(u64, u64)>,
    /// The version whose list of pieces stands before the bytes.
    pub is_behind: bool,
    offset: Option<u64>,
}

impl Attributes {
    /// Takes lines of `LENGTH KEY=VALUE`, where the length is that of the line; none if they are not.
    pub fn take(&mut self, mut text: &[u8]) -> Option<()> {
        while !text.is_empty() {
            let (record, behind) = record(text)?;
            text = behind;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            self.note(&record[..equals], &record[equals + 1..])?;
        }
        Some(())
    }

    fn note(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(decimal(value)?),
            b"uid" => self.uid = u32::try_from(decimal(value)?).ok(),
            b"gid" => self.gid = u32::try_from(decimal(value)?).ok(),
            b"mtime" => self.modified = seconds(value),
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    self.xattrs.push((name.to_vec(), value.to_vec()));
                } else if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.note(key, value)?;
                }
            }
        }
        Some(())
    }
}

impl Sparse {
    fn note(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        self.is_said = true;
        match key {
            b"name" => self.name = Some(value.to_vec()),
            b"size" | b"realsize" => self.size = Some(decimal(value)?),
            b"major" => self.is_behind = decimal(value)? == 1,
            b"offset" => self.offset = Some(decimal(value)?),
            b"numbytes" => self.pieces.push((self.offset.take()?, decimal(value)?)),
            b"map" => {
                let numbers: Option<Vec<u64>> =
                    value.split(|byte| *byte == b',').map(decimal).collect();
                self.pieces = numbers?.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            }
            _ => {}
        }
        Some(())
    }
}

/// The first line without its length and end, and what is behind it.
fn record(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = rest.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&rest[..space])?).ok()?;
    let record = rest.get(space + 1..length)?.strip_suffix(b"\n")?;
    Some((record, &rest[length..]))
}

/// A number in digits.
pub fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The whole seconds of a time.
fn seconds(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.split('.').next()?.parse().ok()
}
