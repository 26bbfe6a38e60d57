//! The pure functions that every request, every row of a listing or every block of an upload passes:
//!
//! ```sh
//! cargo bench -p bucketry-s3-adapter --bench pure_functions
//! ```

#![allow(missing_docs, reason = "`criterion_group!` makes a public function")]

use std::hint::black_box;

use bucketry_contract::v1::{ListObjectsRequest, ListObjectsResponse, Object};
use bucketry_s3_adapter::binding::{RenderContext, RequestView};
use bucketry_s3_adapter::chunked::{ChunkDecoder, Framing};
use bucketry_s3_adapter::generated::render_list_objects_v2;
use bucketry_s3_adapter::query::Query;
use bucketry_s3_adapter::sigv4::{RequestHead, Scheme, authenticate};
use bucketry_s3_adapter::target::{BaseDomains, Target, parse_target};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, HeaderName, HeaderValue};
use prost_types::Timestamp;

const HOST: &str = "s3.example.com";
const PATH: &str = "/photos/2026/summer/beach-0001.jpg";
const LISTED_OBJECTS: i32 = 1000;
const CHUNK_BYTES: usize = 64 * 1024;

fn canonical_request(criterion: &mut Criterion) {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "x-amz-content-sha256",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        ("x-amz-date", "20260524T000000Z"),
        ("user-agent", "aws-sdk-go-v2/1.30"),
    ] {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
    let domains = BaseDomains::new(["localhost"]);
    let query = Query::default();
    criterion.bench_function("claim and canonical request of a GET", |bencher| {
        bencher.iter(|| {
            let addressed = parse_target(HOST, black_box(PATH), &domains);
            let Ok(addressed) = &addressed else { return };
            let head = RequestHead {
                method: "GET",
                host: HOST,
                scheme: Scheme::Https,
                public_hosts: &[],
                path: PATH,
                query: &query,
                headers: black_box(&headers),
                addressed,
            };
            black_box(authenticate(&head).is_ok());
        });
    });
}

fn listing(criterion: &mut Criterion) {
    let objects = (0..LISTED_OBJECTS).map(|number| Object {
        key: format!("2026/summer/beach-{number:04}.jpg"),
        size: 1_234_567,
        etag: "5eb63bbbe01eeed093cb22bb8f5acdc3".to_owned(),
        modify_time: Some(Timestamp {
            seconds: 1_769_353_600,
            nanos: 123_000_000,
        }),
        ..Object::default()
    });
    let answer = ListObjectsResponse {
        objects: objects.collect(),
        ..ListObjectsResponse::default()
    };
    let request = ListObjectsRequest::default();
    let target = Target::Bucket {
        bucket: "photos".to_owned(),
    };
    let query = Query::parse("list-type=2").unwrap_or_default();
    let headers = HeaderMap::new();
    let context = RenderContext {
        view: RequestView {
            target: &target,
            query: &query,
            headers: &headers,
        },
        public_url: "http://localhost:9000",
    };
    criterion.bench_function("1,000 rows to XML", |bencher| {
        bencher.iter(|| render_list_objects_v2(&request, black_box(&answer), &context));
    });
}

fn chunk_decoder(criterion: &mut Criterion) {
    let mut body = format!("{CHUNK_BYTES:x}\r\n").into_bytes();
    body.resize(body.len() + CHUNK_BYTES, b'x');
    body.extend_from_slice(b"\r\n0\r\n\r\n");
    let body = Bytes::from(body);
    let mut group = criterion.benchmark_group("aws-chunked");
    group.throughput(Throughput::Bytes(CHUNK_BYTES as u64));
    group.bench_function("unsigned chunk of 64 KiB", |bencher| {
        bencher.iter(|| {
            let framing = Framing::UnsignedTrailer(None);
            let mut decoder = ChunkDecoder::new(framing, CHUNK_BYTES as u64);
            let mut input = black_box(&body).clone();
            while let Ok(Some(data)) = decoder.next(&mut input) {
                black_box(data);
            }
        });
    });
    group.finish();
}

criterion_group!(benches, canonical_request, listing, chunk_decoder);
criterion_main!(benches);
