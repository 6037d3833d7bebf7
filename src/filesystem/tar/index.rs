//! One pass over the headers of an archive, which makes its tree.

use super::attributes::{Attributes, decimal};
use super::header::{self, BLOCK, Header, until_zero};
use super::nodes::{Body, Node, Nodes, Pieces, Refused};
use crate::block::{BlockSource, ReadError};
use crate::model::{GapReason, printable};
use std::collections::{BTreeMap, HashMap};

/// Longest name or list of attributes.
const MOST_TEXT: u64 = 1 << 20;
/// Most bytes of extended attributes.
const MOST_XATTRS: usize = 64 << 20;
/// Most pieces of a sparse file.
const MOST_PIECES: usize = 64 << 10;
/// Problems that are told one by one.
const MOST_TOLD: usize = 100;

/// Name and value of each extended attribute of a node.
type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// What an archive holds.
pub struct Index {
    pub nodes: Nodes,
    pub xattrs: HashMap<u32, Xattrs>,
    /// What of it is lost.
    pub warnings: Vec<(GapReason, String)>,
    untold: u64,
    xattr_bytes: usize,
    /// Names of files that were not met yet, and these.
    waiting: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Why the pass ends before the archive does.
struct End(GapReason, String);

impl From<ReadError> for End {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::OutOfBounds { offset, .. } => {
                Self(GapReason::Corrupt, format!("the archive is cut off at byte {offset}"))
            }
            error @ ReadError::Failed { .. } => Self(GapReason::Unreadable, error.to_string()),
        }
    }
}

fn corrupt(what: &str, at: u64) -> End {
    End(GapReason::Corrupt, format!("{what} at byte {at}: what follows is not read"))
}

impl Index {
    /// Goes through an archive, as far as it can be.
    pub fn of(archive: &dyn BlockSource, most: usize) -> Self {
        let mut index = Self {
            nodes: Nodes::new(most),
            xattrs: HashMap::new(),
            warnings: Vec::new(),
            untold: 0,
            xattr_bytes: 0,
            waiting: Vec::new(),
        };
        if let Err(End(reason, text)) = index.read(archive) {
            index.warn(reason, text);
        }
        index.settle();
        if index.untold > 0 {
            let text = format!("{} more of its members are not as they should be", index.untold);
            index.warnings.push((GapReason::Corrupt, text));
        }
        index
    }

    fn read(&mut self, archive: &dyn BlockSource) -> Result<(), End> {
        let (mut at, mut said) = (0, Attributes::default());
        let mut block = [0; BLOCK as usize];
        while at < archive.size() {
            archive.read_exact_at(at, &mut block)?;
            if block.iter().all(|byte| *byte == 0) {
                return Ok(());
            }
            let header =
                Header::checked(&block).ok_or_else(|| corrupt("no header of a member", at))?;
            at = self.member(archive, &header, at, &mut said)?;
        }
        Ok(())
    }

    /// Takes one header; where the next one is.
    fn member(
        &mut self,
        archive: &dyn BlockSource,
        header: &Header,
        at: u64,
        said: &mut Attributes,
    ) -> Result<u64, End> {
        let size = header.size().ok_or_else(|| corrupt("no size of a member", at))?;
        let start = at + BLOCK;
        let behind = |start: u64, size: u64| {
            let end = size.checked_next_multiple_of(BLOCK).and_then(|it| start.checked_add(it));
            end.ok_or_else(|| corrupt("a member of no possible size", at))
        };
        if b"xgLK".contains(&header.kind()) {
            Self::say(archive, header.kind(), start, size, said)?;
            return behind(start, size);
        }
        let said = std::mem::take(said);
        let size = said.size.unwrap_or(size);
        if header.kind() == b'S' {
            let (pieces, data) = old_pieces(archive, header, start)?;
            let whole = header.pieces().1;
            let next = behind(data, size)?;
            self.sparse(header, said, (pieces, whole), (data, size));
            return Ok(next);
        }
        let next = behind(start, size)?;
        let holds = !b"123456".contains(&header.kind());
        if holds && start.saturating_add(size) > archive.size() {
            let text = format!("the archive is cut off at byte {}", archive.size());
            self.warn(GapReason::Corrupt, text);
        }
        if said.sparse.is_said {
            self.pax_sparse(archive, header, said, (start, size))?;
        } else {
            self.plain(header, said, (start, size))?;
        }
        Ok(if holds { next } else { start })
    }

    fn say(
        archive: &dyn BlockSource,
        kind: u8,
        at: u64,
        size: u64,
        said: &mut Attributes,
    ) -> Result<(), End> {
        if size > MOST_TEXT {
            return Err(corrupt("attributes that are too long", at));
        }
        let mut text = vec![0; size as usize];
        archive.read_exact_at(at, &mut text)?;
        match kind {
            b'L' => said.path = Some(until_zero(&text).to_vec()),
            b'K' => said.link = Some(until_zero(&text).to_vec()),
            b'x' => said.take(&text).ok_or_else(|| corrupt("attributes that are none", at))?,
            _ => {}
        }
        Ok(())
    }

    fn plain(&mut self, header: &Header, said: Attributes, data: (u64, u64)) -> Result<(), End> {
        let (at, length) = data;
        let path = said.path.clone().unwrap_or_else(|| header.name());
        let link = || said.link.clone().unwrap_or_else(|| header.link());
        let body = match header.kind() {
            b'1' => return self.hard_link(path, link()),
            b'2' => Body::Link(link().into()),
            b'3' | b'4' => {
                let (major, minor) = header.device();
                Body::Device(major, minor)
            }
            b'6' => Body::Pipe,
            b'5' | b'D' => Body::Folder(BTreeMap::new()),
            // Before there was a letter for folders, a slash told them.
            0 if path.ends_with(b"/") => Body::Folder(BTreeMap::new()),
            b'0' | 0 | b'7' => Body::File { at, length },
            kind => {
                let text = format!("{}: a member of kind {kind}", printable(&path));
                self.warn(GapReason::Unsupported, text);
                return Ok(());
            }
        };
        self.put(&path, header, said, body)
    }

    fn put(
        &mut self,
        path: &[u8],
        header: &Header,
        said: Attributes,
        body: Body,
    ) -> Result<(), End> {
        let (uid, gid) = header.owner();
        let node = Node {
            body,
            mode: header.mode(),
            uid: said.uid.unwrap_or(uid),
            gid: said.gid.unwrap_or(gid),
            modified: said.modified.unwrap_or_else(|| header.modified()),
        };
        match self.nodes.put(path, node) {
            Ok(node) => self.note_xattrs(node, said.xattrs),
            Err(refused) => return self.refuse(path, &refused),
        }
        Ok(())
    }

    fn note_xattrs(&mut self, node: u32, xattrs: Xattrs) {
        let bytes: usize = xattrs.iter().map(|(name, value)| 64 + name.len() + value.len()).sum();
        if xattrs.is_empty() {
            self.xattrs.remove(&node);
        } else if MOST_XATTRS - self.xattr_bytes >= bytes {
            self.xattr_bytes += bytes;
            self.xattrs.insert(node, xattrs);
        }
    }

    /// A further name of a file, which mostly stands before it.
    fn hard_link(&mut self, path: Vec<u8>, target: Vec<u8>) -> Result<(), End> {
        match self.nodes.find(&target) {
            Ok(Some(node)) => self.link(&path, &target, node),
            Ok(None) if self.waiting.len() < MOST_PIECES => {
                self.waiting.push((path, target));
                Ok(())
            }
            Ok(None) => self.refuse(&path, &Refused::Because("a hard link to nothing")),
            Err(refused) => self.refuse(&path, &refused),
        }
    }

    fn link(&mut self, path: &[u8], target: &[u8], node: u32) -> Result<(), End> {
        let is_folder = matches!(self.nodes.all[node as usize].body, Body::Folder(_));
        let linked = match () {
            () if path == target => Ok(()),
            () if is_folder => Err(Refused::Because("a hard link to a folder")),
            () => self.nodes.link(path, node),
        };
        linked.or_else(|refused| self.refuse(path, &refused))
    }

    /// Gives further names to files that stood behind them.
    fn settle(&mut self) {
        for (path, target) in std::mem::take(&mut self.waiting) {
            let found = self.nodes.find(&target).ok().flatten();
            let is_taken = self.nodes.find(&path).ok().flatten().is_some();
            let linked = match found {
                _ if is_taken => Ok(()),
                Some(node) => self.link(&path, &target, node),
                None => self.refuse(&path, &Refused::Because("a hard link to nothing")),
            };
            if let Err(End(reason, text)) = linked {
                return self.warn(reason, text);
            }
        }
    }

    fn sparse(
        &mut self,
        header: &Header,
        said: Attributes,
        (pieces, size): (Vec<(u64, u64)>, Option<u64>),
        (data, length): (u64, u64),
    ) {
        let path = said.sparse.name.clone().or_else(|| said.path.clone());
        let path = path.unwrap_or_else(|| header.name());
        let pieces = size.and_then(|size| Pieces::new(size, &pieces, data, length));
        let Some(pieces) = pieces else {
            let text = format!("{}: a file with holes that overlap", printable(&path));
            return self.warn(GapReason::Corrupt, text);
        };
        let put = self.put(&path, header, said, Body::Sparse(Box::new(pieces)));
        if let Err(End(reason, text)) = put {
            self.warn(reason, text);
        }
    }

    fn pax_sparse(
        &mut self,
        archive: &dyn BlockSource,
        header: &Header,
        mut said: Attributes,
        (start, size): (u64, u64),
    ) -> Result<(), End> {
        let (mut pieces, mut data) = (std::mem::take(&mut said.sparse.pieces), start);
        if said.sparse.is_behind {
            (pieces, data) = new_pieces(archive, start, size)?;
        }
        let whole = said.sparse.size;
        let length = size.saturating_sub(data - start);
        self.sparse(header, said, (pieces, whole), (data, length));
        Ok(())
    }

    /// Notes that a member is lost; an error if all others are too.
    fn refuse(&mut self, path: &[u8], refused: &Refused) -> Result<(), End> {
        let Refused::Because(why) = refused else {
            let text = "too many files: those that follow are not read".to_owned();
            return Err(End(GapReason::Limit, text));
        };
        let short = &path[..path.len().min(256)];
        self.warn(GapReason::Corrupt, format!("{}: {why}", printable(short)));
        Ok(())
    }

    fn warn(&mut self, reason: GapReason, text: String) {
        if self.warnings.len() < MOST_TOLD {
            self.warnings.push((reason, text));
        } else {
            self.untold += 1;
        }
    }
}

impl Pieces {
    /// Pieces that follow one another, of which the bytes do too; none if they do not.
    fn new(size: u64, pieces: &[(u64, u64)], data: u64, length: u64) -> Option<Self> {
        let (mut end, mut used, mut all) = (0, 0_u64, Vec::with_capacity(pieces.len()));
        for (offset, count) in pieces {
            if *offset < end || *count > length - used {
                return None;
            }
            end = offset.checked_add(*count).filter(|end| *end <= size)?;
            all.push((*offset, *count, data.checked_add(used)?));
            used += count;
        }
        Some(Self { size, all })
    }
}

/// GNU tar's own list, which goes on in blocks behind the header; and where the bytes begin.
fn old_pieces(
    archive: &dyn BlockSource,
    header: &Header,
    start: u64,
) -> Result<(Vec<(u64, u64)>, u64), End> {
    let (mut pieces, _, mut goes_on) = header.pieces();
    let mut at = start;
    while goes_on {
        if pieces.len() > MOST_PIECES || at - start > (MOST_PIECES as u64) << 5 {
            return Err(corrupt("a file of too many pieces", at));
        }
        let mut block = [0; BLOCK as usize];
        archive.read_exact_at(at, &mut block)?;
        pieces.extend(header::pieces(&block[..504]));
        goes_on = block[504] != 0;
        at += BLOCK;
    }
    Ok((pieces, at))
}

/// The list that stands in lines before the bytes, filled up to whole blocks.
fn new_pieces(
    archive: &dyn BlockSource,
    start: u64,
    size: u64,
) -> Result<(Vec<(u64, u64)>, u64), End> {
    let (mut numbers, mut line, mut at) = (Vec::new(), Vec::new(), start);
    let wrong = || corrupt("a list of pieces that is none", start);
    let mut wanted = 1;
    while numbers.len() < wanted {
        if at - start >= size {
            return Err(wrong());
        }
        let mut block = [0; BLOCK as usize];
        archive.read_exact_at(at, &mut block)?;
        at += BLOCK;
        for byte in block {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            numbers.push(decimal(&line).ok_or_else(wrong)?);
            line.clear();
            let count = usize::try_from(numbers[0]).ok().filter(|it| *it <= MOST_PIECES);
            wanted = 1 + 2 * count.ok_or_else(wrong)?;
            if numbers.len() == wanted {
                break;
            }
        }
        if line.len() > BLOCK as usize {
            return Err(wrong());
        }
    }
    Ok((numbers[1..].chunks_exact(2).map(|pair| (pair[0], pair[1])).collect(), at))
}
