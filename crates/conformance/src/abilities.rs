//! What a filesystem can hold. All that it can is then expected of it: a call that fails although
//! the ability is there fails the test.

/// Abilities of a filesystem; the default has them all, as ext4 with blocks of 4 KiB does.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Abilities {
    /// Size of its blocks, around which sizes of files are chosen.
    pub block: u64,
    /// Device nodes, pipes and sockets.
    pub devices: bool,
    /// Owner, group and permissions of each file.
    pub owners: bool,
    /// Longest target of a symbolic link; zero if there are none.
    pub longest_link: usize,
    /// Several names of one file.
    pub hard_links: bool,
    /// Extended attributes.
    pub xattrs: Option<XattrRoom>,
    /// POSIX access lists.
    pub acls: bool,
    /// Names of any bytes but `/` and NUL; else names are text.
    pub raw_names: bool,
    /// Names with `"`, `\`, line ends, a space in front, dots at the end.
    pub odd_names: bool,
    /// Files that differ only in the case of their names.
    pub case_sensitive: bool,
    /// Holes: files may be much larger than the device.
    pub holes: bool,
    /// Blocks that are allocated and were never written (`fallocate`), and holes punched later.
    pub unwritten: bool,
    /// Entries of the large folders.
    pub large_folders: [usize; 2],
}

/// Room for extended attributes.
#[derive(Debug, Clone, Copy)]
pub struct XattrRoom {
    /// Largest value in bytes.
    pub value: usize,
    /// Bytes of names and values that one file can surely hold.
    pub total: usize,
    /// Most attributes of one file that are set.
    pub count: usize,
    /// Names start with `trusted.` and `security.` too, not with `user.` only.
    pub privileged: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            block: 4096,
            devices: true,
            owners: true,
            longest_link: 4095,
            hard_links: true,
            xattrs: Some(XattrRoom { value: 3000, total: 3600, count: 56, privileged: true }),
            acls: true,
            raw_names: true,
            odd_names: true,
            case_sensitive: true,
            holes: true,
            unwritten: true,
            large_folders: [12_000, 40_000],
        }
    }
}
