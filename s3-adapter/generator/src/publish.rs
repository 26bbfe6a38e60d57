//! The contract as it is published: without the S3 and access annotations (extension numbers are global in some
//! runtimes, so that two generated packages with the same numbers cannot be loaded together) and without the package of
//! the edge.

use prost::Message;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};

/// Packages that are not published.
const INTERNAL: [&str; 3] = [
    "bucketry.s3.v1",
    "bucketry.access.v1",
    "bucketry.adapter.v1",
];

/// Why a set cannot be stripped.
#[derive(Debug, thiserror::Error)]
#[error("not a descriptor set: {0}")]
pub struct NotADescriptorSet(#[from] prost::DecodeError);

/// The encoded `FileDescriptorSet` without annotations and internal packages.
///
/// # Errors
/// If `descriptor_set` is not an encoded `FileDescriptorSet`.
pub fn stripped_descriptor_set(descriptor_set: &[u8]) -> Result<Vec<u8>, NotADescriptorSet> {
    // prost-types knows no extensions: decoding drops every option of ours, and keeps the standard ones.
    let mut set = FileDescriptorSet::decode(descriptor_set)?;
    set.file.retain(|file| !is_internal(file.package()));
    set.file.iter_mut().for_each(strip);
    // Only options of ours needed the descriptor file.
    let needed = set
        .file
        .iter()
        .any(|file| file.dependency.iter().any(|name| name == DESCRIPTOR));
    set.file.retain(|file| needed || file.name() != DESCRIPTOR);
    Ok(set.encode_to_vec())
}

const DESCRIPTOR: &str = "google/protobuf/descriptor.proto";

fn is_internal(package: &str) -> bool {
    INTERNAL.contains(&package)
}

/// Drops imports of internal packages, and moves the marks on public and weak imports along.
fn strip(file: &mut FileDescriptorProto) {
    let kept: Vec<bool> = file
        .dependency
        .iter()
        .map(|name| !is_internal_file(name))
        .collect();
    let moved = |marks: &[i32]| -> Vec<i32> {
        let index = |mark: &i32| {
            usize::try_from(*mark)
                .ok()
                .filter(|index| kept.get(*index) == Some(&true))
        };
        let place = |index: usize| kept.iter().take(index).filter(|kept| **kept).count();
        marks
            .iter()
            .filter_map(index)
            .filter_map(|index| i32::try_from(place(index)).ok())
            .collect()
    };
    file.public_dependency = moved(&file.public_dependency);
    file.weak_dependency = moved(&file.weak_dependency);
    file.dependency.retain(|name| !is_internal_file(name));
}

fn is_internal_file(name: &str) -> bool {
    INTERNAL.iter().any(|package| {
        let folder = format!("{}/", package.replace('.', "/"));
        name.starts_with(&folder)
    })
}
