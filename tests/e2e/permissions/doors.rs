//! The ways in which an S3 request says who makes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Request;
use bucketry_tests::sigv4::{Payload, Signer};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;
use sha2::Sha256;
use time::OffsetDateTime;

/// A front door of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Signature version 4 in the `Authorization` header.
    Header,
    /// The same, with the bucket in the host's name.
    VirtualHost,
    /// The same in the query.
    Presigned,
    /// Signature version 2 in the query: for GET, HEAD and PUT only.
    PresignedV2,
    /// A form with a signed policy: for the one operation that is made so.
    Form,
    /// The same, signed by version 2.
    FormV2,
}

const DOORS: [Door; 4] = [
    Door::Header,
    Door::VirtualHost,
    Door::Presigned,
    Door::PresignedV2,
];

/// The doors that an operation can come through at all.
pub(super) fn doors(operation: &str) -> &'static [Door] {
    match operation {
        "PostObject" => &[Door::Form, Door::FormV2],
        _ => &DOORS,
    }
}

/// The sub-resources that signature version 2 signs, as far as the rows use them.
const SIGNED_BY_V2: [&str; 22] = [
    "accelerate",
    "acl",
    "cors",
    "delete",
    "encryption",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-content-type",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

impl Door {
    /// What the door itself makes of a request, whoever makes it: status and code of the refusal, none if it lets pass.
    pub(super) fn own_refusal(self, request: &Request) -> Option<(u16, &'static str)> {
        if self != Self::PresignedV2 {
            return None;
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD" | "PUT") {
            return Some((400, "InvalidRequest"));
        }
        let unsigned = parameters(&request.target).any(|name| !SIGNED_BY_V2.contains(&name));
        unsigned.then_some((400, "InvalidArgument"))
    }

    /// The request as it is made through this door; by nobody if there is no signer.
    pub(super) fn signed(
        self,
        signer: Option<&Signer>,
        request: Request,
    ) -> Result<Request, HarnessError> {
        let now = SystemTime::now();
        match (self, signer) {
            (Self::Form, signer) => Ok(form(signer.map(signed_policy), request)),
            (Self::FormV2, signer) => Ok(form(signer.map(policy_signed_by_v2), request)),
            (_, None) => Ok(request),
            (Self::Header, Some(signer)) => signer.header(request, now, Payload::Signed),
            (Self::VirtualHost, Some(signer)) => {
                signer.header(virtual_host(request), now, Payload::Signed)
            }
            (Self::Presigned, Some(signer)) => {
                signer.presign(request, now, Duration::from_secs(60))
            }
            (Self::PresignedV2, Some(signer)) => presign_v2(signer, request, now),
        }
    }
}

/// The request with its bucket moved from the path to the host.
fn virtual_host(mut request: Request) -> Request {
    let port = request.find("host").and_then(|host| host.rsplit_once(':'));
    let port = port.map_or_else(String::new, |(_, port)| format!(":{port}"));
    let path = request.target.trim_start_matches('/').to_owned();
    let end = path.find(['/', '?']).unwrap_or(path.len());
    let (bucket, rest) = path.split_at(end);
    let host = match bucket {
        "" => format!("localhost{port}"),
        bucket => format!("{bucket}.localhost{port}"),
    };
    request.target = match rest.starts_with('/') {
        true => rest.to_owned(),
        false => format!("/{rest}"),
    };
    request.headers.retain(|(name, _)| name != "host");
    request.headers.insert(0, ("host".to_owned(), host));
    request
}

/// The request's body as the file of a form, for the key `k`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html>
fn form(signature: Option<Vec<(String, String)>>, request: Request) -> Request {
    const BOUNDARY: &str = "boundary-of-the-walk";
    let mut fields = vec![("key".to_owned(), "k".to_owned())];
    fields.extend(signature.into_iter().flatten());
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend(part.into_bytes());
    }
    let file = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
    );
    body.extend(file.into_bytes());
    body.extend(&request.body);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
    let mut posted = request;
    posted.headers.retain(|(name, _)| name != "content-length");
    posted
        .header(
            "content-type",
            &format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .header("content-length", &body.len().to_string())
        .body(body)
}

/// The same by version 2.
fn policy_signed_by_v2(signer: &Signer) -> Vec<(String, String)> {
    let policy = open_policy(["bucket", "key"].into_iter(), OffsetDateTime::now_utc());
    let mac = Hmac::<Sha1>::new_from_slice(signer.secret_access_key.as_bytes());
    let mut mac = mac.expect("a key of any length");
    mac.update(policy.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let id = signer.access_key_id.clone();
    [
        ("AWSAccessKeyId", id),
        ("policy", policy),
        ("signature", signature),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// A policy that allows any value of these fields for a minute, in base64.
fn open_policy<'a>(names: impl Iterator<Item = &'a str>, now: OffsetDateTime) -> String {
    let conditions: Vec<_> = names
        .map(|name| serde_json::json!(["starts-with", format!("${name}"), ""]))
        .collect();
    let end = now + Duration::from_secs(60);
    let expiration = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
        end.year(),
        u8::from(end.month()),
        end.day(),
        end.hour(),
        end.minute(),
        end.second()
    );
    let policy = serde_json::json!({"expiration": expiration, "conditions": conditions});
    STANDARD.encode(policy.to_string())
}

/// A policy that allows anything for a minute, with its signature.
fn signed_policy(signer: &Signer) -> Vec<(String, String)> {
    let now = OffsetDateTime::now_utc();
    let day = format!(
        "{:04}{:02}{:02}",
        now.year(),
        u8::from(now.month()),
        now.day()
    );
    let date = format!(
        "{day}T{:02}{:02}{:02}Z",
        now.hour(),
        now.minute(),
        now.second()
    );
    let credential = format!(
        "{}/{day}/{}/s3/aws4_request",
        signer.access_key_id, signer.region
    );
    let fields = [
        ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("x-amz-credential", credential),
        ("x-amz-date", date),
    ];
    let names = ["bucket", "key"]
        .into_iter()
        .chain(fields.iter().map(|(name, _)| *name));
    let policy = open_policy(names, now);
    let mac = |key: Vec<u8>, text: &str| -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(&key);
        let mut mac = mac.expect("a key of any length");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let secret = format!("AWS4{}", signer.secret_access_key).into_bytes();
    let key = [day.as_str(), &signer.region, "s3", "aws4_request"];
    let signature = mac(key.into_iter().fold(secret, mac), &policy);
    let mut signed: Vec<(String, String)> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    signed.push(("policy".to_owned(), policy));
    signed.push(("x-amz-signature".to_owned(), hex::encode(signature)));
    signed
}

fn parameters(target: &str) -> impl Iterator<Item = &str> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            parameter
                .split_once('=')
                .map_or(parameter, |(name, _)| name)
        })
}

/// Signature version 2 in the query.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>
fn presign_v2(
    signer: &Signer,
    mut request: Request,
    now: SystemTime,
) -> Result<Request, HarnessError> {
    let expires = now + Duration::from_secs(60);
    let expires = expires
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut text = format!("{}\n", request.method);
    for name in ["content-md5", "content-type"] {
        text.push_str(request.find(name).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("{expires}\n"));
    let mut headers: Vec<&(String, String)> = request.headers.iter().collect();
    headers.retain(|(name, _)| name.starts_with("x-amz-"));
    headers.sort();
    for (name, value) in headers {
        text.push_str(&format!("{name}:{value}\n"));
    }
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    text.push_str(path);
    let mut signed: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    signed.sort_unstable();
    for (place, parameter) in signed.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(&percent_decode_str(parameter).decode_utf8_lossy());
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(signer.secret_access_key.as_bytes())
        .map_err(|error| HarnessError::Sign(error.to_string()))?;
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let signature = utf8_percent_encode(&signature, NON_ALPHANUMERIC);
    let separator = if query.is_empty() { '?' } else { '&' };
    request.target.push_str(&format!(
        "{separator}AWSAccessKeyId={}&Expires={expires}&Signature={signature}",
        signer.access_key_id
    ));
    Ok(request)
}
