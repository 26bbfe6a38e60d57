//! Values that headers and parameters can be made to carry: line ends, and numbers at their edges.

use bucketry_contract::v1::{
    CompleteMultipartUploadRequest, CompletedPart, CreateMultipartUploadRequest, GetObjectRequest,
    ListObjectsRequest, ObjectAttributes, ObjectChunk, PutObjectRequest, PutObjectSpec,
    PutSmallObjectRequest, UploadPartRequest, UploadPartSpec, put_object_request,
    upload_part_request,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::Response;
use bytes::Bytes;
use tonic::{Code, Status};

use super::super::raw::{statuses, talk};
use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

fn spec(attributes: ObjectAttributes) -> PutSmallObjectRequest {
    PutSmallObjectRequest {
        spec: Some(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            attributes: Some(attributes),
            ..Default::default()
        }),
        data: Bytes::new(),
    }
}

async fn clients(wire: &Wire) -> Result<Clients, HarnessError> {
    Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await
}

fn invalid<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>) {
    let code = answer.as_ref().map_err(Status::code).err();
    assert_eq!(code, Some(Code::InvalidArgument), "{what}: {answer:?}");
}

/// What is stored to be sent again as a header holds no line end, by whatever way it comes.
#[tokio::test]
async fn line_ends_in_stored_headers_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut clients = clients(&wire).await?;
    for injected in [
        "a\r\nset-cookie: b",
        "a\nb",
        "a\rb",
        "a\0b",
        "\u{85}",
        "\u{7f}",
    ] {
        let text = || injected.to_owned();
        let none = ObjectAttributes::default;
        for (name, attributes) in [
            (
                "type",
                ObjectAttributes {
                    content_type: text(),
                    ..none()
                },
            ),
            (
                "cache",
                ObjectAttributes {
                    cache_control: text(),
                    ..none()
                },
            ),
            (
                "disposition",
                ObjectAttributes {
                    content_disposition: text(),
                    ..none()
                },
            ),
            (
                "encoding",
                ObjectAttributes {
                    content_encoding: text(),
                    ..none()
                },
            ),
            (
                "language",
                ObjectAttributes {
                    content_language: text(),
                    ..none()
                },
            ),
            (
                "expires",
                ObjectAttributes {
                    expires: text(),
                    ..none()
                },
            ),
            (
                "redirect",
                ObjectAttributes {
                    website_redirect_location: text(),
                    ..none()
                },
            ),
            (
                "value",
                ObjectAttributes {
                    metadata: [("a".to_owned(), text())].into(),
                    ..none()
                },
            ),
            (
                "name",
                ObjectAttributes {
                    metadata: [(text(), "a".to_owned())].into(),
                    ..none()
                },
            ),
        ] {
            let answer = clients.objects.put_small_object(spec(attributes)).await;
            invalid(&format!("{name} {injected:?}"), answer);
        }
    }
    assert_eq!(refusal(&wire.get("k")?), refused(404, "NoSuchKey"));
    Ok(())
}

/// What a presigned URL makes of the answer's headers, and what it carries for the request's.
#[tokio::test]
async fn line_ends_in_url_parameters_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    for name in [
        "response-content-type",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-cache-control",
        "response-expires",
    ] {
        for injected in ["a%0D%0Aset-cookie:%20b", "a%0Ab", "a%00b"] {
            let target = format!("k?{name}={injected}");
            let answer = wire.send(wire.signed(wire.request("GET", &target))?)?;
            assert_eq!(answer.status, 400, "{target}: {}", answer.text());
            assert_eq!(answer.find("set-cookie"), None, "{target}");
        }
    }
    for name in [
        "x-amz-meta-a",
        "x-amz-tagging",
        "x-amz-website-redirect-location",
    ] {
        let target = format!("new?{name}=a%0D%0Aset-cookie:%20b");
        let request = with_body(wire.request("PUT", &target), b"");
        let time = std::time::SystemTime::now();
        let life = std::time::Duration::from_secs(60);
        let answer = wire.send(wire.signer.presign(request, time, life)?)?;
        assert!(
            (400..500).contains(&answer.status),
            "{target}: {}",
            answer.status
        );
    }
    assert_eq!(refusal(&wire.get("new")?), refused(404, "NoSuchKey"));
    Ok(())
}

fn upload(wire: &Wire) -> Result<String, HarnessError> {
    let begin = wire.signed(with_body(wire.request("POST", "k?uploads"), b""))?;
    let begun = wire.send(begin)?.element("UploadId");
    begun.ok_or(HarnessError::Incomplete("upload id"))
}

fn part(wire: &Wire, upload: &str, number: &str) -> Result<Response, HarnessError> {
    let target = format!("k?partNumber={number}&uploadId={upload}");
    wire.send(wire.signed(with_body(wire.request("PUT", &target), b"part"))?)
}

#[tokio::test]
async fn wrong_part_numbers_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let id = upload(&wire)?;
    for number in [
        "0",
        "10001",
        "-1",
        "2147483648",
        "4294967297",
        "18446744073709551617",
        "1.0",
        "1e3",
        "%2B1",
        "0x1",
        "",
        "%EF%BC%91",
    ] {
        let answer = part(&wire, &id, number)?;
        assert_eq!(
            refusal(&answer),
            refused(400, "InvalidArgument"),
            "{number:?}: {}",
            answer.text()
        );
    }
    for number in ["1", "10000"] {
        assert_eq!(part(&wire, &id, number)?.status, 200, "{number}");
    }
    let twice = format!("k?partNumber=1&partNumber=2&uploadId={id}");
    let twice = wire.signed(with_body(wire.request("PUT", &twice), b"part"))?;
    let answer = wire.send(twice)?;
    assert_eq!(answer.status, 400, "{}", answer.text());

    let mut clients = clients(&wire).await?;
    for part_number in [0, -1, 10_001, i32::MIN, i32::MAX] {
        let spec = upload_part_request::Message::Spec(UploadPartSpec {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            upload_id: id.clone(),
            part_number,
            ..Default::default()
        });
        let request = UploadPartRequest {
            message: Some(spec),
        };
        let answer = clients
            .objects
            .upload_part(tokio_stream::once(request))
            .await;
        invalid(&format!("part {part_number}"), answer);
    }
    Ok(())
}

/// A completion with a part too many, one that names a part twice, and parts that add up to more than an object.
#[tokio::test]
async fn wrong_lists_of_parts_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut clients = clients(&wire).await?;
    let begin = CreateMultipartUploadRequest {
        bucket: BUCKET.to_owned(),
        key: "k".to_owned(),
        ..Default::default()
    };
    let begun = clients.objects.create_multipart_upload(begin).await?;
    let id = begun.into_inner().upload.unwrap_or_default().upload_id;
    let etag = part(&wire, &id, "1")?
        .find("etag")
        .unwrap_or_default()
        .to_owned();
    let listed = |numbers: Vec<i32>| CompleteMultipartUploadRequest {
        bucket: BUCKET.to_owned(),
        key: "k".to_owned(),
        upload_id: id.clone(),
        parts: numbers
            .into_iter()
            .map(|part_number| CompletedPart {
                part_number,
                etag: etag.clone(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    for (name, numbers) in [
        ("10,001 parts", (1..=10_001).collect()),
        ("twice", vec![1, 1]),
        ("none", Vec::new()),
        ("backwards", vec![2, 1]),
    ] {
        let answer = clients
            .objects
            .complete_multipart_upload(listed(numbers))
            .await;
        invalid(name, answer);
    }
    for number in [0, -1, 10_001] {
        let answer = clients
            .objects
            .complete_multipart_upload(listed(vec![number]))
            .await;
        let code = answer.as_ref().map_err(Status::code).err();
        let refused = matches!(code, Some(Code::InvalidArgument | Code::FailedPrecondition));
        assert!(refused, "{number}: {answer:?}");
    }
    let parts: String = (1..=10_001)
        .map(|number| format!("<Part><PartNumber>{number}</PartNumber><ETag>e</ETag></Part>"))
        .collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let request = with_body(
        wire.request("POST", &format!("k?uploadId={id}")),
        document.as_bytes(),
    );
    let answer = wire.send(wire.signed(request)?)?;
    assert_eq!(answer.status, 400, "{}", answer.text());
    Ok(())
}

/// Lengths that no library sends. What a refusal leaves on the connection is not read as a request.
#[tokio::test]
async fn wrong_content_lengths_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let put = wire.signed(with_body(wire.request("PUT", "k"), b"content"))?;
    let without = |lines: &str| {
        let mut request = put.clone();
        request.headers.retain(|(name, _)| name != "content-length");
        let head = String::from_utf8(request.head()).unwrap();
        let head = head.strip_suffix("\r\n").unwrap();
        format!("{head}{lines}\r\n\r\ncontent").into_bytes()
    };
    for lines in [
        "content-length: -1",
        "content-length: 9223372036854775808",
        "content-length: 18446744073709551616",
        "content-length: 99999999999999999999999999",
        "content-length: +7",
        "content-length: 7.0",
        "content-length: 0x7",
        "content-length: 7, 8",
        "content-length: 7\r\ncontent-length: 8",
        "content-length: ",
        "content-length : 7",
        "content-length: 5497558138881",
    ] {
        let answers = talk(wire.server.address(), &without(lines))?;
        assert_eq!(statuses(&answers), [400], "{lines:?}: {answers}");
        assert_eq!(
            refusal(&wire.get("k")?),
            refused(404, "NoSuchKey"),
            "{lines:?}"
        );
    }
    let answers = talk(wire.server.address(), &without("content-length: 7"))?;
    assert_eq!(statuses(&answers), [200], "{answers}");
    Ok(())
}

/// Ranges at the edges of an object and of numbers: a part of the object, all of it, or a refusal.
#[tokio::test]
async fn ranges_at_the_edges() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"0123456789")?;
    let many = format!("bytes={}", vec!["0-0"; 2000].join(","));
    for (range, status, body) in [
        ("bytes=0-0", 206, "0"),
        ("bytes=9-", 206, "9"),
        ("bytes=-1", 206, "9"),
        ("bytes=-10", 206, "0123456789"),
        ("bytes=-99999999999999999999", 206, "0123456789"),
        ("bytes=0-18446744073709551615", 206, "0123456789"),
        ("bytes=0-9223372036854775808", 206, "0123456789"),
        ("bytes=10-", 416, ""),
        ("bytes=-0", 416, ""),
        ("bytes=18446744073709551615-", 416, ""),
        ("bytes=5-4", 200, "0123456789"),
        ("bytes=a-b", 200, "0123456789"),
        ("bytes=--1", 200, "0123456789"),
        ("octets=0-0", 200, "0123456789"),
        ("bytes", 200, "0123456789"),
        ("", 200, "0123456789"),
        (&many, 200, "0123456789"),
    ] {
        let request = wire.request("GET", "k").header("range", range);
        let answer = wire.send(wire.signed(request)?)?;
        let shown: String = range.chars().take(40).collect();
        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
        if status < 300 {
            assert_eq!(answer.text(), body, "{shown}");
        }
    }
    Ok(())
}

/// Sizes, offsets and pages below nought or beyond all, by gRPC.
#[tokio::test]
async fn negative_and_excessive_sizes_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"content")?;
    let mut clients = clients(&wire).await?;
    for page_size in [-1, i32::MIN] {
        let request = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            page_size: Some(page_size),
            ..Default::default()
        };
        invalid("page", clients.objects.list_objects(request).await);
    }
    for part_number in [-1, 10_001] {
        let request = GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: "k".to_owned(),
            part_number,
            ..Default::default()
        };
        let answer = clients.objects.get_object(request).await;
        invalid("part", answer.map(|_| ()));
    }
    for content_length in [-1, i64::MIN, i64::MAX] {
        let spec = PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "new".to_owned(),
            content_length: Some(content_length),
            ..Default::default()
        };
        let request = PutObjectRequest {
            message: Some(put_object_request::Message::Spec(spec)),
        };
        let answer = clients
            .objects
            .put_object(tokio_stream::once(request))
            .await;
        invalid(&format!("length {content_length}"), answer);
    }
    for offset in [-1, 1, i64::MIN, i64::MAX] {
        let spec = PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: "new".to_owned(),
            ..Default::default()
        };
        let chunk = ObjectChunk {
            offset,
            data: Bytes::from_static(b"x"),
            ..Default::default()
        };
        let messages = [
            put_object_request::Message::Spec(spec),
            put_object_request::Message::Chunk(chunk),
        ]
        .map(|message| PutObjectRequest {
            message: Some(message),
        });
        let answer = clients
            .objects
            .put_object(tokio_stream::iter(messages))
            .await;
        invalid(&format!("offset {offset}"), answer);
    }
    assert_eq!(refusal(&wire.get("new")?), refused(404, "NoSuchKey"));
    Ok(())
}
