//! The published set has no trace of the annotations and still builds.

use crate::contract;
use bucketry_s3_generator::publish::stripped_descriptor_set;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};

/// Fields of the published packages that hold a secret.
const REDACTED_FIELDS: usize = 10;

#[test]
fn the_published_set_is_whole_and_free_of_annotations() {
    let stripped = stripped_descriptor_set(&contract::real()).unwrap();
    // Decoding resolves every import and type name.
    let pool = DescriptorPool::decode(stripped.as_slice()).unwrap();
    assert_eq!(pool.all_extensions().count(), 0);
    let packages: Vec<String> = pool
        .files()
        .map(|file| file.package_name().to_owned())
        .collect();
    assert!(
        packages
            .iter()
            .all(|package| package == "bucketry.v1" || package == "google.protobuf"),
        "{packages:?}"
    );
    for service in ["ObjectService", "TokenService", "AdminService"] {
        assert!(
            pool.get_service_by_name(&format!("bucketry.v1.{service}"))
                .is_some()
        );
    }
    let field = pool
        .get_message_by_name("bucketry.v1.Object")
        .unwrap()
        .get_field_by_name("etag")
        .unwrap();
    assert_eq!(
        field.options().fields().count() + field.options().unknown_fields().count(),
        0
    );
}

/// What plain protoc needs to write Go and Java that compile, with a class of its own for each message.
#[test]
fn every_published_file_names_its_packages() {
    let stripped = stripped_descriptor_set(&contract::real()).unwrap();
    let pool = DescriptorPool::decode(stripped.as_slice()).unwrap();
    let ours = |file: &prost_reflect::FileDescriptor| file.package_name() == "bucketry.v1";
    let files: Vec<_> = pool.files().filter(ours).collect();
    assert!(files.len() > 5, "{}", files.len());
    for file in files {
        let options = file.file_descriptor_proto().options.clone().unwrap();
        let found = (options.go_package(), options.java_package());
        let expected = (
            "bucketry.dev/proto/bucketry/v1;bucketryv1",
            "dev.bucketry.v1",
        );
        assert_eq!(found, expected, "{}", file.name());
        assert!(options.java_multiple_files(), "{}", file.name());
    }
}

/// Not known to every library that handles descriptors; what generates SDKs knows it.
#[test]
fn options_that_are_not_ours_stay() {
    let stripped = stripped_descriptor_set(&contract::real()).unwrap();
    let pool = DescriptorPool::decode(contract::real().as_slice()).unwrap();
    let set = pool
        .get_message_by_name("google.protobuf.FileDescriptorSet")
        .unwrap();
    let set = DynamicMessage::decode(set, stripped.as_slice()).unwrap();
    let options = options(&set);
    let redacted = options
        .iter()
        .filter(|options| options.has_field_by_name("debug_redact"))
        .count();
    assert_eq!(redacted, REDACTED_FIELDS);
    assert!(
        options.iter().all(|options| options.encoded_len() > 0),
        "an empty options message is left"
    );
}

/// Every options message of a descriptor and of all in it.
fn options(descriptor: &DynamicMessage) -> Vec<DynamicMessage> {
    let mut found = Vec::new();
    for (field, value) in descriptor.fields() {
        match value {
            Value::Message(message) if field.name() == "options" => found.push(message.clone()),
            Value::List(values) => {
                found.extend(
                    values
                        .iter()
                        .filter_map(Value::as_message)
                        .flat_map(options),
                );
            }
            _ => {}
        }
    }
    found
}

#[test]
fn what_is_no_descriptor_set_is_refused() {
    assert!(stripped_descriptor_set(b"\xff\xff\xff").is_err());
}
