//! XML documents and messages of gRPC that cannot be read.

use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, call, channel};
use bucketry_tests::http1::Request;
use bytes::Bytes;
use tonic_types::StatusExt;

use super::{all_refused, nothing_is_left};
use crate::wire::{BUCKET, Wire, with_body};

#[tokio::test]
async fn malformed_documents_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let unsigned = |query: &str, body: &str| {
        let request = Request::new("POST", &format!("/{BUCKET}{query}"))
            .header("host", &wire.server.address().to_string());
        with_body(request, body.as_bytes())
    };
    let post = |query: &str, body: &str| wire.signed(unsigned(query, body));
    // A batch delete needs a digest of its body.
    let delete = |body: &str, crc32: &str| {
        wire.signed(unsigned("?delete", body).header("x-amz-checksum-crc32", crc32))
    };
    let many = format!(
        "<Delete>{}</Delete>",
        "<Object><Key>k</Key></Object>".repeat(1001)
    );
    let deep = format!(
        "<Delete>{}{}</Delete>",
        "<a>".repeat(500),
        "</a>".repeat(500)
    );
    let entity = "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete><Object><Key>&b;</Key></Object></Delete>";
    let part = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
    let malformed = "MalformedXML";
    let cases = vec![
        (
            "nothing",
            post("?delete", "")?,
            400,
            "MissingRequestBodyError",
        ),
        ("no XML", post("?delete", "none")?, 400, malformed),
        (
            "half of it",
            post("?delete", "<Delete><Object>")?,
            400,
            malformed,
        ),
        (
            "another root",
            post("?delete", "<Remove/>")?,
            400,
            malformed,
        ),
        (
            "no digest",
            post("?delete", "<Delete/>")?,
            400,
            "InvalidRequest",
        ),
        (
            "no objects",
            delete("<Delete/>", "DY2k5w==")?,
            400,
            malformed,
        ),
        ("1,001 objects", delete(&many, "74B9uw==")?, 400, malformed),
        ("500 levels", post("?delete", &deep)?, 400, malformed),
        ("an entity", post("?delete", entity)?, 400, malformed),
        (
            "no parts",
            post("/k?uploadId=u", "<CompleteMultipartUpload/>")?,
            400,
            malformed,
        ),
        (
            "no upload",
            post("/k?uploadId=u", part)?,
            404,
            "NoSuchUpload",
        ),
    ];
    all_refused(&wire, cases).await
}

#[tokio::test]
async fn messages_that_are_not_protobuf_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let bearer = Bearer::token(&wire.credentials)?;
    for method in [
        "PutSmallObject",
        "PutObject",
        "DeleteObjects",
        "CompleteMultipartUpload",
    ] {
        let path = format!("/bucketry.v1.ObjectService/{method}");
        let message = Bytes::from_static(b"\x0a\xff\xff\xff\xff\x0f");
        let status = call(channel(&wire.server).await?, Some(&bearer), &path, message)
            .await
            .unwrap_err();
        let reason = status.get_details_error_info().map(|info| info.reason);
        assert_eq!(
            reason.as_deref(),
            Some("INVALID_REQUEST"),
            "{method}: {status:?}"
        );
    }
    nothing_is_left(&wire).await
}
