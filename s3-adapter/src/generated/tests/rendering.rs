use bucketry_contract::v1;
use prost_types::Timestamp;

use super::Fixture;
use crate::binding::Rendered;
use crate::generated::*;

fn body(rendered: &Rendered) -> &str {
    std::str::from_utf8(&rendered.body).unwrap()
}

fn header<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a str> {
    let value = rendered.headers.get(name)?;
    Some(std::str::from_utf8(value.as_bytes()).unwrap())
}

fn object(key: &str) -> v1::Object {
    v1::Object {
        bucket: "b".into(),
        key: key.into(),
        size: 3,
        etag: "e".into(),
        modify_time: Some(Timestamp {
            seconds: 784_111_777,
            nanos: 0,
        }),
        checksum: Some(v1::Checksum {
            algorithm: v1::ChecksumAlgorithm::Crc32 as i32,
            value: vec![0, 0, 0, 1].into(),
            r#type: v1::ChecksumType::FullObject as i32,
            part_count: 0,
        }),
        owner_id: "id".into(),
        owner_display_name: "name".into(),
        version_id: "v".into(),
        ..Default::default()
    }
}

fn list(path: &str, answer: &v1::ListObjectsResponse) -> String {
    let request = Fixture::new(path);
    let parsed = parse_list_objects_v2(&request.view()).unwrap();
    body(&render_list_objects_v2(&parsed, answer, &request.context())).to_owned()
}

#[test]
fn a_page_of_a_listing() {
    let answer = v1::ListObjectsResponse {
        objects: vec![object("a b&")],
        common_prefixes: vec!["p/".into()],
        next_page_token: "next".into(),
        ..Default::default()
    };
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
        <Prefix></Prefix><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter>\
        <NextContinuationToken>next</NextContinuationToken><IsTruncated>true</IsTruncated>\
        <KeyCount>2</KeyCount><Contents><Key>a b&amp;</Key><Size>3</Size>\
        <ETag>&quot;e&quot;</ETag><LastModified>1994-11-06T08:49:37.000Z</LastModified>\
        <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>\
        <StorageClass>STANDARD</StorageClass></Contents>\
        <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>";
    assert_eq!(
        list("/b?list-type=2&delimiter=/&max-keys=5000", &answer),
        expected
    );
}

#[test]
fn a_listing_shows_what_was_asked_for() {
    let objects = vec![object("a b+ü")];
    let answer = v1::ListObjectsResponse {
        objects,
        ..Default::default()
    };
    let path = "/b?list-type=2&fetch-owner=true&encoding-type=url&prefix=a%20b&start-after=&continuation-token=";
    let page = list(path, &answer);
    for part in [
        "<Owner><ID>id</ID><DisplayName>name</DisplayName></Owner>",
        "<Key>a%20b%2B%C3%BC</Key>",
        "<Prefix>a%20b</Prefix>",
        "<EncodingType>url</EncodingType>",
        "<StartAfter></StartAfter>",
        "<ContinuationToken></ContinuationToken>",
        "<IsTruncated>false</IsTruncated>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    for part in ["NextContinuationToken", "Delimiter", "VersionId"] {
        assert!(!page.contains(part), "{part} in {page}");
    }
}

#[test]
fn an_acl_says_what_its_grantee_is() {
    let grantee = v1::AclGrantee {
        r#type: v1::AclGranteeType::CanonicalUser.into(),
        id: "id".into(),
        display_name: "name".into(),
        ..Default::default()
    };
    let answer = v1::GetObjectAclResponse {
        policy: Some(v1::AccessControlPolicy {
            owner: Some(v1::AclOwner {
                id: "id".into(),
                display_name: "name".into(),
            }),
            grants: vec![v1::AclGrant {
                grantee: Some(grantee),
                permission: v1::AclPermission::FullControl.into(),
            }],
        }),
    };
    let request = Fixture::new("/b/k?acl");
    parse_get_object_acl(&request.view()).unwrap();
    let page = render_get_object_acl(&answer, &request.context());
    let expected = "<Owner><ID>id</ID><DisplayName>name</DisplayName></Owner><AccessControlList><Grant>\
        <Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">\
        <ID>id</ID><DisplayName>name</DisplayName></Grantee></Grant></AccessControlList></AccessControlPolicy>";
    let without_permission = body(&page).replace("<Permission>FULL_CONTROL</Permission>", "");
    assert!(without_permission.ends_with(expected), "{}", body(&page));
    assert_ne!(without_permission, body(&page));
}

#[test]
fn settings_that_cannot_be_set_read_as_in_s3() {
    let request = Fixture::new("/b?requestPayment");
    parse_get_bucket_request_payment(&request.view()).unwrap();
    let answer = v1::GetBucketResponse::default();
    let page = render_get_bucket_request_payment(&answer, &request.context());
    let expected = "<Payer>BucketOwner</Payer></RequestPaymentConfiguration>";
    assert!(body(&page).ends_with(expected), "{}", body(&page));
}

#[test]
fn a_page_of_versions() {
    let answer = v1::ListObjectVersionsResponse {
        versions: vec![v1::ObjectVersion {
            object: Some(object("a b")),
            version_id: "null".into(),
            is_latest: true,
        }],
        common_prefixes: vec!["p/".into()],
        next_key_marker: "p/".into(),
        next_version_id_marker: String::new(),
    };
    let path = "/b?versions&delimiter=/&encoding-type=url&key-marker=a%20&version-id-marker=null";
    let request = Fixture::new(path);
    let parsed = parse_list_object_versions(&request.view()).unwrap();
    let page = render_list_object_versions(&parsed, &answer, &request.context());
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
        <Prefix></Prefix><KeyMarker>a%20</KeyMarker><VersionIdMarker>null</VersionIdMarker>\
        <MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><EncodingType>url</EncodingType>\
        <NextKeyMarker>p/</NextKeyMarker><IsTruncated>true</IsTruncated>\
        <Version><Key>a%20b</Key><Size>3</Size><ETag>&quot;e&quot;</ETag>\
        <LastModified>1994-11-06T08:49:37.000Z</LastModified>\
        <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>\
        <Owner><ID>id</ID><DisplayName>name</DisplayName></Owner><VersionId>null</VersionId>\
        <IsLatest>true</IsLatest><StorageClass>STANDARD</StorageClass></Version>\
        <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListVersionsResult>";
    assert_eq!(body(&page), expected);
}

#[test]
fn the_first_version_of_listing_has_markers() {
    let answer = v1::ListObjectsResponse {
        next_start_after: "z".into(),
        ..Default::default()
    };
    for (path, marked) in [("/b?marker=m", false), ("/b?marker=m&delimiter=/", true)] {
        let request = Fixture::new(path);
        let parsed = parse_list_objects(&request.view()).unwrap();
        let page = render_list_objects(&parsed, &answer, &request.context());
        assert!(body(&page).contains("<Marker>m</Marker>"));
        assert!(body(&page).contains("<IsTruncated>true</IsTruncated>"));
        assert_eq!(
            body(&page).contains("<NextMarker>z</NextMarker>"),
            marked,
            "{path}"
        );
    }
}

#[test]
fn an_object_is_shown_in_headers() {
    let metadata = [("colour", "grün"), ("bad", "a\nb")];
    let attributes = v1::ObjectAttributes {
        content_type: "text/plain".into(),
        metadata: metadata
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        tagging: Some(v1::TagSet {
            tags: vec![v1::Tag::default(); 2],
        }),
        ..Default::default()
    };
    let answer = v1::ObjectHeader {
        object: Some(v1::Object {
            attributes: Some(attributes),
            ..object("k")
        }),
        content_range: Some(v1::ContentRange {
            start: 0,
            end: 1,
            size: 3,
        }),
        content_length: 2,
        ..Default::default()
    };
    let request =
        Fixture::new("/b/k?response-content-type=image/png").with("x-amz-checksum-mode", "ENABLED");
    let shown = render_get_object(&answer, &request.context());
    assert_eq!(shown.status.as_u16(), 206);
    for (name, value) in [
        ("etag", "\"e\""),
        ("content-range", "bytes 0-1/3"),
        ("content-length", "2"),
        ("content-type", "image/png"),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-amz-version-id", "v"),
        ("x-amz-meta-colour", "=?UTF-8?Q?gr=C3=BCn?="),
        ("x-amz-missing-meta", "1"),
        ("x-amz-tagging-count", "2"),
        ("x-amz-checksum-crc32", "AAAAAQ=="),
        ("x-amz-checksum-type", "FULL_OBJECT"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(header(&shown, name), Some(value), "{name}");
    }
    assert_eq!(header(&shown, "x-amz-mp-parts-count"), None);
    assert!(shown.body.is_empty());
}

#[test]
fn a_whole_object_is_shown_without_its_checksum_unless_asked() {
    let answer = v1::ObjectHeader {
        object: Some(object("k")),
        content_length: 3,
        ..Default::default()
    };
    let request = Fixture::new("/b/k");
    let shown = render_get_object(&answer, &request.context());
    assert_eq!(shown.status.as_u16(), 200);
    assert_eq!(header(&shown, "x-amz-checksum-crc32"), None);
    assert_eq!(header(&shown, "content-range"), None);
}

#[test]
fn the_location_of_the_first_region_is_empty() {
    let request = Fixture::new("/b?location");
    let shown = |region: &str| {
        let answer = v1::HeadBucketResponse {
            region: region.into(),
        };
        body(&render_get_bucket_location(&answer, &request.context())).to_owned()
    };
    let root = "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    assert!(shown("us-east-1").ends_with(&format!("{root}</LocationConstraint>")));
    assert!(shown("eu-west-1").ends_with(&format!("{root}eu-west-1</LocationConstraint>")));
}

#[test]
fn a_bucket_made_has_a_location() {
    let request = Fixture::new("/b");
    let answer = v1::CreateBucketResponse {
        bucket: Some(v1::Bucket::default()),
    };
    let shown = render_create_bucket(&answer, &request.context());
    assert_eq!(
        (header(&shown, "location"), shown.body.len()),
        (Some("/b"), 0)
    );
}

#[test]
fn a_composite_checksum_tells_its_parts() {
    let mut object = object("k");
    if let Some(checksum) = object.checksum.as_mut() {
        checksum.part_count = 2;
        checksum.r#type = v1::ChecksumType::Composite as i32;
    }
    let request = Fixture::new("/b/k?uploadId=u");
    let answer = v1::CompleteMultipartUploadResponse {
        object: Some(object),
    };
    let parsed = parse_complete_multipart_upload(&request.view()).unwrap();
    let shown = render_complete_multipart_upload(&parsed, &answer, &request.context());
    for part in [
        "<Location>http://localhost:9000/b/k</Location>",
        "<Bucket>b</Bucket>",
        "<Key>k</Key>",
        "<ChecksumCRC32>AAAAAQ==-2</ChecksumCRC32>",
        "<ChecksumType>COMPOSITE</ChecksumType>",
    ] {
        assert!(body(&shown).contains(part), "{part} in {}", body(&shown));
    }
    assert_eq!(header(&shown, "x-amz-version-id"), Some("v"));
}

fn upload() -> v1::MultipartUpload {
    v1::MultipartUpload {
        key: "k".into(),
        upload_id: "u".into(),
        owner_id: "id".into(),
        create_time: Some(Timestamp::default()),
        ..Default::default()
    }
}

#[test]
fn parts_are_listed_with_their_initiator() {
    let part = v1::Part {
        part_number: 1,
        size: 0,
        etag: "e".into(),
        ..Default::default()
    };
    let request = Fixture::new("/b/k?uploadId=u&max-parts=1");
    let parsed = parse_list_parts(&request.view()).unwrap();
    let answer = v1::ListPartsResponse {
        upload: Some(upload()),
        parts: vec![part],
        next_part_number_marker: 1,
    };
    let shown = render_list_parts(&parsed, &answer, &request.context());
    for expected in [
        "<PartNumberMarker>0</PartNumberMarker><MaxParts>1</MaxParts>",
        "<Initiator><ID>id</ID></Initiator>",
        "<IsTruncated>true</IsTruncated>",
        "<Part><PartNumber>1</PartNumber><Size>0</Size><ETag>&quot;e&quot;</ETag></Part>",
    ] {
        assert!(
            body(&shown).contains(expected),
            "{expected} in {}",
            body(&shown)
        );
    }
    assert!(!body(&shown).contains("Initiated"));
}

#[test]
fn uploads_are_listed_with_their_time() {
    let request = Fixture::new("/b?uploads");
    let parsed = parse_list_multipart_uploads(&request.view()).unwrap();
    let answer = v1::ListMultipartUploadsResponse {
        uploads: vec![upload()],
        ..Default::default()
    };
    let shown = render_list_multipart_uploads(&parsed, &answer, &request.context());
    let expected =
        "<Upload><Key>k</Key><UploadId>u</UploadId><Initiated>1970-01-01T00:00:00.000Z</Initiated>";
    assert!(body(&shown).contains(expected), "{}", body(&shown));
}

#[test]
fn buckets_are_listed_with_their_owner() {
    let bucket = v1::Bucket {
        name: "b".into(),
        region: "r".into(),
        create_time: Some(Timestamp::default()),
        ..Default::default()
    };
    let answer = v1::ListBucketsResponse {
        buckets: vec![bucket],
        owner_id: "id".into(),
        ..Default::default()
    };
    let request = Fixture::new("/");
    let shown = render_list_buckets(
        &v1::ListBucketsRequest::default(),
        &answer,
        &request.context(),
    );
    let expected = "<Owner><ID>id</ID></Owner><Buckets><Bucket><Name>b</Name><BucketRegion>r</BucketRegion>\
        <CreationDate>1970-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets>";
    assert!(body(&shown).contains(expected), "{}", body(&shown));
}

#[test]
fn attributes_are_shown_as_asked() {
    let request = Fixture::new("/b/k?attributes")
        .with("x-amz-object-attributes", "ETag, Checksum")
        .with("x-amz-object-attributes", "ObjectParts")
        .with("x-amz-max-parts", "1")
        .with("x-amz-part-number-marker", "2");
    let asked = parse_get_object_attributes(&request.view()).unwrap();
    assert_eq!(asked.attributes, [1, 2, 3]);
    assert_eq!((asked.page_size, asked.part_number_marker), (Some(1), 2));
    let checksum = object("k").checksum;
    let answer = v1::GetObjectAttributesResponse {
        etag: "e".into(),
        checksum: checksum.clone(),
        parts: Some(v1::ObjectParts {
            part_count: 3,
            part_number_marker: 2,
            next_part_number_marker: 0,
            page_size: 1,
            truncated: false,
            parts: vec![v1::ObjectPart {
                part_number: 3,
                size: 7,
                checksum,
            }],
        }),
        ..Default::default()
    };
    let rendered = render_get_object_attributes(&answer, &request.context());
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <GetObjectAttributesResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <ETag>e</ETag><Checksum><ChecksumCRC32>AAAAAQ==</ChecksumCRC32>\
        <ChecksumType>FULL_OBJECT</ChecksumType></Checksum><ObjectParts><PartsCount>3</PartsCount>\
        <PartNumberMarker>2</PartNumberMarker><NextPartNumberMarker>0</NextPartNumberMarker>\
        <MaxParts>1</MaxParts><IsTruncated>false</IsTruncated><Part><PartNumber>3</PartNumber>\
        <Size>7</Size><ChecksumCRC32>AAAAAQ==</ChecksumCRC32></Part></ObjectParts>\
        </GetObjectAttributesResponse>";
    assert_eq!(body(&rendered), expected);

    let none = render_get_object_attributes(&Default::default(), &request.context());
    assert!(body(&none).ends_with("2006-03-01/\"></GetObjectAttributesResponse>"));
}
