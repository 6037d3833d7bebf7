//! What a replay may leave undone, and why.

/// Why the metadata may differ from what the kernel would show after it replayed the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Shortfall {
    /// The log is on a device of its own, which was not given. Nothing was replayed.
    #[error("the log is on another device")]
    External,
    /// The log is not inside the device. Nothing was replayed.
    #[error("the log is outside the device")]
    Outside,
    /// No place was found at which the log ends. Nothing was replayed.
    #[error("no end of the log was found")]
    NoHead,
    /// The log uses features that are unknown here. Nothing was replayed.
    #[error("unknown features of the log: {0:#x}")]
    Feature(u32),
    /// A record that is not one of the last is damaged, where the kernel refuses to mount. Version
    /// 5 was replayed up to that record, for its blocks tell if they are newer; version 4 was not
    /// replayed at all, for old parts would have come over newer blocks.
    #[error("damaged log record at block {block} of the log: {why}")]
    Record {
        /// Where it is, in blocks of 512 bytes from the start of the log.
        block: u64,
        /// What is wrong with it.
        why: BadRecord,
    },
    /// An item of the log is of no known type; it was left out.
    #[error("unknown log item of type {0:#x}")]
    UnknownItem(u16),
    /// An item of the log makes no sense, or not where it should be applied; it was left out.
    #[error("damaged log item: {what} ({at})")]
    Item {
        /// What is wrong.
        what: &'static str,
        /// The inode, or the sector of the device, that it would have changed.
        at: u64,
    },
    /// The kernel would have changed which blocks belong to a file, and needed new blocks for its
    /// list of extents, or less of them.
    #[error("unfinished change to the blocks of inode {inode}")]
    Mapping {
        /// The file.
        inode: u64,
    },
    /// The kernel would have set or removed an extended attribute.
    #[error("unfinished change to an extended attribute of inode {inode}")]
    Attribute {
        /// The file.
        inode: u64,
    },
    /// The kernel would have gone on to exchange the contents of two files.
    #[error("unfinished exchange of contents between inodes {} and {}", inodes[0], inodes[1])]
    Exchange {
        /// Both files.
        inodes: [u64; 2],
    },
    /// So many more that they are not listed.
    #[error("{0} more")]
    More(u64),
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRecord {
    /// It does not start with a header.
    #[error("no header")]
    NoHeader,
    /// The version of its header is unknown.
    #[error("header of version {0}")]
    Version(u32),
    /// It is longer than a record can be.
    #[error("impossible length")]
    Lengths,
    /// It goes on past the end of the log.
    #[error("past the end of the log")]
    PastHead,
    /// Its checksum does not hold.
    #[error("wrong checksum")]
    Checksum,
    /// It belongs to another filesystem.
    #[error("UUID of another filesystem")]
    Uuid,
    /// It was written by a machine that is not understood.
    #[error("written in format {0}")]
    Format(u32),
    /// The operations inside it contradict each other.
    #[error("{0}")]
    Operations(&'static str),
}

/// Collects reasons, and only counts them when they become too many.
#[derive(Debug, Default)]
pub struct Shortfalls {
    listed: Vec<Shortfall>,
    more: u64,
}

impl Shortfalls {
    const MOST: usize = 100;

    pub fn add(&mut self, shortfall: Shortfall) {
        if self.listed.len() < Self::MOST {
            self.listed.push(shortfall);
        } else {
            self.more += 1;
        }
    }

    pub fn into_list(mut self) -> Vec<Shortfall> {
        if self.more > 0 {
            self.listed.push(Shortfall::More(self.more));
        }
        self.listed
    }
}
