//! The answers on the wire: JSON, a block with its checksum, or an error.

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::Serialize;

use crate::{
    body::Answer,
    error::{ApiError, ErrorKind},
    faults::Effect,
    image::Checksum,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const DATA_LENGTH: HeaderName = HeaderName::from_static("x-amz-data-length");
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum");
const ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");

/// What a call found.
#[derive(Debug)]
pub(crate) enum Reply {
    Json(Vec<u8>),
    Block(BlockReply),
}

#[derive(Debug)]
pub(crate) struct BlockReply {
    pub(crate) snapshot: String,
    pub(crate) index: u64,
    pub(crate) data: Bytes,
    pub(crate) checksum: Checksum,
}

impl Reply {
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, ApiError> {
        let json = serde_json::to_vec(value).map_err(|_| ErrorKind::InternalServer)?;
        Ok(Self::Json(json))
    }

    /// The response, with the fault that it suffers.
    pub(crate) fn into_response(
        self,
        effect: Option<Effect>,
        request_id: &str,
    ) -> Response<Answer> {
        let response = match self {
            Self::Json(json) => json_response(StatusCode::OK, json),
            Self::Block(block) => block.into_response(effect),
        };
        with_header(response, REQUEST_ID, request_id).map(|answer| match effect {
            Some(Effect::TruncateBody) => answer.broken(),
            Some(Effect::StallBody) => answer.stalled(),
            _ => answer,
        })
    }
}

impl BlockReply {
    fn into_response(self, effect: Option<Effect>) -> Response<Answer> {
        let data = damaged(self.data, effect);
        let off = usize::from(effect == Some(Effect::WrongDataLength));
        let length = (data.len() - off).to_string();
        let mut response = Response::new(Answer::whole(data));
        response = with_header(response, CONTENT_TYPE, "application/octet-stream");
        response = with_header(response, DATA_LENGTH, &length);
        if effect == Some(Effect::OmitChecksum) {
            return response;
        }
        response = with_header(response, CHECKSUM, &STANDARD.encode(self.checksum));
        with_header(response, ALGORITHM, "SHA256")
    }
}

/// An error as rest-json sends it.
pub(crate) fn error(error: &ApiError, request_id: &str) -> Response<Answer> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    }
    let body = Body { message: &error.message, reason: error.kind.reason() };
    let json = serde_json::to_vec(&body).unwrap_or_default();
    let status = StatusCode::from_u16(error.kind.status());
    let response = json_response(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), json);
    let response = with_header(response, ERROR_TYPE, error.kind.type_name());
    with_header(response, REQUEST_ID, request_id)
}

pub(crate) fn json_response(status: StatusCode, json: Vec<u8>) -> Response<Answer> {
    let mut response = Response::new(Answer::whole(json));
    *response.status_mut() = status;
    with_header(response, CONTENT_TYPE, "application/json")
}

fn damaged(data: Bytes, effect: Option<Effect>) -> Bytes {
    match effect {
        Some(Effect::CorruptBody) => {
            let mut bytes = data.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes.into()
        }
        Some(Effect::ShortBody) => data.slice(..data.len() / 2),
        _ => data,
    }
}

fn with_header(mut response: Response<Answer>, name: HeaderName, value: &str) -> Response<Answer> {
    // Our own values are all visible ASCII, so each is inserted.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
