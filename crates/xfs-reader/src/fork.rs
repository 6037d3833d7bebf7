//! Forks of an inode, and the B+tree of extents of those with many.
//! "XFS Algorithms & Data Structures", "B+tree Extent List".

use crate::block::{self, Identity};
use crate::bytes::{be16, be32, be64};
use crate::extent::{self, RECORD, Run};
use crate::{Error, InodeNumber, Xfs};
use std::ops::Range;

/// How the bytes of a fork are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A device number.
    Device,
    /// The data itself.
    Local,
    /// A list of extents.
    Extents,
    /// The root of a tree of extents.
    Tree,
    /// None that is known.
    Unknown(u8),
}

impl Form {
    pub fn parse(form: u8) -> Self {
        match form {
            0 => Self::Device,
            1 => Self::Local,
            2 => Self::Extents,
            3 => Self::Tree,
            other => Self::Unknown(other),
        }
    }
}

/// A fork: data or attributes.
#[derive(Debug, Clone)]
pub struct Fork {
    pub owner: InodeNumber,
    pub form: Form,
    pub bytes: Vec<u8>,
    /// How many extents it has, as the inode says.
    pub extents: u64,
}

const MAGIC: u32 = 0x424d_4150;
const MAGIC_CHECKED: u32 = 0x424d_4133;
const HEADER: usize = 24;
const HEADER_CHECKED: usize = 72;
const IDENTITY: Identity = Identity { checksum: 64, place: 24, uuid: 40, owner: 56 };
/// Levels of a tree under the root that fits the inode. Nine hold all of 2^54 blocks.
const MOST_LEVELS: u16 = 9;
/// Past the last block that an extent can start at.
const END: u64 = 1 << 55;
/// Nodes that one request may read, and runs that it may give: more than a terabyte of a file of
/// one extent for each block.
const MOST_NODES: usize = 1 << 16;
const MOST_RUNS: usize = 1 << 20;

/// What to do about a part of a fork whose map is damaged: fail, or note it and go on.
pub type OnDamage<'a> = dyn FnMut(Error) -> Result<(), Error> + 'a;

impl Xfs {
    /// The runs that touch some blocks of a fork, in order, cut to them.
    pub(crate) fn runs(&self, fork: &Fork, wanted: &Range<u64>) -> Result<Vec<Run>, Error> {
        self.runs_despite(fork, wanted, &mut Err)
    }

    /// The runs of those parts of the map that are not damaged, or about whose damage nothing is
    /// to be done.
    pub(crate) fn runs_despite(
        &self,
        fork: &Fork,
        wanted: &Range<u64>,
        on_damage: &mut OnDamage,
    ) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::new();
        match fork.form {
            Form::Extents => match self.listed(fork) {
                Ok(found) => runs = self.cut(&found, wanted),
                Err(damage) => on_damage(damage)?,
            },
            Form::Tree => self.walk(fork, wanted, &mut runs, on_damage)?,
            _ => on_damage(Error::corrupt("no extents in inode", fork.owner.0))?,
        }
        Ok(runs)
    }

    fn listed(&self, fork: &Fork) -> Result<Vec<Run>, Error> {
        let length = usize::try_from(fork.extents).ok().and_then(|count| count.checked_mul(RECORD));
        let records = length.and_then(|length| fork.bytes.get(..length));
        let records = records.ok_or(Error::corrupt("count of extents of inode", fork.owner.0))?;
        extent::parse_all(records, &(0..END), &self.superblock, fork.owner)
    }

    fn cut(&self, runs: &[Run], wanted: &Range<u64>) -> Vec<Run> {
        runs.iter().filter_map(|run| run.within(wanted, self.superblock.block_size)).collect()
    }

    fn walk(
        &self,
        fork: &Fork,
        wanted: &Range<u64>,
        runs: &mut Vec<Run>,
        on_damage: &mut OnDamage,
    ) -> Result<(), Error> {
        let mut todo = match Node::root(fork) {
            Ok(root) => self.children(root, wanted),
            Err(damage) => return on_damage(damage),
        };
        let mut nodes = 0;
        while let Some(child) = todo.pop() {
            nodes += 1;
            if nodes > MOST_NODES || runs.len() > MOST_RUNS {
                let feature = format!("a file of more than {MOST_RUNS} extents at once");
                return on_damage(Error::unsupported(feature));
            }
            match self.expand(fork, &child) {
                Ok(Expanded::Runs(found)) => runs.extend(self.cut(&found, wanted)),
                Ok(Expanded::Node(node)) => todo.extend(self.children(node, wanted)),
                Err(damage) => on_damage(damage)?,
            }
        }
        Ok(())
    }

    /// Those children that may touch `wanted`, the last one first, announced to the device.
    fn children(&self, node: Node, wanted: &Range<u64>) -> Vec<Child> {
        let touches =
            |child: &Child| child.span.start < wanted.end && child.span.end > wanted.start;
        let children: Vec<_> = node.children.into_iter().rev().filter(touches).collect();
        if children.len() > 1 {
            let size = self.superblock.block_size;
            let places = children.iter().filter_map(|it| self.superblock.block_offset(it.block));
            let ranges: Vec<_> = places.map(|at| at..at + size).collect();
            self.device.will_need(&ranges);
        }
        children
    }

    /// Spans that nest and blocks that are never empty bound the walk: no block can be reached
    /// twice.
    fn expand(&self, fork: &Fork, child: &Child) -> Result<Expanded, Error> {
        let corrupt = || Error::corrupt("tree of extents of inode", fork.owner.0);
        let at = self.superblock.block_offset(child.block).ok_or_else(corrupt)?;
        let raw = self.read_bytes(at, self.superblock.block_size)?;
        let modern = self.superblock.has_checksums();
        let (magic, header) =
            if modern { (MAGIC_CHECKED, HEADER_CHECKED) } else { (MAGIC, HEADER) };
        let (level, count) = (be16(&raw, 4), usize::from(be16(&raw, 6)));
        let room = (raw.len() - header) / RECORD;
        if be32(&raw, 0) != magic || level != child.level || count == 0 || count > room {
            return Err(corrupt());
        }
        block::check(&raw, &IDENTITY, &self.superblock, at, fork.owner)?;
        if level > 0 {
            return Node::parse(&raw[header..], level, count, &child.span, fork)
                .map(Expanded::Node);
        }
        let records = &raw[header..header + count * RECORD];
        let runs = extent::parse_all(records, &child.span, &self.superblock, fork.owner)?;
        Ok(Expanded::Runs(runs))
    }
}

enum Expanded {
    Node(Node),
    Runs(Vec<Run>),
}

/// A node above the leaves.
struct Node {
    children: Vec<Child>,
}

/// A block of the tree, and what it should be.
struct Child {
    block: u64,
    level: u16,
    span: Range<u64>,
}

impl Node {
    fn root(fork: &Fork) -> Result<Self, Error> {
        let (level, count) = (be16(&fork.bytes, 0), usize::from(be16(&fork.bytes, 2)));
        let area = fork.bytes.get(4..).unwrap_or_default();
        if !(1..=MOST_LEVELS).contains(&level) || count == 0 || count > area.len() / RECORD {
            return Err(Error::corrupt("root of the extents of inode", fork.owner.0));
        }
        Self::parse(area, level, count, &(0..END), fork)
    }

    /// Keys fill the first half of the area, and block numbers start at the second.
    fn parse(
        area: &[u8],
        level: u16,
        count: usize,
        span: &Range<u64>,
        fork: &Fork,
    ) -> Result<Self, Error> {
        let half = area.len() / RECORD * 8;
        let starts: Vec<_> = (0..count).map(|index| be64(area, index * 8)).collect();
        let outside = |start: &u64| !span.contains(start);
        if starts.windows(2).any(|pair| pair[0] >= pair[1]) || starts.iter().any(outside) {
            return Err(Error::corrupt("keys of the extents of inode", fork.owner.0));
        }
        let ends = starts.iter().skip(1).copied().chain([span.end]);
        let spans = starts.iter().zip(ends).map(|(start, end)| *start..end);
        let child =
            |(index, span)| Child { block: be64(area, half + index * 8), level: level - 1, span };
        Ok(Self { children: spans.enumerate().map(child).collect() })
    }
}
