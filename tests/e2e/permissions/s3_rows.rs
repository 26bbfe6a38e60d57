//! What each permission may do by S3, taken from the rules of tokens and not from the contract's annotations.

use bucketry_contract::v1::Permission;

use super::{ALL, BOTH, NONE, READERS, WRITERS};

/// One row: a request and who may make it. What stands in angle brackets is taken from [`super::Facts`]; `<SHA256>` is
/// the body's digest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The operation, as S3 calls it.
    pub(super) operation: &'static str,
    /// Who may.
    pub(super) may: &'static [Permission],
    pub(super) method: &'static str,
    pub(super) target: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: &'static str,
    /// The status for those who may.
    pub(super) status: u16,
}

const fn row(
    operation: &'static str,
    may: &'static [Permission],
    method: &'static str,
    target: &'static str,
    status: u16,
) -> Row {
    Row {
        operation,
        may,
        method,
        target,
        headers: &[],
        body: "",
        status,
    }
}

impl Row {
    const fn with(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    const fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }
}

const TAGGING: &str = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
const CORS: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>\
                    <AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
const OWNERSHIP: &str = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>\
                         </OwnershipControls>";
const PARTS: &str = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag><PART></ETag></Part>\
                     </CompleteMultipartUpload>";
const DELETE: &str = "<Delete><Object><Key>k</Key></Object></Delete>";
const DIGEST: &[(&str, &str)] = &[("x-amz-checksum-sha256", "<SHA256>")];

pub(super) const READS: &[Row] = &[
    row("GetObject", READERS, "GET", "/<BUCKET>/k", 200),
    row("GetObject", READERS, "GET", "/<BUCKET>/k", 206).with(&[("range", "bytes=0-1")]),
    row("GetObject", READERS, "GET", "/<BUCKET>/k?partNumber=1", 206),
    row(
        "GetObject",
        READERS,
        "GET",
        "/<BUCKET>/k?versionId=null",
        200,
    ),
    row(
        "GetObject",
        READERS,
        "GET",
        "/<BUCKET>/k?response-content-type=text%2Fplain",
        200,
    ),
    row("GetObject", READERS, "GET", "/<BUCKET>/k", 304).with(&[("if-none-match", "<ETAG>")]),
    row("GetObject", READERS, "GET", "/<BUCKET>/k", 412).with(&[("if-match", "\"0\"")]),
    row("GetObject", READERS, "GET", "/<BUCKET>/k", 412)
        .with(&[("if-unmodified-since", "Wed, 01 Jan 2020 00:00:00 GMT")]),
    row("GetObject", READERS, "GET", "/<BUCKET>/missing", 404),
    row("HeadObject", READERS, "HEAD", "/<BUCKET>/k", 200),
    row("HeadObject", READERS, "HEAD", "/<BUCKET>/k", 304).with(&[("if-none-match", "<ETAG>")]),
    row("HeadObject", READERS, "HEAD", "/<BUCKET>/missing", 404),
    row(
        "GetObjectAttributes",
        READERS,
        "GET",
        "/<BUCKET>/k?attributes",
        200,
    )
    .with(&[("x-amz-object-attributes", "ETag,ObjectSize")]),
    row(
        "GetObjectTagging",
        READERS,
        "GET",
        "/<BUCKET>/k?tagging",
        200,
    ),
    row("ListObjects", READERS, "GET", "/<BUCKET>", 200),
    row(
        "ListObjectsV2",
        READERS,
        "GET",
        "/<BUCKET>?list-type=2",
        200,
    ),
    row(
        "ListObjectVersions",
        READERS,
        "GET",
        "/<BUCKET>?versions",
        200,
    ),
    row(
        "ListMultipartUploads",
        READERS,
        "GET",
        "/<BUCKET>?uploads",
        200,
    ),
    row("HeadBucket", ALL, "HEAD", "/<BUCKET>", 200),
    row("GetBucketLocation", ALL, "GET", "/<BUCKET>?location", 200),
    row(
        "GetBucketVersioning",
        ALL,
        "GET",
        "/<BUCKET>?versioning",
        200,
    ),
    row("ListBuckets", ALL, "GET", "/", 200),
];

pub(super) const WRITES: &[Row] = &[
    row("PostObject", WRITERS, "POST", "/<BUCKET>", 204).body("x"),
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 200).body("x"),
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 200)
        .with(&[("x-amz-tagging", "a=b")])
        .body("x"),
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 200).with(&[("x-amz-acl", "private")]),
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 200)
        .with(&[("x-amz-acl", "bucket-owner-full-control")]),
    // ACLs are off, so that every other one is refused to all that may write.
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 400).with(&[("x-amz-acl", "public-read")]),
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 400).with(&[("x-amz-grant-read", "id=1")]),
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 501)
        .with(&[("x-amz-object-lock-mode", "GOVERNANCE")]),
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/<FRESH>", 200).with(&[("if-none-match", "*")]),
    // It tells that the key exists, and nothing else.
    row("PutObject", WRITERS, "PUT", "/<BUCKET>/k", 412).with(&[("if-none-match", "*")]),
    row("PutObject", BOTH, "PUT", "/<BUCKET>/k", 200).with(&[("if-match", "<ETAG>")]),
    row("PutObject", BOTH, "PUT", "/<BUCKET>/k", 412).with(&[("if-match", "\"0\"")]),
    // It tells whether the ETag is that one.
    row("PutObject", BOTH, "PUT", "/<BUCKET>/k", 501).with(&[("if-none-match", "<ETAG>")]),
    row("PutObject", BOTH, "PUT", "/<BUCKET>/missing", 404).with(&[("if-match", "\"0\"")]),
    row(
        "PutObjectTagging",
        WRITERS,
        "PUT",
        "/<BUCKET>/k?tagging",
        200,
    )
    .body(TAGGING),
    row(
        "CreateMultipartUpload",
        WRITERS,
        "POST",
        "/<BUCKET>/k?uploads",
        200,
    ),
    row(
        "CreateMultipartUpload",
        WRITERS,
        "POST",
        "/<BUCKET>/k?uploads",
        200,
    )
    .with(&[("x-amz-tagging", "a=b"), ("x-amz-acl", "private")]),
    row(
        "UploadPart",
        WRITERS,
        "PUT",
        "/<BUCKET>/<FRESH>?partNumber=2&uploadId=<UPLOAD>",
        200,
    )
    .body("x"),
    row(
        "ListParts",
        WRITERS,
        "GET",
        "/<BUCKET>/<FRESH>?uploadId=<UPLOAD>",
        200,
    ),
    row(
        "CompleteMultipartUpload",
        WRITERS,
        "POST",
        "/<BUCKET>/<FRESH>?uploadId=<UPLOAD>",
        200,
    )
    .body(PARTS),
    row(
        "CompleteMultipartUpload",
        WRITERS,
        "POST",
        "/<BUCKET>/<FRESH>?uploadId=<UPLOAD>",
        200,
    )
    .with(&[("if-none-match", "*")])
    .body(PARTS),
    row(
        "CompleteMultipartUpload",
        WRITERS,
        "POST",
        "/<BUCKET>/k?uploadId=<OVER>",
        412,
    )
    .with(&[("if-none-match", "*")])
    .body(PARTS),
    row(
        "CompleteMultipartUpload",
        BOTH,
        "POST",
        "/<BUCKET>/k?uploadId=<OVER>",
        200,
    )
    .with(&[("if-match", "<ETAG>")])
    .body(PARTS),
    row(
        "AbortMultipartUpload",
        WRITERS,
        "DELETE",
        "/<BUCKET>/<FRESH>?uploadId=<UPLOAD>",
        204,
    ),
    row("CopyObject", BOTH, "PUT", "/<BUCKET>/<FRESH>", 200)
        .with(&[("x-amz-copy-source", "/<BUCKET>/k")]),
    row("CopyObject", BOTH, "PUT", "/<BUCKET>/k", 200).with(&[
        ("x-amz-copy-source", "/<BUCKET>/k"),
        ("x-amz-metadata-directive", "REPLACE"),
    ]),
    row("CopyObject", NONE, "PUT", "/<BUCKET>/<FRESH>", 200)
        .with(&[("x-amz-copy-source", "/<SISTER>/k")]),
    row("CopyObject", NONE, "PUT", "/<BUCKET>/<FRESH>", 200)
        .with(&[("x-amz-copy-source", "/<FOREIGN>/k")]),
    row(
        "UploadPartCopy",
        BOTH,
        "PUT",
        "/<BUCKET>/<FRESH>?partNumber=2&uploadId=<UPLOAD>",
        200,
    )
    .with(&[("x-amz-copy-source", "/<BUCKET>/k")]),
    row(
        "UploadPartCopy",
        NONE,
        "PUT",
        "/<BUCKET>/<FRESH>?partNumber=2&uploadId=<UPLOAD>",
        200,
    )
    .with(&[("x-amz-copy-source", "/<SISTER>/k")]),
    row("DeleteObject", BOTH, "DELETE", "/<BUCKET>/k", 204),
    row("DeleteObject", BOTH, "DELETE", "/<BUCKET>/missing", 204),
    row(
        "DeleteObject",
        BOTH,
        "DELETE",
        "/<BUCKET>/k?versionId=null",
        204,
    ),
    row("DeleteObjects", BOTH, "POST", "/<BUCKET>?delete", 200)
        .with(DIGEST)
        .body(DELETE),
    row(
        "DeleteObjectTagging",
        BOTH,
        "DELETE",
        "/<BUCKET>/k?tagging",
        204,
    ),
];

/// Settings for administrators; settings that callers with read access see; and requests that a token may make although
/// they change nothing.
pub(super) const BUCKETS: &[Row] = &[
    row("CreateBucket", ALL, "PUT", "/<BUCKET>", 200),
    row("CreateBucket", NONE, "PUT", "/<NEW>", 200),
    row("CreateBucket", NONE, "PUT", "/<SISTER>", 200),
    row("DeleteBucket", NONE, "DELETE", "/<BUCKET>", 204),
    // Settings that are not implemented yet.
    row(
        "GetBucketLifecycleConfiguration",
        READERS,
        "GET",
        "/<BUCKET>?lifecycle",
        404,
    ),
    row(
        "GetBucketEncryption",
        READERS,
        "GET",
        "/<BUCKET>?encryption",
        404,
    ),
    row(
        "GetObjectLockConfiguration",
        READERS,
        "GET",
        "/<BUCKET>?object-lock",
        404,
    ),
    row("GetBucketPolicy", NONE, "GET", "/<BUCKET>?policy", 200),
    row(
        "GetBucketPolicyStatus",
        NONE,
        "GET",
        "/<BUCKET>?policyStatus",
        200,
    ),
    row("GetBucketWebsite", NONE, "GET", "/<BUCKET>?website", 200),
    row(
        "GetBucketReplication",
        NONE,
        "GET",
        "/<BUCKET>?replication",
        200,
    ),
    row("GetBucketLogging", NONE, "GET", "/<BUCKET>?logging", 200),
    row(
        "GetBucketNotificationConfiguration",
        NONE,
        "GET",
        "/<BUCKET>?notification",
        200,
    ),
    row(
        "GetBucketAccelerateConfiguration",
        NONE,
        "GET",
        "/<BUCKET>?accelerate",
        200,
    ),
    row(
        "GetBucketRequestPayment",
        NONE,
        "GET",
        "/<BUCKET>?requestPayment",
        200,
    ),
    row(
        "GetPublicAccessBlock",
        NONE,
        "GET",
        "/<BUCKET>?publicAccessBlock",
        200,
    ),
    // Nothing is granted to others, and every listing already shows the owner to callers that may read.
    row("GetBucketAcl", READERS, "GET", "/<BUCKET>?acl", 200),
    row("PutBucketAcl", NONE, "PUT", "/<BUCKET>?acl", 200).with(&[("x-amz-acl", "private")]),
    row("GetObjectAcl", READERS, "GET", "/<BUCKET>/k?acl", 200),
    row("GetObjectAcl", READERS, "GET", "/<BUCKET>/missing?acl", 404),
    row("PutObjectAcl", BOTH, "PUT", "/<BUCKET>/k?acl", 200).with(&[("x-amz-acl", "private")]),
    row("PutObjectAcl", BOTH, "PUT", "/<BUCKET>/k?acl", 400).with(&[("x-amz-acl", "public-read")]),
    row("PutObjectAcl", BOTH, "PUT", "/<BUCKET>/k?acl", 400).with(&[("x-amz-grant-read", "id=1")]),
    row("GetBucketTagging", READERS, "GET", "/<BUCKET>?tagging", 200),
    row("PutBucketTagging", NONE, "PUT", "/<BUCKET>?tagging", 204).body(TAGGING),
    row(
        "DeleteBucketTagging",
        NONE,
        "DELETE",
        "/<BUCKET>?tagging",
        204,
    ),
    row("GetBucketCors", READERS, "GET", "/<BUCKET>?cors", 200),
    row("PutBucketCors", NONE, "PUT", "/<BUCKET>?cors", 200).body(CORS),
    row("DeleteBucketCors", NONE, "DELETE", "/<BUCKET>?cors", 204),
    row(
        "GetBucketOwnershipControls",
        READERS,
        "GET",
        "/<BUCKET>?ownershipControls",
        200,
    ),
    row(
        "PutBucketOwnershipControls",
        NONE,
        "PUT",
        "/<BUCKET>?ownershipControls",
        200,
    )
    .body(OWNERSHIP),
    row(
        "DeleteBucketOwnershipControls",
        NONE,
        "DELETE",
        "/<BUCKET>?ownershipControls",
        204,
    ),
];

/// What S3 knows and this server does not: the same 501 for everybody. Each has its row above once it is there.
pub(super) const NOT_THERE: &[Row] = &[
    row("RenameObject", NONE, "PUT", "/<BUCKET>/k?renameObject", 501),
    row("PutBucketPolicy", NONE, "PUT", "/<BUCKET>?policy", 501),
];
