//! The kinds of data, and what the bytes of each say.

use crate::text::Text;

/// The kind of a value's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "Windows names them so")]
pub enum Kind {
    None,
    String,
    ExpandString,
    Binary,
    Number,
    NumberBigEndian,
    Link,
    Strings,
    ResourceList,
    FullResourceDescriptor,
    ResourceRequirements,
    LongNumber,
    /// One that Windows has no name for; some programs store times and the like so.
    Other(u32),
}

impl From<u32> for Kind {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::String,
            2 => Self::ExpandString,
            3 => Self::Binary,
            4 => Self::Number,
            5 => Self::NumberBigEndian,
            6 => Self::Link,
            7 => Self::Strings,
            8 => Self::ResourceList,
            9 => Self::FullResourceDescriptor,
            10 => Self::ResourceRequirements,
            11 => Self::LongNumber,
            other => Self::Other(other),
        }
    }
}

impl Kind {
    /// Its number in hives.
    pub fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::String => 1,
            Self::ExpandString => 2,
            Self::Binary => 3,
            Self::Number => 4,
            Self::NumberBigEndian => 5,
            Self::Link => 6,
            Self::Strings => 7,
            Self::ResourceList => 8,
            Self::FullResourceDescriptor => 9,
            Self::ResourceRequirements => 10,
            Self::LongNumber => 11,
            Self::Other(other) => other,
        }
    }
}

/// Decoded data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// `REG_SZ`, `REG_EXPAND_SZ` (not expanded) and `REG_LINK`.
    Text(Text),
    /// `REG_MULTI_SZ`.
    List(Vec<Text>),
    /// `REG_DWORD` in either order, and `REG_QWORD`.
    Number(u64),
    /// All other kinds.
    Bytes(Vec<u8>),
}

impl Data {
    /// Decodes by the kind; `None` for a number of a wrong length.
    pub(crate) fn decode(kind: Kind, bytes: Vec<u8>) -> Option<Self> {
        Some(match kind {
            Kind::String | Kind::ExpandString | Kind::Link => Self::Text(Text::from_utf16(&bytes)),
            Kind::Strings => Self::List(Text::list(&bytes)),
            Kind::Number => Self::Number(u32::from_le_bytes(bytes.try_into().ok()?).into()),
            Kind::NumberBigEndian => {
                Self::Number(u32::from_be_bytes(bytes.try_into().ok()?).into())
            }
            Kind::LongNumber => Self::Number(u64::from_le_bytes(bytes.try_into().ok()?)),
            _ => Self::Bytes(bytes),
        })
    }
}
