//! Explanations, compared with what requests meet.

use std::collections::BTreeSet;

use bucketry_contract::v1::{
    CreateTokenRequest, Credentials, DecisionReason, ExplainAccessRequest, ExplainAccessResponse,
    Permission, SuspendTokenRequest, Token,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Request;
use tonic::Status;

use super::{BUCKET, OTHER_BUCKET, Scene, on_both_engines};
use crate::wire::with_body;

on_both_engines! {
    explanations_agree_with_requests,
    explanations_refuse_what_they_cannot_read,
}

/// An operation, the fields that it has set, and its request below a bucket.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [u8],
);

const TAGGING: &[u8] =
    b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
const DELETE: &[u8] = b"<Delete><Object><Key>none</Key></Object></Delete>";

const ROWS: &[Row] = &[
    ("HeadObject", &[], "HEAD", "/k", &[], b""),
    ("GetObject", &[], "GET", "/k", &[], b""),
    ("GetObjectTagging", &[], "GET", "/k?tagging", &[], b""),
    (
        "GetObjectAttributes",
        &[],
        "GET",
        "/k?attributes",
        &[("x-amz-object-attributes", "ETag")],
        b"",
    ),
    ("ListObjects", &[], "GET", "", &[], b""),
    ("ListObjectsV2", &[], "GET", "?list-type=2", &[], b""),
    ("ListMultipartUploads", &[], "GET", "?uploads", &[], b""),
    ("ListParts", &[], "GET", "/k?uploadId=AAAA", &[], b""),
    ("HeadBucket", &[], "HEAD", "", &[], b""),
    ("GetBucketLocation", &[], "GET", "?location", &[], b""),
    ("GetBucketTagging", &[], "GET", "?tagging", &[], b""),
    ("GetBucketAcl", &[], "GET", "?acl", &[], b""),
    ("ListObjectVersions", &[], "GET", "?versions", &[], b""),
    ("PutBucketTagging", &[], "PUT", "?tagging", &[], TAGGING),
    ("DeleteBucketCors", &[], "DELETE", "?cors", &[], b""),
    ("CreateBucket", &[], "PUT", "", &[], b""),
    ("DeleteBucket", &[], "DELETE", "", &[], b""),
    ("PutObject", &[], "PUT", "/new", &[], b"content"),
    (
        "PutObject",
        &["precondition.if_none_match=*"],
        "PUT",
        "/k",
        &[("if-none-match", "*")],
        b"content",
    ),
    (
        "PutObject",
        &["precondition.if_match"],
        "PUT",
        "/k",
        &[("if-match", "\"other\"")],
        b"content",
    ),
    ("PutObjectTagging", &[], "PUT", "/k?tagging", &[], TAGGING),
    ("DeleteObjectTagging", &[], "DELETE", "/k?tagging", &[], b""),
    ("DeleteObject", &[], "DELETE", "/none", &[], b""),
    (
        "DeleteObjects",
        &[],
        "POST",
        "?delete",
        &[("content-md5", "")],
        DELETE,
    ),
    ("CreateMultipartUpload", &[], "POST", "/k?uploads", &[], b""),
    (
        "AbortMultipartUpload",
        &[],
        "DELETE",
        "/k?uploadId=AAAA",
        &[],
        b"",
    ),
    (
        "CopyObject",
        &[],
        "PUT",
        "/copy",
        &[("x-amz-copy-source", "/token-admin-bucket/k")],
        b"",
    ),
];

impl Scene {
    /// Whether a real request is refused for who asks, from where, or what the token may do.
    fn is_refused(
        &self,
        credentials: &Credentials,
        bucket: &str,
        row: &Row,
    ) -> Result<bool, HarnessError> {
        let (operation, _, method, path, headers, body) = *row;
        let mut request = Request::new(method, &format!("/{bucket}{path}"));
        for &(name, value) in headers {
            request = match name {
                // What S3 asks of a batch delete is a digest of its body.
                "content-md5" => request.header("x-amz-checksum-crc32", &crc32_base64(body)),
                _ => request.header(name, value),
            };
        }
        let response = self.s3(credentials, with_body(request, body))?;
        let code = response.element("Code").unwrap_or_default();
        let refused = response.status == 403;
        assert!(
            !refused
                || method == "HEAD"
                || ["AccessDenied", "InvalidAccessKeyId"].contains(&code.as_str()),
            "{operation}: {code}"
        );
        assert!(
            response.status < 500 && response.status != 400,
            "{operation}: {} {code}",
            response.status
        );
        Ok(refused)
    }

    async fn explain(
        &mut self,
        token: &Token,
        bucket: &str,
        row: &Row,
    ) -> Result<ExplainAccessResponse, Status> {
        let request = ExplainAccessRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
            operation: row.0.to_owned(),
            target_bucket: bucket.to_owned(),
            client_address: "127.0.0.1".to_owned(),
            fields: row.1.iter().map(|&field| field.to_owned()).collect(),
            ..Default::default()
        };
        Ok(self.root.tokens.explain_access(request).await?.into_inner())
    }
}

fn crc32_base64(body: &[u8]) -> String {
    let mut crc = !0_u32;
    for &byte in body {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    base64(&(!crc).to_be_bytes())
}

fn base64(bytes: &[u8; 4]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u32::from_be_bytes(*bytes);
    let digit = |shift: u32| char::from(DIGITS[(bits >> shift & 63) as usize]);
    let last = char::from(DIGITS[((bits & 3) << 4) as usize]);
    [
        digit(26),
        digit(20),
        digit(14),
        digit(8),
        digit(2),
        last,
        '=',
        '=',
    ]
    .iter()
    .collect()
}

#[expect(clippy::print_stdout, reason = "how much was compared is a result")]
async fn explanations_agree_with_requests(scene: &mut Scene) -> Result<(), HarnessError> {
    let put = with_body(Request::new("PUT", &format!("/{BUCKET}/k")), b"content");
    let (_, writer) = scene.token(Permission::ReadWrite).await?;
    assert_eq!(scene.s3(&writer, put)?.status, 200);

    let ips = |allowed: &str, disallowed: &str| CreateTokenRequest {
        permission: Permission::ReadWrite.into(),
        allowed_ips: allowed.split_whitespace().map(str::to_owned).collect(),
        disallowed_ips: disallowed.split_whitespace().map(str::to_owned).collect(),
        ..Default::default()
    };
    let plain = |permission: Permission| CreateTokenRequest {
        permission: permission.into(),
        ..Default::default()
    };
    let made = [
        plain(Permission::ReadOnly),
        plain(Permission::WriteOnly),
        plain(Permission::ReadWrite),
        ips("", "127.0.0.0/8"),
        ips("10.0.0.0/8 ::1", ""),
        ips("127.0.0.0/8", "127.0.0.2"),
        // These two become unusable.
        plain(Permission::ReadWrite),
        plain(Permission::ReadWrite),
    ];
    let mut tokens = Vec::new();
    for settings in made {
        tokens.push(scene.make(settings).await?);
    }
    let suspend = SuspendTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: tokens[6].0.token_id.clone(),
    };
    scene.root.tokens.suspend_token(suspend).await?;
    let revoked = tokens[7].0.token_id.clone();
    scene.revoke(&revoked).await?;

    let (mut compared, mut faults) = (0, Vec::new());
    let mut reasons = BTreeSet::new();
    for (token, credentials) in &tokens {
        for bucket in [BUCKET, OTHER_BUCKET, "no-such-bucket-anywhere"] {
            for row in ROWS {
                let refused = scene.is_refused(credentials, bucket, row)?;
                let explained = scene.explain(token, bucket, row).await?;
                reasons.insert(explained.reason().as_str_name());
                compared += 1;
                if explained.allowed == refused {
                    faults.push(format!(
                        "{bucket} {row:?}: refused: {refused}; {explained:?}"
                    ));
                }
                assert_eq!(explained.client_address, "127.0.0.1");
                assert!(!explained.rule.is_empty());
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(compared, tokens.len() * 3 * ROWS.len());
    println!("explanations compared with requests: {compared}");
    let wanted = [
        DecisionReason::Permitted,
        DecisionReason::Suspended,
        DecisionReason::Revoked,
        DecisionReason::AddressDisallowed,
        DecisionReason::AddressNotAllowed,
        DecisionReason::OtherBucket,
        DecisionReason::Permission,
        DecisionReason::AdministratorsOnly,
    ];
    assert_eq!(
        reasons,
        wanted.iter().map(DecisionReason::as_str_name).collect()
    );
    Ok(())
}

async fn explanations_refuse_what_they_cannot_read(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let asked = ExplainAccessRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
        operation: "GetObject".to_owned(),
        ..Default::default()
    };
    let tokens = &mut scene.root.tokens;
    let allowed = tokens.explain_access(asked.clone()).await?.into_inner();
    assert!(allowed.allowed && allowed.client_address.is_empty());
    for (wrong, named) in [
        (
            ExplainAccessRequest {
                operation: "getObject".to_owned(),
                ..asked.clone()
            },
            "did you mean GetObject",
        ),
        (
            ExplainAccessRequest {
                client_address: "10.0.0.0/8".to_owned(),
                ..asked.clone()
            },
            "10.0.0.0/8",
        ),
        (
            ExplainAccessRequest {
                fields: vec!["range".to_owned()],
                ..asked.clone()
            },
            "range",
        ),
        (
            ExplainAccessRequest {
                key: "k".repeat(1_025),
                ..asked.clone()
            },
            "1,024",
        ),
        (
            ExplainAccessRequest {
                target_bucket: "No Bucket".to_owned(),
                ..asked.clone()
            },
            "No Bucket",
        ),
    ] {
        let Err(status) = tokens.explain_access(wrong).await else {
            panic!("{named} was taken");
        };
        assert!(status.message().contains(named), "{status:?}");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
    }
    Ok(())
}
