use bucketry_contract::v1;

use super::Fixture;
use crate::binding::{BodyKind, Need};
use crate::error::S3Error;
use crate::generated::{Operation, ParsedRequest};
use crate::xml;

fn read(operation: Operation, path: &str, document: &str) -> Result<ParsedRequest, S3Error> {
    let request = Fixture::new(path);
    let mut parsed = ParsedRequest::parse(operation, &request.view())?;
    let root = match document {
        "" => None,
        document => Some(xml::parse(document.as_bytes(), 1 << 20)?),
    };
    parsed.read_body(root.as_ref())?;
    Ok(parsed)
}

fn code(operation: Operation, path: &str, document: &str) -> String {
    read(operation, path, document)
        .unwrap_err()
        .code()
        .to_owned()
}

const TAGS: &str = "<Tagging><TagSet><Tag><Key>a</Key><Value> 1</Value></Tag>\
    <Tag><Value/><Key>b</Key></Tag></TagSet></Tagging>";

#[test]
fn tags_fill_the_field_of_the_mask() {
    match read(Operation::PutBucketTagging, "/b?tagging", TAGS) {
        Ok(ParsedRequest::PutBucketTagging(request)) => {
            let bucket = request.bucket.unwrap();
            let tags = bucket.tagging.unwrap().tags;
            let tags: Vec<_> = tags
                .iter()
                .map(|tag| (tag.key.as_str(), tag.value.as_str()))
                .collect();
            assert_eq!(tags, [("a", " 1"), ("b", "")]);
            assert_eq!(bucket.name, "b");
            assert_eq!(request.update_mask.unwrap().paths, ["tagging"]);
        }
        other => panic!("{other:?}"),
    }
    match read(
        Operation::PutObjectTagging,
        "/b/k?tagging&versionId=v",
        TAGS,
    ) {
        Ok(ParsedRequest::PutObjectTagging(request)) => {
            let object = request.object.unwrap();
            assert_eq!((object.bucket.as_str(), object.key.as_str()), ("b", "k"));
            assert_eq!(object.version_id, "v");
            assert_eq!(object.attributes.unwrap().tagging.unwrap().tags.len(), 2);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_delete_names_the_path_and_leaves_the_field_empty() {
    match read(Operation::DeleteBucketCors, "/b?cors", "") {
        Ok(ParsedRequest::DeleteBucketCors(request)) => {
            assert_eq!(request.update_mask.unwrap().paths, ["cors"]);
            assert_eq!(request.bucket.unwrap().cors, None);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn cors_rules_keep_their_lists() {
    let document = "<CORSConfiguration><CORSRule><ID>one</ID><AllowedOrigin>*</AllowedOrigin>\
        <AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>\
        <MaxAgeSeconds>0</MaxAgeSeconds></CORSRule><CORSRule/></CORSConfiguration>";
    match read(Operation::PutBucketCors, "/b?cors", document) {
        Ok(ParsedRequest::PutBucketCors(request)) => {
            let rules = request.bucket.unwrap().cors.unwrap().rules;
            assert_eq!((rules.len(), rules[0].allowed_methods.len()), (2, 2));
            assert_eq!(
                (rules[0].max_age_seconds, rules[1].max_age_seconds),
                (Some(0), None)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_acl_has_the_type_of_its_grantees() {
    let document = "<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList><Grant>\
        <Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>u</URI></Grantee>\
        <Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>";
    match read(Operation::PutObjectAcl, "/b/k?acl", document) {
        Ok(ParsedRequest::PutObjectAcl(request)) => {
            let policy = request.acl.unwrap().policy.unwrap();
            assert_eq!(policy.owner.unwrap().id, "o");
            let grantee = policy.grants[0].grantee.clone().unwrap();
            assert_eq!(grantee.r#type(), v1::AclGranteeType::Group);
            assert_eq!(grantee.uri, "u");
            assert_eq!(policy.grants[0].permission(), v1::AclPermission::Read);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn completed_parts_have_checksums() {
    let document = "<CompleteMultipartUpload><Part><PartNumber>2</PartNumber>\
        <ETag>&quot;abc&quot;</ETag><ChecksumCRC32C>AAAAAA==</ChecksumCRC32C></Part>\
        <Part><ETag>def</ETag><PartNumber> 3 </PartNumber></Part></CompleteMultipartUpload>";
    match read(
        Operation::CompleteMultipartUpload,
        "/b/k?uploadId=u",
        document,
    ) {
        Ok(ParsedRequest::CompleteMultipartUpload(request)) => {
            let parts = request
                .parts
                .iter()
                .map(|part| (part.part_number, part.etag.as_str()));
            assert_eq!(parts.collect::<Vec<_>>(), [(2, "abc"), (3, "def")]);
            let checksum = request.parts[0].checksum.clone().unwrap();
            assert_eq!(checksum.algorithm(), v1::ChecksumAlgorithm::Crc32c);
        }
        other => panic!("{other:?}"),
    }
    let zero = "<CompleteMultipartUpload><Part><PartNumber>0</PartNumber></Part></CompleteMultipartUpload>";
    assert_eq!(
        code(Operation::CompleteMultipartUpload, "/b/k?uploadId=u", zero),
        "InvalidArgument"
    );
}

#[test]
fn delete_objects_has_conditions_per_key() {
    let document = "<Delete><Quiet>true</Quiet><Object><Key>a</Key><ETag>\"e\"</ETag></Object>\
        <Object><Key> b </Key><VersionId>v</VersionId></Object></Delete>";
    match read(Operation::DeleteObjects, "/b?delete", document) {
        Ok(ParsedRequest::DeleteObjects(request)) => {
            assert!(request.allow_missing);
            assert_eq!(
                request.objects[0].precondition.clone().unwrap().if_match,
                ["e"]
            );
            assert_eq!(request.objects[1].key, " b ");
            assert_eq!(request.objects[1].version_id, "v");
        }
        other => panic!("{other:?}"),
    }
    let directory = "<Delete><Object><Key>a</Key><Size>3</Size></Object></Delete>";
    assert_eq!(
        code(Operation::DeleteObjects, "/b?delete", directory),
        "NotImplemented"
    );
}

#[test]
fn create_bucket_takes_a_region_or_nothing() {
    let document = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
        </CreateBucketConfiguration>";
    for (document, region) in [("", ""), (document, "eu-west-1")] {
        match read(Operation::CreateBucket, "/b", document) {
            Ok(ParsedRequest::CreateBucket(request)) => assert_eq!(request.region, region),
            other => panic!("{other:?}"),
        }
    }
    let tags = "<CreateBucketConfiguration><Tags/></CreateBucketConfiguration>";
    assert_eq!(code(Operation::CreateBucket, "/b", tags), "NotImplemented");
    let kind = BodyKind::Xml {
        root: "CreateBucketConfiguration",
        need: Need::Optional,
    };
    assert_eq!(Operation::CreateBucket.body(), kind);
}

#[test]
fn what_is_not_the_document_is_malformed() {
    let wrong = [
        ("<CORSConfiguration/>", "MalformedXML"),
        (
            "<Tagging><TagSet><Other/></TagSet></Tagging>",
            "MalformedXML",
        ),
        ("<Tagging><Tags/></Tagging>", "MalformedXML"),
        ("", "MissingRequestBodyError"),
    ];
    for (document, expected) in wrong {
        let found = code(Operation::PutBucketTagging, "/b?tagging", document);
        assert_eq!(found, expected, "{document}");
    }
    let nobody = "<OwnershipControls><Rule><ObjectOwnership>Nobody</ObjectOwnership></Rule></OwnershipControls>";
    let found = code(
        Operation::PutBucketOwnershipControls,
        "/b?ownershipControls",
        nobody,
    );
    assert_eq!(found, "MalformedXML");
}
