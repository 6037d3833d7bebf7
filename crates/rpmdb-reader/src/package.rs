//! What a header says of its package.

use crate::error::{Error, corrupt};
use crate::file_list::FileList;
use crate::header::{Header, tag};
use crate::signature::{self, KeyId};

/// Whether the files of a package are wanted, which are most of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Read them.
    Wanted,
    /// Leave them.
    Left,
}

/// An installed package. Text that is not UTF-8 has replacement characters.
#[derive(Debug, Clone)]
pub struct Package {
    /// Name; `gpg-pubkey` is a key that rpm trusts, not a package.
    pub name: String,
    /// Epoch, which is not the same as an epoch of zero, though it compares so.
    pub epoch: Option<u32>,
    /// Version.
    pub version: String,
    /// Release.
    pub release: String,
    /// Architecture; keys have none.
    pub arch: Option<String>,
    /// File name of the source package.
    pub source_rpm: Option<String>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Who packaged it.
    pub packager: Option<String>,
    /// License.
    pub license: Option<String>,
    /// Name, stream, version and context of the module that it is of.
    pub module: Option<String>,
    /// When it was installed, in seconds since 1970.
    pub installed: Option<u64>,
    /// When it was built, in seconds since 1970.
    pub built: Option<u64>,
    /// Bytes of its files.
    pub size: Option<u64>,
    /// The key that it was signed with.
    pub key: Option<KeyId>,
    /// Its files, if they were wanted.
    pub files: FileList,
    /// What could not be read of it.
    pub problems: Vec<Error>,
}

impl Package {
    /// Parses a header. Fails if it tells no name, version and release; what else is wrong is in
    /// [`Package::problems`].
    pub fn parse(bytes: &[u8], files: Files) -> Result<Self, Error> {
        let header = Header::parse(bytes)?;
        let mut problems = Vec::new();
        if let Err(error) = header.check() {
            problems.push(error);
        }
        if header.digest_holds() == Some(false) {
            problems.push(corrupt("digest of a header", 0));
        }
        let mut reader = Reader { header: &header, problems };
        Ok(Self {
            name: required(&header, tag::NAME)?,
            version: required(&header, tag::VERSION)?,
            release: required(&header, tag::RELEASE)?,
            epoch: reader.number(tag::EPOCH).and_then(|epoch| u32::try_from(epoch).ok()),
            arch: reader.text(tag::ARCH),
            source_rpm: reader.text(tag::SOURCE_RPM),
            vendor: reader.text(tag::VENDOR),
            packager: reader.text(tag::PACKAGER),
            license: reader.text(tag::LICENSE),
            module: reader.text(tag::MODULARITY_LABEL),
            installed: reader.number(tag::INSTALL_TIME),
            built: reader.number(tag::BUILD_TIME),
            size: reader.number(tag::LONG_SIZE).or_else(|| reader.number(tag::SIZE)),
            key: signature::key_of(&header),
            files: match files {
                Files::Wanted => FileList::read(&header, &mut reader.problems),
                Files::Left => FileList::default(),
            },
            problems: reader.problems,
        })
    }
}

/// Reads what a package may lack, and keeps what is wrong.
struct Reader<'a> {
    header: &'a Header<'a>,
    problems: Vec<Error>,
}

impl Reader<'_> {
    fn text(&mut self, tag: u32) -> Option<String> {
        let text = self.header.text(tag);
        self.keep(text).flatten().map(printable)
    }

    fn number(&mut self, tag: u32) -> Option<u64> {
        let number = self.header.number(tag);
        self.keep(number).flatten()
    }

    fn keep<T>(&mut self, value: Result<T, Error>) -> Option<T> {
        value.map_err(|error| self.problems.push(error)).ok()
    }
}

fn required(header: &Header<'_>, tag: u32) -> Result<String, Error> {
    let text = header.text(tag)?.filter(|text| !text.is_empty());
    text.map(printable).ok_or_else(|| corrupt("header without a name, version or release", 0))
}

fn printable(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
