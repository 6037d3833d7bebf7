//! Between which keys those of a page are, by the branch above it.

#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// None is smaller.
    pub low: Option<Vec<u8>>,
    /// All are smaller.
    pub high: Option<Vec<u8>>,
}

impl Bounds {
    pub fn hold(&self, key: &[u8]) -> bool {
        self.low.as_ref().is_none_or(|low| low.as_slice() <= key)
            && self.high.as_ref().is_none_or(|high| key < high.as_slice())
    }
}
