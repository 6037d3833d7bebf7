//! The `Authorization` header: it must look like Signature Version 4 for `ebs`. The
//! signature itself is not checked; the access key says which account is calling.

use hyper::{HeaderMap, header::AUTHORIZATION};

use crate::error::ErrorKind;

/// The access key of the caller.
pub(crate) fn access_key(headers: &HeaderMap) -> Result<String, ErrorKind> {
    let header = headers.get(AUTHORIZATION).ok_or(ErrorKind::MissingAuthentication)?;
    let header = header.to_str().map_err(|_| ErrorKind::IncompleteSignature)?;
    let fields = Fields::parse(header).ok_or(ErrorKind::IncompleteSignature)?;
    if fields.service != "ebs" {
        return Err(ErrorKind::InvalidSignature);
    }
    Ok(fields.access_key.to_owned())
}

struct Fields<'a> {
    access_key: &'a str,
    service: &'a str,
}

impl<'a> Fields<'a> {
    /// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request,
    /// SignedHeaders=a;b, Signature=HEX`.
    fn parse(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| {
            let mut parts = rest.split(',').filter_map(|part| part.trim().split_once('='));
            parts.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let credential: Vec<&str> = field("Credential")?.split('/').collect();
        let [access_key, date, region, service, "aws4_request"] = credential[..] else {
            return None;
        };
        let dated = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
        let signature = field("Signature")?;
        let signed = signature.len() == 64 && signature.bytes().all(|b| b.is_ascii_hexdigit());
        let named = !access_key.is_empty() && !region.is_empty();
        let listed = !field("SignedHeaders")?.is_empty();
        (dated && signed && named && listed).then_some(Self { access_key, service })
    }
}
