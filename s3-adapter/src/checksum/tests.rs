use super::*;
use http::HeaderValue;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn declared(
    pairs: &[(&'static str, &str)],
    payload: PayloadHash,
) -> Result<RequestDigests, DigestError> {
    RequestDigests::from_headers(&headers(pairs), &payload)
}

// The check values of "123456789" published with each algorithm.
#[test]
fn published_check_values() {
    let compute =
        |algorithm: ChecksumAlgorithm| hex::encode(super::compute(algorithm, b"123456789"));
    assert_eq!(compute(ChecksumAlgorithm::Crc32), "cbf43926");
    assert_eq!(compute(ChecksumAlgorithm::Crc32c), "e3069283");
    assert_eq!(compute(ChecksumAlgorithm::Crc64Nvme), "ae8b14860a799888");
    assert_eq!(
        compute(ChecksumAlgorithm::Sha1),
        "f7c3bc1d808e04732adf679965ccc34ca7ae3441"
    );
    assert!(compute(ChecksumAlgorithm::Sha512).starts_with("d9e6762dd1c8eaf6d61b3c6192fc408d"));
    assert_eq!(
        compute(ChecksumAlgorithm::Md5),
        "25f9e794323b453885f5181f1b624d0b"
    );
    assert_eq!(compute(ChecksumAlgorithm::XxHash64), "8cb841db40e6ae83");
    assert_eq!(compute(ChecksumAlgorithm::XxHash3), "72dcb18b67a17dff");
    assert_eq!(
        compute(ChecksumAlgorithm::XxHash128),
        "33119477ede5dcd5e9716427681d5860"
    );
    for algorithm in ChecksumAlgorithm::ALL {
        assert_eq!(
            super::compute(algorithm, b"").len(),
            algorithm.byte_length()
        );
        assert_eq!(algorithm_of_header(header_name(algorithm)), Some(algorithm));
        assert_eq!(algorithm_of_name(algorithm.name()), Some(algorithm));
    }
}

#[test]
fn reads_header_and_verifies() {
    let pairs = [
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-sdk-checksum-algorithm", "crc32"),
        ("x-amz-checksum-mode", "ENABLED"),
    ];
    let digests = declared(&pairs, PayloadHash::Unsigned).unwrap();
    assert_eq!(digests.verify(b"123456789", None), Ok(()));
    assert!(matches!(
        digests.verify(b"12345678", None),
        Err(DigestError::ContentMd5Mismatch { .. })
    ));
}

#[test]
fn a_checksum_of_no_body_is_told_from_others() {
    for (name, empty, other) in [
        ("x-amz-checksum-crc32", "AAAAAA==", "y/Q5Jg=="),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=", "AAAAAAAAAAE="),
        (
            "x-amz-checksum-sha256",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "A7DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ),
    ] {
        assert!(is_of_no_body(&headers(&[(name, empty)])), "{name}");
        assert!(!is_of_no_body(&headers(&[(name, other)])), "{name}");
    }
    assert!(!is_of_no_body(&headers(&[])));
    let two = [
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-checksum-crc32c", "AAAAAA=="),
    ];
    assert!(!is_of_no_body(&headers(&two)));
}

#[test]
fn reads_trailers_only_where_the_body_has_one() {
    let pairs = [
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
        ("x-amz-sdk-checksum-algorithm", "CRC32C"),
    ];
    let digests = declared(&pairs, PayloadHash::StreamingUnsignedTrailer).unwrap();
    assert_eq!(
        digests.checksum,
        ChecksumLocation::Trailer(ChecksumAlgorithm::Crc32c)
    );
    assert_eq!(digests.verify(b"", None), Err(DigestError::MissingTrailer));
    let trailer = ClientChecksum::parse(ChecksumAlgorithm::Crc32c, "4waSgw==").unwrap();
    assert_eq!(digests.verify(b"123456789", Some(&trailer)), Ok(()));
    assert!(matches!(
        digests.verify(b"x", Some(&trailer)),
        Err(DigestError::ChecksumMismatch { .. })
    ));
    assert!(matches!(
        declared(&pairs, PayloadHash::Unsigned),
        Err(DigestError::UnsupportedTrailer(_))
    ));
}

#[test]
fn refuses_contradictions() {
    let crc = ("x-amz-checksum-crc32", "y/Q5Jg==");
    let refused = |pairs: &[(&'static str, &str)]| {
        declared(pairs, PayloadHash::StreamingUnsignedTrailer).unwrap_err()
    };
    let sha = ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKfuNEE=");
    assert_eq!(refused(&[crc, sha]), DigestError::SeveralChecksums);
    assert_eq!(
        refused(&[crc, ("x-amz-checksum-crc32", "AAAAAA==")]),
        DigestError::Repeated {
            algorithm: ChecksumAlgorithm::Crc32,
            value: "AAAAAA==".into()
        }
    );
    assert_eq!(
        refused(&[crc, ("x-amz-trailer", "x-amz-checksum-crc32")]),
        DigestError::SeveralChecksums
    );
    assert_eq!(
        refused(&[("x-amz-checksum-md4", "AA==")]),
        DigestError::UnknownHeader("x-amz-checksum-md4".into())
    );
    for named in ["SHA1", "MD4"] {
        assert_eq!(
            refused(&[crc, (SDK_ALGORITHM, named)]),
            DigestError::AlgorithmMismatch
        );
        assert_eq!(
            refused(&[(SDK_ALGORITHM, named)]),
            DigestError::MissingChecksum
        );
        let elsewhere = [crc, ("x-amz-checksum-algorithm", named)];
        assert!(declared(&elsewhere, PayloadHash::Unsigned).is_ok());
    }
    assert!(matches!(
        refused(&[("x-amz-checksum-crc32", "AA==")]),
        DigestError::InvalidChecksum { .. }
    ));
    assert!(matches!(
        refused(&[("x-amz-trailer", "x-amz-meta-a")]),
        DigestError::UnsupportedTrailer(_)
    ));
    assert_eq!(
        refused(&[("content-md5", "bm90")]),
        DigestError::InvalidContentMd5
    );
}
