//! Keys are bytes between the first slash and the question mark: the same by S3, in path and virtual-host style, by
//! gRPC and in listings.

use bucketry_contract::v1::{
    DeleteObjectRequest, GetObjectRequest, GetSmallObjectRequest, ListObjectsRequest,
    PutObjectSpec, PutSmallObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, Response};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::wire::{BUCKET, Wire, with_body};

/// What SDKs leave as it is in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const KEYS: [&str; 26] = [
    "plain",
    "a//b",
    "a/b",
    "/leading",
    "//",
    "trailing/",
    ".",
    "..",
    "../up",
    "a/../b",
    "a/./b",
    "a/%2E%2E/b",
    "percent%2Fencoded",
    "percent/encoded",
    "%",
    "plus+sign",
    "plus sign",
    " ",
    "question?mark&uploads=#",
    "<xml>&amp;\"'",
    "ünïcödé",
    "u\u{308} apart",
    "🪣🦀",
    "control \u{1}\u{1f}\u{7f}",
    "nul \0 inside",
    "tab\tnewline\nreturn\r",
];

struct Store {
    wire: Wire,
    grpc: Clients,
}

impl Store {
    async fn start() -> Result<Self, HarnessError> {
        let wire = Wire::start().await?;
        let grpc = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
        Ok(Self { wire, grpc })
    }

    fn send(&self, request: Request, body: &[u8]) -> Result<Response, HarnessError> {
        let request = match body {
            [] => request,
            body => with_body(request, body),
        };
        self.wire.send(self.wire.signed(request)?)
    }

    fn by_path(&self, method: &str, key: &str, body: &[u8]) -> Result<Response, HarnessError> {
        self.send(self.wire.request(method, &encoded(key)), body)
    }

    fn by_host(&self, method: &str, key: &str, body: &[u8]) -> Result<Response, HarnessError> {
        let host = format!("{BUCKET}.localhost:{}", self.wire.server.address().port());
        let target = format!("/{}", encoded(key));
        self.send(Request::new(method, &target).header("host", &host), body)
    }

    async fn put_by_grpc(&mut self, key: &str, data: &str) -> Result<(), HarnessError> {
        let spec = PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        };
        let request = PutSmallObjectRequest {
            spec: Some(spec),
            data: Bytes::copy_from_slice(data.as_bytes()),
        };
        self.grpc.objects.put_small_object(request).await?;
        Ok(())
    }

    async fn get_by_grpc(&mut self, key: &str) -> Result<Bytes, HarnessError> {
        let object = GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        };
        let request = GetSmallObjectRequest {
            object: Some(object),
        };
        let answer = self.grpc.objects.get_small_object(request).await?;
        Ok(answer.into_inner().data)
    }

    async fn listed_by_grpc(&mut self) -> Result<Vec<String>, HarnessError> {
        let request = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            ..Default::default()
        };
        let listed = self.grpc.objects.list_objects(request).await?.into_inner();
        Ok(listed
            .objects
            .into_iter()
            .map(|object| object.key)
            .collect())
    }

    fn listed_by_s3(&self, query: &str) -> Result<Vec<String>, HarnessError> {
        let target = format!("/{BUCKET}?{query}");
        let host = self.wire.server.address().to_string();
        let listed = self.send(Request::new("GET", &target).header("host", &host), b"")?;
        let text = listed.text();
        let keys = text.split("<Key>").skip(1);
        Ok(keys
            .filter_map(|rest| rest.split_once("</Key>"))
            .map(|(key, _)| key.to_owned())
            .collect())
    }
}

fn encoded(key: &str) -> String {
    utf8_percent_encode(key, PATH).to_string()
}

fn url_decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// The text of an element, as every XML reader takes it.
fn xml_decoded(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').unwrap_or((after, ""));
        decoded.push_str(before);
        decoded.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            code => character(code).unwrap_or('\u{fffd}'),
        });
        rest = after;
    }
    decoded.push_str(rest);
    decoded
}

fn character(reference: &str) -> Option<char> {
    let number = match reference.strip_prefix("#x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => reference.strip_prefix('#')?.parse().ok()?,
    };
    char::from_u32(number)
}

fn sorted() -> Vec<String> {
    let mut keys: Vec<String> = KEYS.iter().map(|key| (*key).to_owned()).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn every_way_leads_to_the_same_object() -> Result<(), HarnessError> {
    let mut store = Store::start().await?;
    for key in KEYS {
        let content = format!("by path: {key}");
        assert_eq!(
            store.by_path("PUT", key, content.as_bytes())?.status,
            200,
            "{key:?}"
        );
    }
    // All are there before any is read, so that none has overwritten another.
    for key in KEYS {
        let content = format!("by path: {key}");
        assert_eq!(store.get_by_grpc(key).await?, content, "{key:?}");
        assert_eq!(store.by_host("GET", key, b"")?.text(), content, "{key:?}");
        store.put_by_grpc(key, &format!("by gRPC: {key}")).await?;
    }
    for key in KEYS {
        let content = format!("by gRPC: {key}");
        assert_eq!(store.by_path("GET", key, b"")?.text(), content, "{key:?}");
        let written = store.by_host("PUT", key, b"by host")?;
        assert_eq!(written.status, 200, "{key:?}");
        assert_eq!(
            store.get_by_grpc(key).await?.as_ref(),
            b"by host",
            "{key:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_key_is_listed_in_byte_order() -> Result<(), HarnessError> {
    let mut store = Store::start().await?;
    for key in KEYS {
        store.put_by_grpc(key, "x").await?;
    }
    assert_eq!(store.listed_by_grpc().await?, sorted());
    for query in ["list-type=2", "max-keys=1000"] {
        let plain = store.listed_by_s3(query)?;
        let plain: Vec<String> = plain.iter().map(|key| xml_decoded(key)).collect();
        assert_eq!(plain, sorted(), "{query}");
        let encoded = store.listed_by_s3(&format!("{query}&encoding-type=url"))?;
        let encoded: Vec<String> = encoded.iter().map(|key| url_decoded(key)).collect();
        assert_eq!(encoded, sorted(), "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_is_deleted_and_no_other() -> Result<(), HarnessError> {
    let mut store = Store::start().await?;
    for key in KEYS {
        store.put_by_grpc(key, "x").await?;
    }
    let mut left = sorted();
    for (index, key) in KEYS.into_iter().enumerate() {
        match index % 3 {
            0 => assert_eq!(store.by_path("DELETE", key, b"")?.status, 204, "{key:?}"),
            1 => assert_eq!(store.by_host("DELETE", key, b"")?.status, 204, "{key:?}"),
            _ => {
                let request = DeleteObjectRequest {
                    bucket: BUCKET.to_owned(),
                    key: key.to_owned(),
                    ..Default::default()
                };
                store.grpc.objects.delete_object(request).await?;
            }
        }
        left.retain(|known| known != key);
        assert_eq!(store.listed_by_grpc().await?, left, "{key:?}");
    }
    Ok(())
}

/// Escapes are decoded once, whatever their case, and a plus sign is one.
#[tokio::test]
async fn spellings_of_a_path() -> Result<(), HarnessError> {
    let store = Store::start().await?;
    for (spelling, key) in [
        ("a%2fb", "a/b"),
        ("a%2Fb", "a/b"),
        ("plus+sign", "plus+sign"),
        ("plus%2Bsign", "plus+sign"),
        ("twice%252F", "twice%2F"),
        ("%70lain", "plain"),
        ("a/../b", "a/../b"),
    ] {
        let request = store.wire.request("PUT", spelling);
        assert_eq!(
            store.send(request, key.as_bytes())?.status,
            200,
            "{spelling}"
        );
        assert_eq!(store.by_path("GET", key, b"")?.text(), key, "{spelling}");
        assert_eq!(store.by_path("DELETE", key, b"")?.status, 204, "{spelling}");
    }
    Ok(())
}
