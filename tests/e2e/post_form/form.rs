//! Forms as a browser sends them, signed as the owner of a site signs them.

use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1::{Token, UpdateTokenRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bucketry_tests::sigv4::Signer;
use hmac::{Hmac, KeyInit, Mac};
use prost_types::FieldMask;
use serde_json::{Value, json};
use sha1::Sha1;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::wire::BUCKET;

pub(super) const BOUNDARY: &str = "----WebKitFormBoundary0123456789";

/// A form and its policy.
#[derive(Debug, Clone)]
pub(super) struct Form {
    conditions: Vec<Value>,
    expiration: Value,
    /// The policy as it is signed, instead of the one that the fields make.
    policy: Option<String>,
    fields: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
    behind: Vec<(String, String)>,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    FileLast,
    FileFirst,
}

impl Form {
    /// A form for this bucket and key, both in its policy, which ends in an hour.
    pub(super) fn new(key: &str) -> Self {
        let form = Self {
            conditions: vec![json!({"bucket": BUCKET})],
            expiration: json!(instant(SystemTime::now() + Duration::from_secs(3600))),
            policy: None,
            fields: Vec::new(),
            files: Vec::new(),
            behind: Vec::new(),
            order: Order::FileLast,
        };
        form.field("key", key)
    }

    /// A field that the policy asks for.
    pub(super) fn field(self, name: &str, value: &str) -> Self {
        self.loose(name, value).condition(json!({name: value}))
    }

    /// A field of which the policy asks for a beginning.
    pub(super) fn open_field(self, name: &str, prefix: &str, value: &str) -> Self {
        self.loose(name, value)
            .condition(json!(["starts-with", format!("${name}"), prefix]))
    }

    /// A field that the policy does not speak of.
    pub(super) fn loose(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks only for a beginning of a field that is there.
    pub(super) fn open(mut self, name: &str, prefix: &str) -> Self {
        self.conditions.retain(|known| known.get(name).is_none());
        self.condition(json!(["starts-with", format!("${name}"), prefix]))
    }

    pub(super) fn condition(mut self, condition: Value) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Leaves out what the policy says of the bucket.
    pub(super) fn without_bucket(mut self) -> Self {
        self.conditions
            .retain(|known| known.get("bucket").is_none());
        self
    }

    pub(super) fn expiration(mut self, expiration: Value) -> Self {
        self.expiration = expiration;
        self
    }

    pub(super) fn expires_at(self, at: SystemTime) -> Self {
        self.expiration(json!(instant(at)))
    }

    /// Signs this text for a policy.
    pub(super) fn policy(mut self, document: &str) -> Self {
        self.policy = Some(document.to_owned());
        self
    }

    pub(super) fn file(mut self, name: &str, content: &[u8]) -> Self {
        self.files.push((name.to_owned(), content.to_vec()));
        self
    }

    pub(super) fn after_file(mut self, name: &str, value: &str) -> Self {
        self.behind.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn file_first(mut self) -> Self {
        self.order = Order::FileFirst;
        self
    }

    pub(super) fn signed(self, signer: &Signer) -> Request {
        self.with_signature(signer).unsigned()
    }

    /// Signed by version 2, as boto3 does by default.
    pub(super) fn signed_v2(self, signer: &Signer) -> Request {
        self.with_signature_v2(signer).unsigned()
    }

    fn with_signature_v2(self, signer: &Signer) -> Self {
        let document = self.policy.clone().unwrap_or_else(|| self.document());
        let policy = STANDARD.encode(document);
        let mut mac = Hmac::<Sha1>::new_from_slice(signer.secret_access_key.as_bytes())
            .expect("a key of any length");
        mac.update(policy.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        self.loose("AWSAccessKeyId", &signer.access_key_id)
            .loose("policy", &policy)
            .loose("signature", &signature)
    }

    /// Like `signed_v2`, with a field of the signature changed or left out afterwards.
    pub(super) fn signed_v2_but(self, signer: &Signer, name: &str, value: Option<&str>) -> Request {
        let mut form = self.with_signature_v2(signer);
        form.fields.retain(|(known, _)| known != name);
        if let Some(value) = value {
            form = form.loose(name, value);
        }
        form.unsigned()
    }

    /// As `signed`, with a field of the signature changed or left out afterwards.
    pub(super) fn signed_but(self, signer: &Signer, name: &str, value: Option<&str>) -> Request {
        let mut form = self.with_signature(signer);
        form.fields.retain(|(known, _)| known != name);
        if let Some(value) = value {
            form = form.loose(name, value);
        }
        form.unsigned()
    }

    fn with_signature(self, signer: &Signer) -> Self {
        let now = SystemTime::now();
        let utc = OffsetDateTime::from(now);
        let day = utc
            .format(format_description!("[year][month][day]"))
            .unwrap();
        let time = utc
            .format(format_description!(
                "[year][month][day]T[hour][minute][second]Z"
            ))
            .unwrap();
        let scope = format!("{day}/{}/s3/aws4_request", signer.region);
        let credential = format!("{}/{scope}", signer.access_key_id);
        let form = self
            .field("x-amz-algorithm", "AWS4-HMAC-SHA256")
            .field("x-amz-credential", &credential)
            .field("x-amz-date", &time);
        let document = form.policy.clone().unwrap_or_else(|| form.document());
        let policy = STANDARD.encode(document);
        let key = generate_signing_key(&signer.secret_access_key, now, &signer.region, "s3");
        let signature = calculate_signature(key, policy.as_bytes());
        form.loose("Policy", &policy)
            .loose("x-amz-signature", &signature)
    }

    /// The policy of the fields so far.
    pub(super) fn document(&self) -> String {
        json!({"expiration": self.expiration, "conditions": self.conditions}).to_string()
    }

    pub(super) fn unsigned(self) -> Request {
        let fields = parts(&self.fields);
        let files: Vec<u8> = self
            .files
            .iter()
            .flat_map(|(name, content)| file_part(name, content))
            .collect();
        let mut body = match self.order {
            Order::FileLast => [fields, files].concat(),
            Order::FileFirst => [files, fields].concat(),
        };
        body.extend(parts(&self.behind));
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        Request::new("POST", &format!("/{BUCKET}"))
            .header(
                "content-type",
                &format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .header("content-length", &body.len().to_string())
            .body(body)
    }
}

fn parts(fields: &[(String, String)]) -> Vec<u8> {
    let part = |(name, value): &(String, String)| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    fields.iter().map(part).collect::<String>().into_bytes()
}

fn file_part(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/x-ignored\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn instant(at: SystemTime) -> String {
    OffsetDateTime::from(at).format(&Rfc3339).unwrap()
}

/// Forbids a token the address that tests come from.
pub(super) async fn forbid_loopback(root: &mut Clients, token: &Token) -> Result<(), HarnessError> {
    let token = Token {
        disallowed_ips: vec!["127.0.0.0/8".to_owned()],
        version: 0,
        ..token.clone()
    };
    let update_mask = Some(FieldMask {
        paths: vec!["disallowed_ips".to_owned()],
    });
    let request = UpdateTokenRequest {
        token: Some(token),
        update_mask,
        ..Default::default()
    };
    root.tokens.update_token(request).await?;
    Ok(())
}
