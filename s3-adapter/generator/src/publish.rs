//! The contract as it is published: without the S3 and access annotations (extension numbers are global in some
//! runtimes, so that two generated packages with the same numbers cannot be loaded together) and without the package of
//! the edge.

use prost::{DecodeError, Message};
use prost_reflect::{
    DescriptorError, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Value,
};

/// Packages that are not published.
const INTERNAL: [&str; 3] = [
    "bucketry.s3.v1",
    "bucketry.access.v1",
    "bucketry.adapter.v1",
];

const DESCRIPTOR: &str = "google/protobuf/descriptor.proto";
const SET: &str = "google.protobuf.FileDescriptorSet";

/// Why a set cannot be stripped.
#[derive(Debug, thiserror::Error)]
pub enum NotADescriptorSet {
    /// The bytes are not an encoded set.
    #[error("not a descriptor set: {0}")]
    Bytes(#[from] DecodeError),
    /// The set is not whole: something in it refers to what is not in it.
    #[error("not a whole descriptor set: {0}")]
    Set(#[from] DescriptorError),
    /// The set has no annotations, for it lacks the file that they extend.
    #[error("a descriptor set without {DESCRIPTOR}")]
    NotAnnotated,
}

/// The encoded `FileDescriptorSet` without annotations and internal packages. All else stays as it is, also options
/// that are younger than the libraries this is built with.
///
/// # Errors
/// [`NotADescriptorSet`] if `descriptor_set` is not an encoded, whole `FileDescriptorSet` with
/// `google/protobuf/descriptor.proto` in it.
pub fn stripped_descriptor_set(descriptor_set: &[u8]) -> Result<Vec<u8>, NotADescriptorSet> {
    let pool = DescriptorPool::decode(descriptor_set)?;
    let description = pool
        .get_message_by_name(SET)
        .ok_or(NotADescriptorSet::NotAnnotated)?;
    // A dynamic message keeps what it does not know; prost-types would drop it.
    let mut set = DynamicMessage::decode(description, descriptor_set)?;
    if let Some(Value::List(files)) = set.get_field_by_name_mut("file") {
        files.retain(|file| !is_internal(&text(file, "package")));
        files.iter_mut().for_each(strip_file);
        // If only options of ours needed the descriptor file, it goes with them.
        let needed = files
            .iter()
            .any(|file| dependencies(file).iter().any(|name| name == DESCRIPTOR));
        files.retain(|file| needed || text(file, "name") != DESCRIPTOR);
    }
    Ok(set.encode_to_vec())
}

fn is_internal(package: &str) -> bool {
    INTERNAL.contains(&package)
}

fn strip_file(file: &mut Value) {
    if let Value::Message(file) = file {
        strip_imports(file);
        strip_annotations(file);
    }
}

/// Drops our extensions wherever they stand, and the options that held nothing else.
fn strip_annotations(message: &mut DynamicMessage) {
    let ours: Vec<ExtensionDescriptor> = message
        .extensions()
        .map(|(extension, _)| extension)
        .filter(|extension| is_internal(extension.package_name()))
        .collect();
    for extension in &ours {
        message.clear_extension(extension);
    }
    for (_, value) in message.fields_mut() {
        match value {
            Value::Message(inner) => strip_annotations(inner),
            Value::List(values) => values
                .iter_mut()
                .filter_map(Value::as_message_mut)
                .for_each(strip_annotations),
            _ => {}
        }
    }
    let hollow: Vec<FieldDescriptor> = message
        .fields()
        .filter(|(field, value)| field.name() == "options" && is_hollow(value))
        .map(|(field, _)| field)
        .collect();
    for field in &hollow {
        message.clear_field(field);
    }
}

fn is_hollow(value: &Value) -> bool {
    value
        .as_message()
        .is_some_and(|message| message.encoded_len() == 0)
}

/// Drops imports of internal packages, and moves the marks on public and weak imports along.
fn strip_imports(file: &mut DynamicMessage) {
    let kept: Vec<bool> = strings(file, "dependency")
        .iter()
        .map(|name| !is_internal_file(name))
        .collect();
    for marks in ["public_dependency", "weak_dependency"] {
        if file.has_field_by_name(marks)
            && let Some(Value::List(marks)) = file.get_field_by_name_mut(marks)
        {
            *marks = moved(marks, &kept);
        }
    }
    if let Some(Value::List(names)) = file.get_field_by_name_mut("dependency") {
        names.retain(|name| !name.as_str().is_some_and(is_internal_file));
    }
}

/// Places in a list, after those that are not `kept` have left it.
fn moved(marks: &[Value], kept: &[bool]) -> Vec<Value> {
    marks
        .iter()
        .filter_map(|mark| usize::try_from(mark.as_i32()?).ok())
        .filter(|&mark| kept.get(mark) == Some(&true))
        .map(|mark| kept.iter().take(mark).filter(|kept| **kept).count())
        .filter_map(|place| i32::try_from(place).ok())
        .map(Value::I32)
        .collect()
}

fn dependencies(file: &Value) -> Vec<String> {
    file.as_message()
        .map(|file| strings(file, "dependency"))
        .unwrap_or_default()
}

fn strings(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field);
    value
        .as_deref()
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

fn text(message: &Value, field: &str) -> String {
    message
        .as_message()
        .and_then(|message| message.get_field_by_name(field))
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn is_internal_file(name: &str) -> bool {
    INTERNAL.iter().any(|package| {
        let folder = format!("{}/", package.replace('.', "/"));
        name.starts_with(&folder)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_move_with_their_imports() {
        let marks = [0, 1, 3].map(Value::I32);
        assert_eq!(
            moved(&marks, &[false, true, false, true]),
            [Value::I32(0), Value::I32(1)]
        );
        // A mark of no import.
        assert_eq!(moved(&[Value::I32(7), Value::I32(-1)], &[true]), []);
    }
}
