//! Numbers of tags. <https://rpm-software-management.github.io/rpm/manual/tags.html>

/// The region of a header of rpm 3 that a database made.
pub const HEADER_IMAGE: u32 = 61;
/// The region of a header of rpm 4.
pub const HEADER_IMMUTABLE: u32 = 63;
/// The first tag that is not of a region.
pub const HEADER_I18N_TABLE: u32 = 100;
/// Signature over header and payload, of rpm 3 and 4, RSA.
pub const SIG_PGP: u32 = 259;
/// Signature over header and payload, of rpm 3 and 4, DSA.
pub const SIG_GPG: u32 = 262;
/// Signature over the header, DSA or EdDSA.
pub const DSA_HEADER: u32 = 267;
/// Signature over the header, RSA.
pub const RSA_HEADER: u32 = 268;
/// SHA-1 of the region, in hexadecimal digits.
pub const SHA1_HEADER: u32 = 269;
/// SHA-256 of the region, in hexadecimal digits.
pub const SHA256_HEADER: u32 = 273;
/// All signatures in base64, of rpm 6.
pub const OPENPGP: u32 = 278;
/// Name.
pub const NAME: u32 = 1000;
/// Version.
pub const VERSION: u32 = 1001;
/// Release.
pub const RELEASE: u32 = 1002;
/// Epoch.
pub const EPOCH: u32 = 1003;
/// When it was built, in seconds since 1970.
pub const BUILD_TIME: u32 = 1006;
/// When it was installed, in seconds since 1970.
pub const INSTALL_TIME: u32 = 1008;
/// Bytes of its files.
pub const SIZE: u32 = 1009;
/// Vendor.
pub const VENDOR: u32 = 1011;
/// License.
pub const LICENSE: u32 = 1014;
/// Who packaged it.
pub const PACKAGER: u32 = 1015;
/// Architecture.
pub const ARCH: u32 = 1022;
/// Whole paths, of rpm 3.
pub const OLD_FILENAMES: u32 = 1027;
/// States of the files.
pub const FILE_STATES: u32 = 1029;
/// Modes of the files.
pub const FILE_MODES: u32 = 1030;
/// Flags of the files.
pub const FILE_FLAGS: u32 = 1037;
/// Name of the source package.
pub const SOURCE_RPM: u32 = 1044;
/// For each file the number of its directory.
pub const DIR_INDEXES: u32 = 1116;
/// Names of the files in their directories.
pub const BASE_NAMES: u32 = 1117;
/// Directories.
pub const DIR_NAMES: u32 = 1118;
/// Bytes of its files, if these are 4 GiB or more.
pub const LONG_SIZE: u32 = 5009;
/// Module, stream, version and context.
pub const MODULARITY_LABEL: u32 = 5096;
