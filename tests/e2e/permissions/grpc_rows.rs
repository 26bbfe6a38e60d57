//! What each permission may do by gRPC, taken from the rules of tokens and not from the contract's annotations.
//!
//! The first row of a method is its plain form; further rows have fields that ask for more.

use bucketry_contract::v1::Permission;

use super::{ALL, BOTH, NONE, READERS, WRITERS};

/// Method, who may call it, and a request that is answered well if it is allowed. What stands in angle brackets is
/// taken from [`super::Facts`].
pub(super) type Row = (&'static str, &'static [Permission], &'static str);

const OBJECT_SERVICE: &[Row] = &[
    ("GetCapabilities", ALL, "{}"),
    ("CreateBucket", ALL, r#"{"bucket": "<BUCKET>"}"#),
    ("CreateBucket", NONE, r#"{"bucket": "<NEW>"}"#),
    ("GetBucket", NONE, r#"{"bucket": "<BUCKET>"}"#),
    (
        "GetBucket",
        READERS,
        r#"{"bucket": "<BUCKET>", "readMask": "tagging,cors,ownershipControls"}"#,
    ),
    // A path on no list is for administrators, and so is any request that includes it.
    (
        "GetBucket",
        NONE,
        r#"{"bucket": "<BUCKET>", "readMask": "tagging,createTime"}"#,
    ),
    (
        "GetBucket",
        NONE,
        r#"{"bucket": "<BUCKET>", "readMask": ""}"#,
    ),
    ("GetBucketAcl", READERS, r#"{"bucket": "<BUCKET>"}"#),
    (
        "PutBucketAcl",
        NONE,
        r#"{"bucket": "<BUCKET>", "acl": {"canned": "CANNED_ACL_PRIVATE"}}"#,
    ),
    (
        "GetObjectAcl",
        READERS,
        r#"{"bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "PutObjectAcl",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "k", "acl": {"canned": "CANNED_ACL_PRIVATE"}}"#,
    ),
    ("HeadBucket", ALL, r#"{"bucket": "<BUCKET>"}"#),
    (
        "UpdateBucket",
        NONE,
        r#"{"bucket": {"name": "<BUCKET>"}, "updateMask": "tagging"}"#,
    ),
    ("DeleteBucket", NONE, r#"{"bucket": "<BUCKET>"}"#),
    ("ListBuckets", ALL, "{}"),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "attributes": {"tagging": {"tags": [{"key": "a"}]}}}}"#,
    ),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "<FRESH>", "precondition": {"ifNoneMatch": ["*"]}}}"#,
    ),
    (
        "PutObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "<FRESH>", "precondition": {"ifGenerationMatch": 0}}}"#,
    ),
    (
        "PutObject",
        BOTH,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": {"ifMatch": ["<ETAG>"]}}}"#,
    ),
    (
        "PutObject",
        BOTH,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": {"ifGenerationMatch": <GENERATION>}}}"#,
    ),
    (
        "PutSmallObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "PutSmallObject",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "<FRESH>", "precondition": {"ifNoneMatch": ["*"]}}}"#,
    ),
    (
        "PutSmallObject",
        BOTH,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": {"ifMatch": ["<ETAG>"]}}}"#,
    ),
    (
        "PutSmallObject",
        BOTH,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": {"ifGenerationMatch": <GENERATION>}}}"#,
    ),
    (
        "GetObject",
        READERS,
        r#"{"bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "GetObject",
        READERS,
        r#"{"bucket": "<BUCKET>", "key": "k", "range": {"start": 1, "end": 2}}"#,
    ),
    (
        "GetSmallObject",
        READERS,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "HeadObject",
        READERS,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "GetObjectAttributes",
        READERS,
        r#"{"bucket": "<BUCKET>", "key": "k", "attributes": ["OBJECT_ATTRIBUTE_SIZE"]}"#,
    ),
    (
        "UpdateObject",
        WRITERS,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k", "attributes": {"tagging": {"tags": [{"key": "a"}]}}},
            "updateMask": "attributes.tagging"}"#,
    ),
    (
        "UpdateObject",
        BOTH,
        r#"{"object": {"bucket": "<BUCKET>", "key": "k"}, "updateMask": "attributes.tagging"}"#,
    ),
    (
        "DeleteObject",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "DeleteObjects",
        BOTH,
        r#"{"bucket": "<BUCKET>", "objects": [{"key": "k"}]}"#,
    ),
    (
        "CopyObject",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "source": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "CopyObject",
        NONE,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "source": {"bucket": "<FOREIGN>", "key": "k"}}"#,
    ),
    ("ListObjects", READERS, r#"{"bucket": "<BUCKET>"}"#),
    (
        "CreateMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "UploadPart",
        WRITERS,
        r#"{"spec": {"bucket": "<BUCKET>", "key": "<FRESH>", "uploadId": "<UPLOAD>", "partNumber": 2}}"#,
    ),
    (
        "UploadPartCopy",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "uploadId": "<UPLOAD>", "partNumber": 2,
            "source": {"bucket": "<BUCKET>", "key": "k"}}"#,
    ),
    (
        "CompleteMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "uploadId": "<UPLOAD>",
            "parts": [{"partNumber": 1, "etag": "<PART>"}]}"#,
    ),
    (
        "CompleteMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "uploadId": "<UPLOAD>",
            "parts": [{"partNumber": 1, "etag": "<PART>"}], "precondition": {"ifNoneMatch": ["*"]}}"#,
    ),
    (
        "CompleteMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "uploadId": "<UPLOAD>",
            "parts": [{"partNumber": 1, "etag": "<PART>"}], "precondition": {"ifGenerationMatch": 0}}"#,
    ),
    (
        "CompleteMultipartUpload",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<OVER>",
            "parts": [{"partNumber": 1, "etag": "<PART>"}], "precondition": {"ifMatch": ["<ETAG>"]}}"#,
    ),
    (
        "CompleteMultipartUpload",
        BOTH,
        r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<OVER>",
            "parts": [{"partNumber": 1, "etag": "<PART>"}], "precondition": {"ifGenerationMatch": <GENERATION>}}"#,
    ),
    (
        "AbortMultipartUpload",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "uploadId": "<UPLOAD>"}"#,
    ),
    (
        "ListParts",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "key": "<FRESH>", "uploadId": "<UPLOAD>"}"#,
    ),
    ("ListMultipartUploads", READERS, r#"{"bucket": "<BUCKET>"}"#),
    ("ListObjectVersions", READERS, r#"{"bucket": "<BUCKET>"}"#),
    ("SearchObjects", READERS, r#"{"bucket": "<BUCKET>"}"#),
    (
        "SearchObjects",
        READERS,
        r#"{"bucket": "<BUCKET>", "contains": "k", "orderBy": "OBJECT_ORDER_SIZE"}"#,
    ),
    ("CreatePresignedUrls", ALL, r#"{"bucket": "<BUCKET>"}"#),
    (
        "CreatePresignedUrls",
        READERS,
        r#"{"bucket": "<BUCKET>", "urls": [{"method": "PRESIGNED_METHOD_GET", "key": "k"}]}"#,
    ),
    (
        "CreatePresignedUrls",
        READERS,
        r#"{"bucket": "<BUCKET>", "urls": [{"method": "PRESIGNED_METHOD_HEAD", "key": "k"}]}"#,
    ),
    (
        "CreatePresignedUrls",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "urls": [{"method": "PRESIGNED_METHOD_PUT", "key": "k"}]}"#,
    ),
    (
        "CreatePresignedUrls",
        WRITERS,
        r#"{"bucket": "<BUCKET>", "urls": [{"method": "PRESIGNED_METHOD_UPLOAD_PART", "key": "<FRESH>",
            "uploadId": "<UPLOAD>", "partNumber": 1}]}"#,
    ),
    (
        "CreatePresignedUrls",
        BOTH,
        r#"{"bucket": "<BUCKET>", "urls": [{"method": "PRESIGNED_METHOD_GET", "key": "k"},
            {"method": "PRESIGNED_METHOD_PUT", "key": "k"}]}"#,
    ),
];

const TOKEN_SERVICE: &[Row] = &[
    (
        "CreateToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "name": "n", "permission": "PERMISSION_READ_ONLY"}"#,
    ),
    (
        "GetToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    ("ListTokens", NONE, r#"{"bucket": "<BUCKET>"}"#),
    (
        "UpdateToken",
        NONE,
        r#"{"token": {"bucket": "<BUCKET>", "tokenId": "<TOKEN>", "name": "n"}, "updateMask": "name"}"#,
    ),
    (
        "ShowTokenSecret",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "CloneToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "SuspendToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "ResumeToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "RevokeToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "GetTokenUsage",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "ListTokenDenials",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "ExplainAccess",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>", "operation": "GetObject", "key": "k",
            "clientAddress": "192.0.2.1"}"#,
    ),
    (
        "ListTokenAuditEvents",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    (
        "PurgeToken",
        NONE,
        r#"{"bucket": "<BUCKET>", "tokenId": "<TOKEN>"}"#,
    ),
    ("DescribeClientAddress", ALL, "{}"),
    ("DescribeCaller", ALL, "{}"),
    ("CreateSession", ALL, "{}"),
    (
        "CreateChallenge",
        ALL,
        r#"{"accessKeyId": "BKTYAAAAAAAAAAAAAAAA", "clientNonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#,
    ),
    // Of no challenge: everybody may answer, and this answer is never right.
    (
        "AnswerChallenge",
        ALL,
        r#"{"accessKeyId": "BKTYAAAAAAAAAAAAAAAA", "clientNonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "serverNonce": "AAAA", "endpoint": "http://localhost", "purpose": "SESSION_PURPOSE_CLIENT"}"#,
    ),
];

const ADMIN_SERVICE: &[Row] = &[
    ("CreateAccount", NONE, r#"{"displayName": "n"}"#),
    ("ListAccounts", NONE, "{}"),
    ("CreateOperatorKey", NONE, r#"{"name": "n"}"#),
    ("CreateEdgeKey", NONE, r#"{"name": "n"}"#),
    (
        "CreateAccountKey",
        NONE,
        r#"{"accountId": "<ACCOUNT>", "name": "n"}"#,
    ),
    ("ListAdminKeys", NONE, r#"{"accountId": "<ACCOUNT>"}"#),
    ("RevokeAdminKey", NONE, r#"{"keyId": "1"}"#),
    ("ListAuditEvents", NONE, "{}"),
    ("GetKeyring", NONE, "{}"),
    ("ReloadKeyring", NONE, "{}"),
];

/// The S3 edge's own, which is not published but served.
const ADAPTER_SERVICE: &[Row] = &[
    (
        "Authorize",
        NONE,
        r#"{"rpc": "GetObject", "operation": "GetObject", "bucket": "<BUCKET>", "key": "k"}"#,
    ),
    (
        "EvaluateCors",
        NONE,
        r#"{"bucket": "<BUCKET>", "origin": "http://example.com", "method": "GET"}"#,
    ),
];

pub(super) const SERVICES: [(&str, &[Row]); 4] = [
    ("bucketry.v1.ObjectService", OBJECT_SERVICE),
    ("bucketry.v1.TokenService", TOKEN_SERVICE),
    ("bucketry.v1.AdminService", ADMIN_SERVICE),
    ("bucketry.adapter.v1.AdapterService", ADAPTER_SERVICE),
];
