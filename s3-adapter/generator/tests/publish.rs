//! The published set has no trace of the annotations and still builds.

mod contract;

use bucketry_s3_generator::publish::stripped_descriptor_set;
use prost_reflect::DescriptorPool;

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

#[test]
fn what_is_no_descriptor_set_is_refused() {
    assert!(stripped_descriptor_set(b"\xff\xff\xff").is_err());
}
