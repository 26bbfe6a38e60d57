//! Signatures as AWS's own library makes them: the second opinion on the server's verifier.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningInstructions, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::{SigningParams, sign_chunk, sign_trailer};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::http::Headers;
use bytes::Bytes;

use crate::error::HarnessError;
use crate::http1::Request;

/// Who signs, and for which region.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The region, `us-east-1` unless the server was told otherwise.
    pub region: String,
}

/// How the signature covers the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// By its SHA-256.
    Signed,
    /// Not at all: `UNSIGNED-PAYLOAD`.
    Unsigned,
}

/// How an `aws-chunked` body is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunked {
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: each chunk is signed.
    Signed,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: each chunk and the trailer, a header name and value.
    SignedTrailer(String, String),
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: only the trailer's value speaks for the chunks.
    UnsignedTrailer(String, String),
}

impl Signer {
    /// A signer for `us-east-1`.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str) -> Self {
        crate::secrets::remember(secret_access_key);
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            region: "us-east-1".to_owned(),
        }
    }

    /// Adds the headers `x-amz-date`, `x-amz-content-sha256` and `authorization`. The request must have a `host`
    /// header; all headers that it has are signed.
    ///
    /// # Errors
    /// The request cannot be signed: no host, or a target that is no URI.
    pub fn header(
        &self,
        mut request: Request,
        time: SystemTime,
        payload: Payload,
    ) -> Result<Request, HarnessError> {
        let (instructions, _) = {
            let body = match payload {
                Payload::Signed => SignableBody::Bytes(&request.body),
                Payload::Unsigned => SignableBody::UnsignedPayload,
            };
            self.sign(&request, time, header_settings(), body)?
        };
        add_headers(&mut request, &instructions);
        Ok(request)
    }

    /// Adds the `X-Amz-*` query parameters of a presigned request.
    ///
    /// # Errors
    /// As `header`.
    pub fn presign(
        &self,
        mut request: Request,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Request, HarnessError> {
        let mut settings = header_settings();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.expires_in = Some(expires);
        let (instructions, _) =
            self.sign(&request, time, settings, SignableBody::UnsignedPayload)?;
        for (name, value) in instructions.params() {
            let separator = if request.target.contains('?') {
                '&'
            } else {
                '?'
            };
            let value = percent_encode(value);
            request
                .target
                .push_str(&format!("{separator}{name}={value}"));
        }
        Ok(request)
    }

    /// Signs the headers and makes an `aws-chunked` body of the chunks, with a last empty one. Adds `content-length`,
    /// `content-encoding`, `x-amz-decoded-content-length` and, for a trailer, `x-amz-trailer`.
    ///
    /// # Errors
    /// As `header`.
    pub fn chunked(
        &self,
        request: Request,
        time: SystemTime,
        chunks: &[Bytes],
        mode: &Chunked,
    ) -> Result<Request, HarnessError> {
        let decoded: usize = chunks.iter().map(Bytes::len).sum();
        let mut request = request
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", &decoded.to_string());
        let body = match mode {
            Chunked::Signed => {
                SignableBody::Precomputed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned())
            }
            Chunked::SignedTrailer(..) => SignableBody::StreamingSignedPayloadTrailer,
            Chunked::UnsignedTrailer(..) => SignableBody::StreamingUnsignedPayloadTrailer,
        };
        if let Chunked::SignedTrailer(name, _) | Chunked::UnsignedTrailer(name, _) = mode {
            request = request.header("x-amz-trailer", name);
        }
        let (instructions, seed) = self.sign(&request, time, header_settings(), body)?;
        add_headers(&mut request, &instructions);
        request.body = match mode {
            Chunked::Signed => self.signed_chunks(time, &seed, chunks)?.0,
            Chunked::SignedTrailer(name, value) => {
                let (body, last) = self.signed_chunks(time, &seed, chunks)?;
                self.with_signed_trailer(time, body, &last, (name, value))?
            }
            Chunked::UnsignedTrailer(name, value) => unsigned_chunks(chunks, (name, value)),
        };
        let length = request.body.len().to_string();
        Ok(request.header("content-length", &length))
    }

    fn identity(&self) -> Identity {
        Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            None,
            None,
            "test",
        )
        .into()
    }

    fn sign(
        &self,
        request: &Request,
        time: SystemTime,
        settings: SigningSettings,
        body: SignableBody<'_>,
    ) -> Result<(SigningInstructions, String), HarnessError> {
        let host = request
            .find("host")
            .ok_or_else(|| HarnessError::Sign("the request has no host header".to_owned()))?;
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let uri = format!("http://{host}{}", request.target);
        let signable = SignableRequest::new(&request.method, uri, headers, body).map_err(fault)?;
        let identity = self.identity();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(time)
            .settings(settings)
            .build()
            .map_err(fault)?
            .into();
        Ok(sign(signable, &params).map_err(fault)?.into_parts())
    }

    /// The body so far and the signature of its last chunk. The last chunk has no end of line of its own: what
    /// follows depends on the mode.
    fn signed_chunks(
        &self,
        time: SystemTime,
        seed: &str,
        chunks: &[Bytes],
    ) -> Result<(Vec<u8>, String), HarnessError> {
        let mut body = Vec::new();
        let mut running = seed.to_owned();
        for chunk in chunks.iter().chain([&Bytes::new()]) {
            running = self.with_params(time, |params| {
                Ok(sign_chunk(chunk, &running, params)
                    .map_err(fault)?
                    .into_parts()
                    .1)
            })?;
            body.extend(format!("{:x};chunk-signature={running}\r\n", chunk.len()).into_bytes());
            body.extend_from_slice(chunk);
            if !chunk.is_empty() {
                body.extend_from_slice(b"\r\n");
            }
        }
        body.extend_from_slice(b"\r\n");
        Ok((body, running))
    }

    fn with_signed_trailer(
        &self,
        time: SystemTime,
        mut body: Vec<u8>,
        last: &str,
        (name, value): (&str, &str),
    ) -> Result<Vec<u8>, HarnessError> {
        let mut headers = Headers::new();
        headers.insert(name.to_owned(), value.to_owned());
        let signature = self.with_params(time, |params| {
            Ok(sign_trailer(&headers, last, params)
                .map_err(fault)?
                .into_parts()
                .1)
        })?;
        // The empty line that closes a body without trailer.
        body.truncate(body.len().saturating_sub(2));
        body.extend(
            format!("{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n").into_bytes(),
        );
        Ok(body)
    }

    fn with_params<T>(
        &self,
        time: SystemTime,
        then: impl FnOnce(&SigningParams<'_, ()>) -> Result<T, HarnessError>,
    ) -> Result<T, HarnessError> {
        let identity = self.identity();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(time)
            .settings(())
            .build()
            .map_err(fault)?;
        then(&params)
    }
}

fn header_settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    // S3 alone signs the path as it is sent.
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.excluded_headers = Some(vec![
        Cow::Borrowed("content-length"),
        Cow::Borrowed("user-agent"),
    ]);
    settings
}

fn unsigned_chunks(chunks: &[Bytes], (name, value): (&str, &str)) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend(format!("0\r\n{name}:{value}\r\n\r\n").into_bytes());
    body
}

fn add_headers(request: &mut Request, instructions: &SigningInstructions) {
    for (name, value) in instructions.headers() {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
}

fn percent_encode(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn fault(error: impl std::error::Error) -> HarnessError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    HarnessError::Sign(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2013-05-24T00:00:00Z, the time of the examples in S3's documentation.
    fn documented_time() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
    }

    fn documented_signer() -> Signer {
        Signer::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        )
    }

    #[test]
    fn signs_the_documented_get() {
        let request = Request::new("GET", "/test.txt")
            .header("host", "examplebucket.s3.amazonaws.com")
            .header("range", "bytes=0-9");
        let signed = documented_signer()
            .header(request, documented_time(), Payload::Signed)
            .unwrap();
        let authorization = signed.find("authorization").unwrap();
        assert!(
            authorization.ends_with(
                "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
            "{authorization}"
        );
    }

    #[test]
    fn presigns_the_documented_get() {
        let request =
            Request::new("GET", "/test.txt").header("host", "examplebucket.s3.amazonaws.com");
        let signed = documented_signer()
            .presign(request, documented_time(), Duration::from_secs(86_400))
            .unwrap();
        assert!(
            signed.target.contains(
                "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            ),
            "{}",
            signed.target
        );
    }

    #[test]
    fn chunks_are_closed_by_an_empty_one() {
        let request = Request::new("PUT", "/b/k").header("host", "localhost");
        let chunks = [Bytes::from_static(b"hello")];
        let signed = documented_signer()
            .chunked(request, documented_time(), &chunks, &Chunked::Signed)
            .unwrap();
        let body = String::from_utf8(signed.body.clone()).unwrap();
        let lines: Vec<&str> = body.split("\r\n").collect();
        assert!(lines[0].starts_with("5;chunk-signature="), "{body}");
        assert_eq!(lines[1], "hello");
        assert!(lines[2].starts_with("0;chunk-signature="), "{body}");
        assert_eq!(&lines[3..], ["", ""]);
        assert_eq!(
            signed.find("content-length"),
            Some(body.len().to_string().as_str())
        );
    }

    #[test]
    fn trailers_follow_the_last_chunk() {
        let chunks = [Bytes::from_static(b"hello")];
        let trailer = ("x-amz-checksum-crc32c".to_owned(), "mnG7TA==".to_owned());
        let unsigned = unsigned_chunks(&chunks, (&trailer.0, &trailer.1));
        assert_eq!(
            unsigned,
            b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:mnG7TA==\r\n\r\n"
        );

        let mode = Chunked::SignedTrailer(trailer.0, trailer.1);
        let request = Request::new("PUT", "/b/k").header("host", "localhost");
        let signed = documented_signer()
            .chunked(request, documented_time(), &chunks, &mode)
            .unwrap();
        let body = String::from_utf8(signed.body).unwrap();
        let lines: Vec<&str> = body.split("\r\n").collect();
        assert_eq!(lines[3], "x-amz-checksum-crc32c:mnG7TA==");
        assert!(lines[4].starts_with("x-amz-trailer-signature:"), "{body}");
        assert_eq!(&lines[5..], ["", ""]);
    }
}
