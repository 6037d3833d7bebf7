//! What of a host is listed.

/// What of a host is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How far it goes.
    pub extent: Extent,
    /// Folders that the walk does not enter, beside those that never hold a host's own packages.
    pub excluded: Vec<String>,
    /// Whether programs that belong to the system's packages are looked into too.
    pub owned_programs: bool,
    /// Whether apt's indexes of packages are read however large they are.
    pub all_indexes: bool,
    /// Files that the walk found and that are read at the same time. Many wait for a second block of theirs, which
    /// takes long where blocks come from far.
    pub readers: usize,
    /// Which containers are looked for.
    pub containers: Containers,
    /// Folders of stores that were read: what is in them is not the host's.
    pub stores: Vec<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            extent: Extent::All,
            excluded: Vec::new(),
            owned_programs: false,
            all_indexes: false,
            readers: 4,
            containers: Containers::All,
            stores: Vec::new(),
        }
    }
}

/// Which containers are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Containers {
    /// None.
    None,
    /// All that engines keep.
    #[default]
    All,
    /// Those, and the images from which none was made.
    WithImages,
}

/// How far the inventory goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// The databases of package managers, which are at known places: nothing is walked.
    System,
    /// What a walk over all files finds too.
    #[default]
    All,
}
