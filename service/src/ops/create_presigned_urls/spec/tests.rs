use bytes::Bytes;

use super::*;

fn get() -> v1::PresignedUrlSpec {
    v1::PresignedUrlSpec {
        method: v1::PresignedMethod::Get.into(),
        key: "k".to_owned(),
        ..v1::PresignedUrlSpec::default()
    }
}

fn put() -> v1::PresignedUrlSpec {
    v1::PresignedUrlSpec {
        method: v1::PresignedMethod::Put.into(),
        ..get()
    }
}

fn part() -> v1::PresignedUrlSpec {
    v1::PresignedUrlSpec {
        method: v1::PresignedMethod::UploadPart.into(),
        upload_id: "0123456789abcdef0123456789abcdef".to_owned(),
        part_number: 10_000,
        ..get()
    }
}

fn overriding(content_disposition: &str) -> Option<v1::ResponseOverrides> {
    Some(v1::ResponseOverrides {
        content_disposition: content_disposition.to_owned(),
        ..v1::ResponseOverrides::default()
    })
}

fn crc32(value: &'static [u8]) -> v1::Checksum {
    v1::Checksum {
        algorithm: v1::ChecksumAlgorithm::Crc32.into(),
        value: Bytes::from_static(value),
        ..v1::Checksum::default()
    }
}

fn lasting(seconds: i64, nanos: i32) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos })
}

fn accepted(sent: v1::PresignedUrlSpec) -> PresignedSpec {
    let mut specs = presigned_specs(vec![sent]).unwrap();
    specs.pop().unwrap()
}

#[test]
fn a_url_lasts_fifteen_minutes_unless_it_says_otherwise() {
    assert_eq!(accepted(get()).lifetime_seconds, 900);
    for seconds in [1, 604_800] {
        let lifetime = lasting(seconds, 0);
        let spec = accepted(v1::PresignedUrlSpec { lifetime, ..get() });
        assert_eq!(i64::from(spec.lifetime_seconds), seconds);
    }
}

#[test]
fn what_the_request_must_have_becomes_headers_and_parameters() {
    let spec = accepted(v1::PresignedUrlSpec {
        content_type: "text/plain".to_owned(),
        content_length: Some(11),
        checksum: Some(crc32(b"\x0d\x4a\x11\x85")),
        ..put()
    });
    let headers = [
        ("content-length", "11"),
        ("content-type", "text/plain"),
        ("x-amz-checksum-crc32", "DUoRhQ=="),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(spec.headers, BTreeMap::from(headers));
    let spec = accepted(part());
    let parameters = [
        ("uploadId", "0123456789abcdef0123456789abcdef".to_owned()),
        ("partNumber", "10000".to_owned()),
    ];
    assert_eq!(spec.query, parameters);
    let spec = accepted(v1::PresignedUrlSpec {
        response_overrides: overriding("inline; filename=é"),
        ..get()
    });
    let parameter = "inline; filename=é".to_owned();
    assert_eq!(spec.query, [("response-content-disposition", parameter)]);
}

#[test]
fn a_mistake_is_named_with_its_entry_and_field() {
    let wrong: [(&str, v1::PresignedUrlSpec); 26] = [
        ("method", v1::PresignedUrlSpec { method: 0, ..get() }),
        ("method", v1::PresignedUrlSpec { method: 9, ..get() }),
        (
            "key",
            v1::PresignedUrlSpec {
                key: String::new(),
                ..get()
            },
        ),
        (
            "key",
            v1::PresignedUrlSpec {
                key: "k".repeat(1025),
                ..get()
            },
        ),
        (
            "upload_id",
            v1::PresignedUrlSpec {
                upload_id: "x".into(),
                ..put()
            },
        ),
        (
            "part_number",
            v1::PresignedUrlSpec {
                part_number: 1,
                ..put()
            },
        ),
        (
            "upload_id",
            v1::PresignedUrlSpec {
                upload_id: String::new(),
                ..part()
            },
        ),
        (
            "upload_id",
            v1::PresignedUrlSpec {
                upload_id: "x".into(),
                ..part()
            },
        ),
        (
            "part_number",
            v1::PresignedUrlSpec {
                part_number: 0,
                ..part()
            },
        ),
        (
            "part_number",
            v1::PresignedUrlSpec {
                part_number: 10_001,
                ..part()
            },
        ),
        (
            "lifetime",
            v1::PresignedUrlSpec {
                lifetime: lasting(0, 0),
                ..get()
            },
        ),
        (
            "lifetime",
            v1::PresignedUrlSpec {
                lifetime: lasting(604_801, 0),
                ..get()
            },
        ),
        (
            "lifetime",
            v1::PresignedUrlSpec {
                lifetime: lasting(-1, 0),
                ..get()
            },
        ),
        (
            "lifetime",
            v1::PresignedUrlSpec {
                lifetime: lasting(1, 1),
                ..get()
            },
        ),
        (
            "content_type",
            v1::PresignedUrlSpec {
                content_type: "a/b".into(),
                ..get()
            },
        ),
        (
            "content_type",
            v1::PresignedUrlSpec {
                content_type: "a/b\r\nx: y".into(),
                ..put()
            },
        ),
        (
            "content_type",
            v1::PresignedUrlSpec {
                content_type: " a/b".into(),
                ..put()
            },
        ),
        (
            "content_length",
            v1::PresignedUrlSpec {
                content_length: Some(1),
                ..get()
            },
        ),
        (
            "content_length",
            v1::PresignedUrlSpec {
                content_length: Some(-1),
                ..put()
            },
        ),
        (
            "content_length",
            v1::PresignedUrlSpec {
                content_length: Some((5 << 30) + 1),
                ..put()
            },
        ),
        (
            "checksum",
            v1::PresignedUrlSpec {
                checksum: Some(crc32(b"1234")),
                ..get()
            },
        ),
        (
            "checksum.value",
            v1::PresignedUrlSpec {
                checksum: Some(crc32(b"123")),
                ..put()
            },
        ),
        (
            "response_overrides",
            v1::PresignedUrlSpec {
                response_overrides: overriding(&"a".repeat(4097)),
                ..get()
            },
        ),
        (
            "key",
            v1::PresignedUrlSpec {
                key: "..".to_owned(),
                ..get()
            },
        ),
        (
            "response_overrides.content_disposition",
            v1::PresignedUrlSpec {
                response_overrides: overriding("a\nb"),
                ..get()
            },
        ),
        (
            "response_overrides.content_disposition",
            v1::PresignedUrlSpec {
                response_overrides: overriding("a"),
                ..put()
            },
        ),
    ];
    for (field, spec) in wrong {
        let shown = format!("{spec:?}");
        let refused = presigned_specs(vec![get(), spec]).unwrap_err().to_string();
        assert!(
            refused.starts_with(&format!("urls[1].{field}: ")),
            "{refused}: {shown}"
        );
    }
}

#[test]
fn at_most_a_thousand_urls_are_made_at_once() {
    assert_eq!(presigned_specs(vec![get(); 1000]).unwrap().len(), 1000);
    let refused = presigned_specs(vec![get(); 1001]).unwrap_err();
    assert!(matches!(
        refused,
        Error::InvalidArgument { field: "urls", .. }
    ));
}
