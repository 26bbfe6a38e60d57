//! An independent signer, aws-sigv4, signs generated requests; the first canonical request must be
//! the one that it signed.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_http::label::{EncodingStrategy, fmt_string as encode_path};
use aws_smithy_http::query::fmt_string as encode_query;
use proptest::prelude::*;

use super::fixture::{ACCESS_KEY_ID, Fixture, SECRET, signed_candidate};
use super::{PayloadHash, SignatureMode};

const HOST: &str = "127.0.0.1:9000";

#[derive(Debug, Clone)]
struct Generated {
    key: String,
    query: Vec<(String, String)>,
    metadata: String,
}

fn generated() -> impl Strategy<Value = Generated> {
    let pair = ("[a-wA-W \u{e9}%+&=/~*-]{1,8}", "[ -~\u{1f600}]{0,12}");
    let query = proptest::collection::btree_map(pair.0, pair.1, 0..4);
    let key = prop_oneof!["[ -~]{1,40}", "\\PC{1,40}", "[./]{1,10}"];
    (key, query, "[!-~]([ -~]{0,20}[!-~])?").prop_map(|(key, query, metadata)| Generated {
        key,
        query: query.into_iter().collect(),
        metadata,
    })
}

fn settings(location: SignatureLocation) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.signature_location = location;
    match location {
        SignatureLocation::QueryParams => settings.expires_in = Some(Duration::from_secs(600)),
        _ => settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256,
    }
    settings
}

/// The request as the signer would send it.
fn signed(generated: &Generated, location: SignatureLocation) -> Fixture {
    let path = format!(
        "/bucket/{}",
        encode_path(&generated.key, EncodingStrategy::Greedy)
    );
    let pairs: Vec<String> = generated
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", encode_query(name), encode_query(value)))
        .collect();
    let mut target = path;
    if !pairs.is_empty() {
        target = format!("{target}?{}", pairs.join("&"));
    }
    let identity = Credentials::new(ACCESS_KEY_ID, SECRET, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name("s3")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600))
        .settings(settings(location))
        .build()
        .unwrap()
        .into();
    let url = format!("http://{HOST}{target}");
    let headers = [
        ("host", HOST),
        ("x-amz-meta-a", generated.metadata.as_str()),
    ];
    let body = SignableBody::UnsignedPayload;
    let request = SignableRequest::new("PUT", &url, headers.into_iter(), body).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let (added_headers, added_query) = instructions.into_parts();

    let mut fixture =
        Fixture::new("PUT", HOST, &target).header("x-amz-meta-a", &generated.metadata);
    fixture.scheme = super::Scheme::Http;
    for header in added_headers {
        fixture = fixture.header(header.name(), header.value());
    }
    for (name, value) in added_query {
        let separator = if fixture.query.is_empty() { "" } else { "&" };
        fixture.query += &format!("{separator}{}={}", encode_query(name), encode_query(value));
    }
    fixture
}

proptest! {
    #[test]
    fn header_signatures_agree(generated in generated()) {
        let claim = signed(&generated, SignatureLocation::Headers).claim();
        prop_assert_eq!(signed_candidate(&claim), Some(0));
        prop_assert_eq!(claim.payload, PayloadHash::Unsigned);
    }

    #[test]
    fn presigned_signatures_agree(generated in generated()) {
        let claim = signed(&generated, SignatureLocation::QueryParams).claim();
        prop_assert_eq!(signed_candidate(&claim), Some(0));
        prop_assert_eq!(claim.mode, SignatureMode::Presigned { expires_seconds: 600 });
    }

    #[test]
    fn another_key_metadata_or_method_is_not_signed(generated in generated()) {
        let mut fixture = signed(&generated, SignatureLocation::Headers);
        fixture.path.push('x');
        prop_assert_eq!(signed_candidate(&fixture.claim()), None);
        let mut fixture = signed(&generated, SignatureLocation::QueryParams);
        fixture.method = "GET";
        prop_assert_eq!(signed_candidate(&fixture.claim()), None);
        let mut fixture = signed(&generated, SignatureLocation::QueryParams);
        fixture.headers.insert("x-amz-meta-a", http::HeaderValue::from_static("!other!"));
        prop_assert_eq!(signed_candidate(&fixture.claim()), None);
    }
}
