//! Which entries of a bucket are wanted.

pub enum Wanted {
    All,
    /// That of one key.
    Key(Vec<u8>),
    /// Those whose key begins so.
    Prefix(Vec<u8>),
}

impl Wanted {
    pub fn takes(&self, key: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Key(wanted) => key == wanted,
            Self::Prefix(prefix) => key.starts_with(prefix),
        }
    }

    /// Whether none is below `key`.
    pub fn starts_at(&self, key: &[u8]) -> bool {
        match self {
            Self::All => false,
            Self::Key(start) | Self::Prefix(start) => key <= start.as_slice(),
        }
    }

    /// Whether none is at `key` or above it.
    pub fn ends_before(&self, key: &[u8]) -> bool {
        match self {
            Self::All => false,
            Self::Key(end) => key > end.as_slice(),
            Self::Prefix(prefix) => key > prefix.as_slice() && !key.starts_with(prefix),
        }
    }
}
