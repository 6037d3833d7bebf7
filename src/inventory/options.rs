//! What of a host is listed.

/// What of a host is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How far it goes.
    pub extent: Extent,
    /// Folders that the walk does not enter, beside those that never hold a host's own packages.
    pub excluded: Vec<String>,
    /// Whether programs that belong to the system's packages are looked into too.
    pub owned_programs: bool,
    /// Whether apt's indexes of packages are read however large they are.
    pub all_indexes: bool,
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
