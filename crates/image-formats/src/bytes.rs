//! Numbers in the headers and tables of images.

macro_rules! readers {
    ($($name:ident $type:ty, $from:ident;)*) => { $(
        pub fn $name(bytes: &[u8], at: usize) -> $type {
            let end = at + size_of::<$type>();
            <$type>::$from(bytes[at..end].try_into().expect("as many bytes as the type has"))
        }
    )* };
}

readers! {
    le16 u16, from_le_bytes;
    le32 u32, from_le_bytes;
    le64 u64, from_le_bytes;
    be32 u32, from_be_bytes;
    be64 u64, from_be_bytes;
}
