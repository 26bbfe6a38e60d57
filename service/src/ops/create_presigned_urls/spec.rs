//! The entries of a request, as sent and as they are understood.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1;
use http::HeaderValue;

use crate::access::sigv4::MAX_PRESIGNED_EXPIRES_SECONDS;
use crate::content::MAX_PUT_BYTES;
use crate::convert::algorithm_from_proto;
use crate::domain::{ObjectKey, UploadId};
use crate::error::Error;
use crate::limits::MAX_PARTS;

const MAX_URLS: usize = 1000;

/// The response overrides of a URL, not encoded. The request target of an S3 request has at most 16 KiB, in which each
/// byte of a key or an override may take three.
const MAX_OVERRIDE_BYTES: usize = 4096;

/// How long a URL is valid if the caller does not say.
const DEFAULT_LIFETIME_SECONDS: u32 = 15 * 60;

/// What a presigned URL does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PresignedOperation {
    Get,
    Head,
    Put,
    UploadPart,
}

/// A URL to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PresignedSpec {
    pub(super) operation: PresignedOperation,
    pub(super) key: ObjectKey,
    /// 1 to 604800.
    pub(super) lifetime_seconds: u32,
    /// Parameters of the S3 operation, not encoded.
    pub(super) query: Vec<(&'static str, String)>,
    /// What the request must have; names in lower case.
    pub(super) headers: BTreeMap<String, String>,
}

impl PresignedOperation {
    pub(super) fn http_method(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put | Self::UploadPart => "PUT",
        }
    }

    /// The name in the audit: that of the S3 operation.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GetObject",
            Self::Head => "HeadObject",
            Self::Put => "PutObject",
            Self::UploadPart => "UploadPart",
        }
    }

    fn is_write(self) -> bool {
        match self {
            Self::Get | Self::Head => false,
            Self::Put | Self::UploadPart => true,
        }
    }
}

/// The URLs to make, as sent.
pub(super) fn presigned_specs(
    sent: Vec<v1::PresignedUrlSpec>,
) -> Result<Vec<PresignedSpec>, Error> {
    if sent.len() > MAX_URLS {
        return Err(Error::InvalidArgument {
            field: "urls",
            problem: format!("at most {MAX_URLS} are allowed, not {}", sent.len()),
        });
    }
    let specs = sent.into_iter().enumerate();
    specs
        .map(|(index, spec)| {
            presigned_spec(spec).map_err(|(field, problem)| Error::InvalidUrlSpec {
                index,
                field,
                problem,
            })
        })
        .collect()
}

/// A field and what is wrong with it.
type Problem = (&'static str, String);

fn presigned_spec(sent: v1::PresignedUrlSpec) -> Result<PresignedSpec, Problem> {
    let operation = operation(sent.method)?;
    let key = ObjectKey::new(&sent.key).map_err(|problem| ("key", problem.to_string()))?;
    if matches!(sent.key.as_str(), "." | "..") {
        let problem = "no URL can name it: clients remove such a segment of a path";
        return refused("key", problem);
    }
    let mut query = part(operation, &sent.upload_id, sent.part_number)?;
    query.extend(overrides(operation, sent.response_overrides)?);
    let headers = [
        content_type(operation, sent.content_type)?,
        content_length(operation, sent.content_length)?,
        checksum(operation, sent.checksum)?,
    ];
    Ok(PresignedSpec {
        operation,
        key,
        lifetime_seconds: lifetime_seconds(sent.lifetime)?,
        query,
        headers: headers.into_iter().flatten().collect(),
    })
}

fn operation(sent: i32) -> Result<PresignedOperation, Problem> {
    use v1::PresignedMethod as Sent;
    match Sent::try_from(sent) {
        Ok(Sent::Get) => Ok(PresignedOperation::Get),
        Ok(Sent::Head) => Ok(PresignedOperation::Head),
        Ok(Sent::Put) => Ok(PresignedOperation::Put),
        Ok(Sent::UploadPart) => Ok(PresignedOperation::UploadPart),
        Ok(Sent::Unspecified) => refused("method", "missing"),
        Err(_) => Err(("method", format!("unknown method {sent}"))),
    }
}

fn lifetime_seconds(sent: Option<prost_types::Duration>) -> Result<u32, Problem> {
    let Some(sent) = sent else {
        return Ok(DEFAULT_LIFETIME_SECONDS);
    };
    match (u32::try_from(sent.seconds), sent.nanos) {
        (Ok(seconds @ 1..=MAX_PRESIGNED_EXPIRES_SECONDS), 0) => Ok(seconds),
        _ => Err((
            "lifetime",
            "must be 1 second to 7 days, in whole seconds".to_owned(),
        )),
    }
}

/// The parameters that name a part.
fn part(
    operation: PresignedOperation,
    upload_id: &str,
    number: i32,
) -> Result<Vec<(&'static str, String)>, Problem> {
    if operation != PresignedOperation::UploadPart {
        for (field, is_given) in [
            ("upload_id", !upload_id.is_empty()),
            ("part_number", number != 0),
        ] {
            if is_given {
                return refused(field, "allowed for UPLOAD_PART only");
            }
        }
        return Ok(Vec::new());
    }
    let upload: UploadId = upload_id
        .parse()
        .map_err(|problem: crate::domain::UploadIdError| ("upload_id", problem.to_string()))?;
    if !(1..=i32::from(MAX_PARTS)).contains(&number) {
        let problem = format!("{number} is not between 1 and {MAX_PARTS}");
        return Err(("part_number", problem));
    }
    Ok(vec![
        ("uploadId", upload.to_string()),
        ("partNumber", number.to_string()),
    ])
}

fn overrides(
    operation: PresignedOperation,
    sent: Option<v1::ResponseOverrides>,
) -> Result<Vec<(&'static str, String)>, Problem> {
    let sent = sent.unwrap_or_default();
    let fields = [
        (
            "response_overrides.content_type",
            "response-content-type",
            sent.content_type,
        ),
        (
            "response_overrides.content_language",
            "response-content-language",
            sent.content_language,
        ),
        (
            "response_overrides.expires",
            "response-expires",
            sent.expires,
        ),
        (
            "response_overrides.cache_control",
            "response-cache-control",
            sent.cache_control,
        ),
        (
            "response_overrides.content_disposition",
            "response-content-disposition",
            sent.content_disposition,
        ),
        (
            "response_overrides.content_encoding",
            "response-content-encoding",
            sent.content_encoding,
        ),
    ];
    let mut query = Vec::new();
    let mut bytes = 0;
    for (field, parameter, value) in fields {
        if value.is_empty() {
            continue;
        }
        bytes += value.len();
        if bytes > MAX_OVERRIDE_BYTES {
            return refused("response_overrides", "at most 4096 bytes in all");
        }
        if operation.is_write() {
            return refused(field, "for GET and HEAD only");
        }
        let problem = "it has control characters, or characters that ISO-8859-1 lacks";
        if !is_latin1_header(&value) {
            return refused(field, problem);
        }
        query.push((parameter, value));
    }
    Ok(query)
}

/// Whether the S3 adapter can send it as a header.
fn is_latin1_header(text: &str) -> bool {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes.is_ok_and(|bytes| HeaderValue::from_bytes(&bytes).is_ok())
}

type Header = Option<(String, String)>;

fn content_type(operation: PresignedOperation, sent: String) -> Result<Header, Problem> {
    const FIELD: &str = "content_type";
    if sent.is_empty() {
        return Ok(None);
    }
    let is_put = operation == PresignedOperation::Put;
    if !is_put {
        return refused(FIELD, "for PUT only");
    }
    // Clients normalize other values, which breaks the signature.
    let is_sent_as_is = sent.bytes().all(|byte| matches!(byte, b' '..=b'~')) && sent.trim() == sent;
    let problem = "it must be printable ASCII without spaces at its ends";
    if !is_sent_as_is {
        return refused(FIELD, problem);
    }
    Ok(Some(("content-type".to_owned(), sent)))
}

fn content_length(operation: PresignedOperation, sent: Option<i64>) -> Result<Header, Problem> {
    const FIELD: &str = "content_length";
    let Some(sent) = sent else {
        return Ok(None);
    };
    if !operation.is_write() {
        return refused(FIELD, "for PUT and UPLOAD_PART only");
    }
    match u64::try_from(sent) {
        Ok(0..=MAX_PUT_BYTES) => Ok(Some(("content-length".to_owned(), sent.to_string()))),
        Ok(_) | Err(_) => Err((
            FIELD,
            format!("{sent} is not between 0 and {MAX_PUT_BYTES}"),
        )),
    }
}

fn checksum(operation: PresignedOperation, sent: Option<v1::Checksum>) -> Result<Header, Problem> {
    let Some(sent) = sent else {
        return Ok(None);
    };
    if !operation.is_write() {
        return refused("checksum", "for PUT and UPLOAD_PART only");
    }
    let algorithm = algorithm_from_proto("checksum.algorithm", sent.algorithm)
        .map_err(|_| {
            (
                "checksum.algorithm",
                format!("unknown algorithm {}", sent.algorithm),
            )
        })?
        .ok_or_else(|| ("checksum.algorithm", "required with a checksum".to_owned()))?;
    if sent.value.len() != algorithm.byte_length() {
        let problem = format!("it is not a {} value", algorithm.name());
        return Err(("checksum.value", problem));
    }
    let is_whole = matches!(
        v1::ChecksumType::try_from(sent.r#type),
        Ok(v1::ChecksumType::Unspecified | v1::ChecksumType::FullObject)
    );
    if !is_whole {
        return refused("checksum.type", "it must be FULL_OBJECT, or not given");
    }
    if sent.part_count != 0 {
        return refused("checksum.part_count", "it must not be given");
    }
    let name = format!("x-amz-checksum-{}", algorithm.name().to_ascii_lowercase());
    Ok(Some((name, STANDARD.encode(&sent.value))))
}

fn refused<T>(field: &'static str, problem: &str) -> Result<T, Problem> {
    Err((field, problem.to_owned()))
}

#[cfg(test)]
mod tests;
