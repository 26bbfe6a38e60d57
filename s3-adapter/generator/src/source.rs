//! Rust text in the making, and the names and expressions that several emitters share.

use std::collections::BTreeSet;
use std::fmt::Display;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::annotations::When;
use crate::model::{FieldPath, Operation};

/// Lines of code, indented by depth.
#[derive(Debug, Default)]
pub(crate) struct Code {
    text: String,
    depth: usize,
}

impl Code {
    /// One line.
    pub(crate) fn line(&mut self, line: impl Display) {
        for _ in 0..self.depth {
            self.text.push_str("    ");
        }
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    /// A line that opens a block, what is in it, and the line that closes it.
    pub(crate) fn block(
        &mut self,
        open: impl Display,
        inside: impl FnOnce(&mut Self),
        close: impl Display,
    ) {
        self.line(open);
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line(close);
    }

    /// What has been written.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// The Rust name of a field.
pub(crate) fn ident(name: &str) -> String {
    const KEYWORDS: [&str; 12] = [
        "type", "match", "move", "ref", "use", "where", "loop", "impl", "in", "as", "async",
        "override",
    ];
    if KEYWORDS.contains(&name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// The Rust path of a message of the contract.
pub(crate) fn rust_type(message: &MessageDescriptor) -> String {
    format!("{}::{}", module_of(message.package_name()), message.name())
}

/// The module that holds a package's types, with its version: `v1` or `adapter::v1`.
pub(crate) fn module_of(package: &str) -> String {
    let inner = package.strip_prefix("bucketry.").unwrap_or(package);
    inner.replace('.', "::")
}

/// Whether prost wraps the field in an `Option`.
pub(crate) fn is_option(field: &FieldDescriptor) -> bool {
    !field.is_list() && !field.is_map() && field.supports_presence()
}

/// The function that belongs to an operation: `parse_list_objects_v2`.
pub(crate) fn function(prefix: &str, operation: &str) -> String {
    format!("{prefix}_{}", method_name(operation))
}

/// An operation's name as a method: `list_objects_v2`.
pub(crate) fn method_name(operation: &str) -> String {
    operation.to_snake_case()
}

/// The variant of an enum value without the enum's prefix.
pub(crate) fn variant(value: &str) -> String {
    value.to_upper_camel_case()
}

/// `Option<&Parent>` of the field at the end of the path, and the field's Rust name. `root` is an expression of type
/// reference.
pub(crate) fn parent(root: &str, path: &FieldPath) -> (String, String) {
    let mut expression = format!("Some({root})");
    let Some((leaf, above)) = path.steps.split_last() else {
        return (expression, String::new());
    };
    for step in above {
        expression.push_str(&format!(".and_then(|m| m.{}.as_ref())", ident(step.name())));
    }
    (expression, ident(leaf.name()))
}

/// The place of a field in a request under construction, its messages made on the way.
pub(crate) fn place(root: &str, path: &FieldPath) -> String {
    let mut expression = root.to_owned();
    for (index, step) in path.steps.iter().enumerate() {
        expression.push_str(&format!(".{}", ident(step.name())));
        let more = index + 1 < path.steps.len();
        if more && matches!(step.kind(), Kind::Message(_)) {
            expression.push_str(".get_or_insert_default()");
        }
    }
    expression
}

/// The condition of a `when` on the context.
pub(crate) fn condition(when: Option<&When>) -> Option<String> {
    let when = when?;
    let (kind, name) = match when.query.is_empty() {
        true => ("header", header_name(&when.header)),
        false => ("query", format!("{:?}", when.query)),
    };
    Some(match when.value.is_empty() {
        true => format!("context.view.has_{kind}({name})"),
        false => format!("context.view.{kind}_is({name}, {:?})", when.value),
    })
}

/// An expression of type `&'static HeaderName`, so that no request reads the name from its text.
pub(crate) fn header_name(name: &str) -> String {
    format!("{{ static NAME: HeaderName = HeaderName::from_static({name:?}); &NAME }}")
}

/// The tags of an element.
pub(crate) fn tag(element: &str) -> String {
    format!("tag!({element:?})")
}

/// The type of an operation's request.
pub(crate) fn request_type(operation: &Operation) -> String {
    rust_type(&operation.request.message)
}

/// The type of an operation's answer.
pub(crate) fn answer_type(operation: &Operation) -> String {
    rust_type(&operation.answer.message)
}

/// Names as a slice of string literals, sorted, each once.
pub(crate) fn string_list(names: impl IntoIterator<Item = String>) -> String {
    let names: BTreeSet<String> = names.into_iter().collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("&[{}]", quoted.join(", "))
}
