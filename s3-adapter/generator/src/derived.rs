//! Expressions of derived parts of an answer.

use crate::annotations::{DerivedRule, Form};
use crate::codec::Codec;
use crate::model::{DerivedMember, FieldPath};
use crate::render::{Style, encoded};
use crate::source::{condition, parent};

/// An expression of type `Option<Text>`; `root` is the answer, or the item in which it stands.
pub(crate) fn value(root: &str, derived: &DerivedMember) -> String {
    let value = match derived.rule {
        DerivedRule::NonEmpty => {
            let any: Vec<String> = derived
                .paths
                .iter()
                .map(|path| is_set(root, path))
                .collect();
            format!("encode::flag_always({})", any.join(" || "))
        }
        DerivedRule::Count => format!("encode::count({})", count(root, &derived.paths)),
        DerivedRule::CountIfAny => format!("encode::count_if_any({})", count(root, &derived.paths)),
        DerivedRule::Constant => format!("Some(Text::Borrowed({:?}))", derived.value),
        DerivedRule::Field => field_value(root, derived.paths.first()),
        DerivedRule::ResourcePath => "Some(context.resource_path())".to_owned(),
        DerivedRule::ResourceUrl => "Some(Text::Owned(context.resource_url()))".to_owned(),
        DerivedRule::Unspecified => "None".to_owned(),
    };
    match condition(derived.when.as_ref()) {
        Some(condition) => format!("if {condition} {{ {value} }} else {{ None }}"),
        None => value,
    }
}

fn field_value(root: &str, path: Option<&FieldPath>) -> String {
    let Some(path) = path else {
        return "None".to_owned();
    };
    let codec = path
        .leaf()
        .and_then(|leaf| Codec::of(leaf, Form::Unspecified))
        .unwrap_or(Codec::Text);
    let (parent, field) = parent(root, path);
    format!(
        "{parent}.and_then(|m| {})",
        encoded(
            &codec,
            path,
            &field,
            Style {
                always: false,
                xml: true
            }
        )
    )
}

fn is_set(root: &str, path: &FieldPath) -> String {
    let (parent, field) = parent(root, path);
    let number = path.leaf().is_some_and(|leaf| {
        matches!(
            leaf.kind(),
            prost_reflect::Kind::Int32 | prost_reflect::Kind::Int64
        ) && !leaf.is_list()
    });
    let test = if number {
        format!("m.{field} != 0")
    } else {
        format!("!m.{field}.is_empty()")
    };
    format!("{parent}.is_some_and(|m| {test})")
}

fn count(root: &str, paths: &[FieldPath]) -> String {
    let each = |path: &FieldPath| {
        let (parent, field) = parent(root, path);
        format!("{parent}.map_or(0, |m| m.{field}.len())")
    };
    paths.iter().map(each).collect::<Vec<_>>().join(" + ")
}
