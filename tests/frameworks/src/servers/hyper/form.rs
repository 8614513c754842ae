//! The fields of a form.

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap};

use super::failure::Failure;

const MAX_BYTES: usize = 64 * 1024;

/// Names and values, in their order.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of bounded length.
    pub(crate) async fn read(headers: &HeaderMap, body: Incoming) -> Result<Self, Failure> {
        let media_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if !media_type.starts_with(b"application/x-www-form-urlencoded") {
            return Err(Failure(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let body = Limited::new(body, MAX_BYTES).collect().await.map_err(|error| {
            let is_too_long = error.is::<LengthLimitError>();
            Failure(if is_too_long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST })
        })?;
        Ok(Self(form_urlencoded::parse(&body.to_bytes()).into_owned().collect()))
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.optional(name).ok_or(Failure(StatusCode::UNPROCESSABLE_ENTITY))
    }
}
