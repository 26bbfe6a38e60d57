//! The examples of S3's documentation: "Authenticating Requests (AWS Signature Version 4)" and
//! "Signing and authenticating REST requests (version 2)".

use bucketry_domain::ChecksumAlgorithm;
use bytes::Bytes;

use super::fixture::{
    ACCESS_KEY_ID, EMPTY_SHA256, Fixture, SECRET, hmac_sha1, signed_candidate, signing_key,
};
use super::{Authentication, PayloadHash, SignatureMode};
use crate::checksum::compute;
use crate::chunked::{ChunkDecoder, ChunkSigner, ChunkSigningKey, Framing};

const HOST: &str = "examplebucket.s3.amazonaws.com";

fn signed(fixture: Fixture, signed_headers: &str, signature: &str) -> Fixture {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed_headers},Signature={signature}"
    );
    fixture
        .header("x-amz-date", "20130524T000000Z")
        .header("authorization", &authorization)
}

#[test]
fn get_object_with_range() {
    let fixture = Fixture::new("GET", HOST, "/test.txt")
        .header("range", "bytes=0-9")
        .header("x-amz-content-sha256", EMPTY_SHA256);
    let names = "host;range;x-amz-content-sha256;x-amz-date";
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let claim = signed(fixture, names, signature).claim();
    assert_eq!(signed_candidate(&claim), Some(0));
    assert_eq!(
        (claim.mode, claim.access_key_id.as_str()),
        (SignatureMode::Header, ACCESS_KEY_ID)
    );
}

#[test]
fn put_object() {
    let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    let fixture = Fixture::new("PUT", HOST, "/test$file.text")
        .header("date", "Fri, 24 May 2013 00:00:00 GMT")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("x-amz-content-sha256", hash);
    let names = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    let claim = signed(fixture, names, signature).claim();
    assert_eq!(signed_candidate(&claim), Some(0));
    assert!(matches!(claim.payload, PayloadHash::Hex(found) if hex::encode(found) == hash));
}

#[test]
fn get_bucket_lifecycle() {
    let fixture =
        Fixture::new("GET", HOST, "/?lifecycle").header("x-amz-content-sha256", EMPTY_SHA256);
    let signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    let claim = signed(fixture, "host;x-amz-content-sha256;x-amz-date", signature).claim();
    assert_eq!(signed_candidate(&claim), Some(0));
}

#[test]
fn list_objects() {
    let fixture = Fixture::new("GET", HOST, "/?max-keys=2&prefix=J")
        .header("x-amz-content-sha256", EMPTY_SHA256);
    let signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    let claim = signed(fixture, "host;x-amz-content-sha256;x-amz-date", signature).claim();
    assert_eq!(signed_candidate(&claim), Some(0));
}

#[test]
fn presigned_get() {
    let target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let claim = Fixture::new("GET", HOST, target).claim();
    assert_eq!(signed_candidate(&claim), Some(0));
    assert_eq!(
        claim.mode,
        SignatureMode::Presigned {
            expires_seconds: 86_400
        }
    );
    assert_eq!(claim.payload, PayloadHash::Unsigned);
}

fn chunk(size: usize, signature: &str) -> String {
    format!(
        "{size:x};chunk-signature={signature}\r\n{}\r\n",
        "a".repeat(size)
    )
}

fn decode(decoder: &mut ChunkDecoder, body: String) -> usize {
    let mut input = Bytes::from(body);
    let mut decoded = 0;
    while let Some(data) = decoder.next(&mut input).unwrap() {
        assert!(data.iter().all(|byte| *byte == b'a'));
        decoded += data.len();
    }
    decoded
}

#[test]
fn put_object_in_chunks() {
    let fixture = Fixture::new("PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt")
        .header("content-encoding", "aws-chunked")
        .header("content-length", "66824")
        .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        .header("x-amz-decoded-content-length", "66560")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY");
    let names = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class";
    let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let claim = signed(fixture, names, seed).claim();
    assert_eq!(signed_candidate(&claim), Some(0));

    let key = ChunkSigningKey::new(signing_key(&claim));
    let signer = ChunkSigner::of_request(key, &claim);
    let mut decoder = ChunkDecoder::new(Framing::Signed(signer), 66_560);
    let body = chunk(
        65_536,
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    ) + &chunk(
        1024,
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    ) + &chunk(
        0,
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    );
    assert_eq!(body.len(), 66_824);
    assert_eq!(decode(&mut decoder, body), 66_560);
    assert_eq!(decoder.finish(), Ok(None));
}

#[test]
fn put_object_in_chunks_with_trailer() {
    let fixture = Fixture::new("PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt")
        .header("content-encoding", "aws-chunked")
        .header(
            "x-amz-content-sha256",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        )
        .header("x-amz-decoded-content-length", "66560")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
        .header("x-amz-trailer", "x-amz-checksum-crc32c");
    let names = "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer";
    let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    let claim = signed(fixture, names, seed).claim();
    assert_eq!(signed_candidate(&claim), Some(0));

    let key = ChunkSigningKey::new(signing_key(&claim));
    let signer = ChunkSigner::of_request(key, &claim);
    let framing = Framing::SignedTrailer(signer, Some(ChecksumAlgorithm::Crc32c));
    let mut decoder = ChunkDecoder::new(framing, 66_560);
    let last = chunk(
        0,
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    );
    let body = chunk(
        65_536,
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    ) + &chunk(
        1024,
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    ) + last.trim_end()
        + "\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\
           x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
    assert_eq!(decode(&mut decoder, body), 66_560);
    let checksum = decoder.finish().unwrap().unwrap();
    assert_eq!(
        checksum.value,
        compute(ChecksumAlgorithm::Crc32c, &[b'a'; 66_560])
    );
}

#[test]
fn presigned_get_of_version_2() {
    let target = "/johnsmith/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE\
        &Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";
    let fixture = Fixture::new("GET", "s3.amazonaws.com", target);
    let Ok(Authentication::PresignedV2(claim)) = fixture.authenticate() else {
        panic!("not SigV2")
    };
    let expected = "GET\n\n\n1175139620\n/johnsmith/photos/puppy.jpg";
    assert_eq!(claim.strings_to_sign, [expected]);
    assert_eq!(
        claim.signature,
        hmac_sha1(SECRET.as_bytes(), expected.as_bytes())
    );
    assert_eq!(claim.expires_at_unix_seconds, 1_175_139_620);

    let virtual_host = target.replace("/johnsmith", "");
    let fixture = Fixture::new("GET", "johnsmith.s3.amazonaws.com", &virtual_host);
    let Ok(Authentication::PresignedV2(claim)) = fixture.authenticate() else {
        panic!("not SigV2")
    };
    assert_eq!(claim.strings_to_sign, [expected]);
}
