//! Names of headers that every request is searched for. A lookup by text would read the name each time.

use http::HeaderName;

pub(crate) static CONTENT_LENGTH: HeaderName = http::header::CONTENT_LENGTH;
pub(crate) static CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
pub(crate) static X_AMZ_CONTENT_SHA256: HeaderName =
    HeaderName::from_static("x-amz-content-sha256");
pub(crate) static X_AMZ_COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
pub(crate) static X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(crate) static X_AMZ_DECODED_CONTENT_LENGTH: HeaderName =
    HeaderName::from_static("x-amz-decoded-content-length");
pub(crate) static X_AMZ_EXPECTED_BUCKET_OWNER: HeaderName =
    HeaderName::from_static("x-amz-expected-bucket-owner");
pub(crate) static X_AMZ_SDK_CHECKSUM_ALGORITHM: HeaderName =
    HeaderName::from_static("x-amz-sdk-checksum-algorithm");
pub(crate) static X_AMZ_SECURITY_TOKEN: HeaderName =
    HeaderName::from_static("x-amz-security-token");
pub(crate) static X_AMZ_SOURCE_EXPECTED_BUCKET_OWNER: HeaderName =
    HeaderName::from_static("x-amz-source-expected-bucket-owner");
pub(crate) static X_AMZ_TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
