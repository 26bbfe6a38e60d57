//! Signature version 4 over the headers of a request with an unsigned payload: pure, and cheap enough not to be
//! measured in place of the server (the day's key is derived once, the second's date formatted once).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::fault::Fault;
use crate::target::Credentials;

/// The value of `x-amz-content-sha256` that leaves the body out of the signature.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

const STAMP: &[BorrowedFormatItem<'static>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
const DATE_LENGTH: usize = 8;

/// The parts of a request that are signed. Path and query are already in canonical form.
pub(crate) struct Canonical<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The value of `host`.
    pub(crate) host: &'a str,
    /// The path, percent-encoded once.
    pub(crate) path: &'a str,
    /// The query: sorted, encoded, `name=` even where there is no value.
    pub(crate) query: &'a str,
}

/// The two headers that a signature adds besides `x-amz-content-sha256`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The value of `x-amz-date`.
    pub(crate) date: String,
    /// The value of `authorization`.
    pub(crate) authorization: String,
}

/// Signs for one key and region.
pub(crate) struct Signer {
    credentials: Credentials,
    region: String,
    second: i64,
    stamp: String,
    day: Option<Day>,
}

struct Day {
    date: String,
    key: Hmac<Sha256>,
}

impl Signer {
    /// A signer for the service `s3`.
    pub(crate) fn new(credentials: Credentials, region: String) -> Self {
        Self {
            credentials,
            region,
            second: i64::MIN,
            stamp: String::new(),
            day: None,
        }
    }

    /// Signs a request that is sent at `now`.
    pub(crate) fn sign(
        &mut self,
        request: &Canonical<'_>,
        now: OffsetDateTime,
    ) -> Result<Signed, Fault> {
        self.advance(now)?;
        let Self {
            credentials,
            region,
            stamp,
            day,
            ..
        } = self;
        let Some(day) = day else {
            return Err(Fault::Lacking("a signing key"));
        };
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{UNSIGNED_PAYLOAD}\nx-amz-date:{stamp}\n\n\
             host;x-amz-content-sha256;x-amz-date\n{UNSIGNED_PAYLOAD}",
            method = request.method,
            path = request.path,
            query = request.query,
            host = request.host,
        );
        let scope = format!("{}/{region}/s3/aws4_request", day.date);
        let digest = hex::encode(Sha256::digest(canonical));
        let mut mac = day.key.clone();
        mac.update(format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}").as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        Ok(Signed {
            date: stamp.clone(),
            authorization: format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                 Signature={signature}",
                credentials.access_key_id
            ),
        })
    }

    fn advance(&mut self, now: OffsetDateTime) -> Result<(), Fault> {
        let second = now.unix_timestamp();
        if second == self.second {
            return Ok(());
        }
        self.stamp = now.format(STAMP)?;
        self.second = second;
        let date = self.stamp.get(..DATE_LENGTH).unwrap_or_default();
        if self.day.as_ref().is_none_or(|day| day.date != date) {
            let seed = format!("AWS4{}", self.credentials.secret.expose());
            let dated = hmac(seed.as_bytes(), date)?;
            let regional = hmac(&dated, &self.region)?;
            let service = hmac(&regional, "s3")?;
            let key = hmac(&service, "aws4_request")?;
            self.day = Some(Day {
                date: date.to_owned(),
                key: Hmac::new_from_slice(&key)?,
            });
        }
        Ok(())
    }
}

fn hmac(key: &[u8], text: &str) -> Result<[u8; 32], Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use aws_credential_types::Credentials as AwsCredentials;
    use aws_sigv4::http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    };
    use aws_sigv4::sign::v4;
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;
    use crate::target::Secret;

    const ID: &str = "BKTYEXAMPLE000000001";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn signer() -> Signer {
        let credentials = Credentials {
            access_key_id: ID.into(),
            secret: Secret::new(SECRET.into()),
        };
        Signer::new(credentials, "us-east-1".into())
    }

    /// The authorization header that the vendor's own crate makes of the same request.
    fn reference(request: &Canonical<'_>, now: OffsetDateTime) -> String {
        let identity = AwsCredentials::new(ID, SECRET, None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(SystemTime::from(now))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let uri = format!("http://{}{}?{}", request.host, request.path, request.query);
        let signable = SignableRequest::new(
            request.method,
            uri,
            std::iter::empty(),
            SignableBody::UnsignedPayload,
        );
        let (instructions, _) = sign(signable.unwrap(), &parameters).unwrap().into_parts();
        let (headers, _) = instructions.into_parts();
        let authorization = headers
            .iter()
            .find(|header| header.name() == "authorization");
        authorization.unwrap().value().to_owned()
    }

    #[test]
    fn the_date_is_that_of_the_request() {
        let request = Canonical {
            method: "GET",
            host: "127.0.0.1:9000",
            path: "/bucket/key",
            query: "",
        };
        let mut signer = signer();
        let first = signer
            .sign(&request, datetime!(2026-11-23 23:59:59 UTC))
            .unwrap();
        let second = signer
            .sign(&request, datetime!(2026-11-24 00:00:00 UTC))
            .unwrap();
        assert_eq!(
            (first.date.as_str(), second.date.as_str()),
            ("20261123T235959Z", "20261124T000000Z")
        );
        assert!(
            second
                .authorization
                .contains("/20261124/us-east-1/s3/aws4_request")
        );
        assert_eq!(
            second.authorization,
            reference(&request, datetime!(2026-11-24 00:00:00 UTC))
        );
    }

    proptest! {
        #[test]
        fn signatures_are_those_of_the_vendor(
            method in prop::sample::select(vec!["GET", "PUT", "POST", "DELETE"]),
            path in "/[a-z0-9-]{3,20}(/[a-zA-Z0-9._~-]{1,20}){0,3}",
            query in prop::sample::select(vec!["", "list-type=2&max-keys=1000", "uploads=", "partNumber=1&uploadId=a%2Fb"]),
            second in 1_000_000_000_i64..4_000_000_000,
        ) {
            let request = Canonical { method, host: "localhost:9000", path: &path, query };
            let now = OffsetDateTime::from_unix_timestamp(second).unwrap();
            prop_assert_eq!(signer().sign(&request, now).unwrap().authorization, reference(&request, now));
        }
    }
}
