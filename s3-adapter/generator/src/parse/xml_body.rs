//! Writes the functions that read a request's XML body: one for the document, and one for each message in it.

use super::decoded::decoded;
use crate::codec::Codec;
use crate::model::{Body, ElementContent, FieldPath, Member, Operation, Shape};
use crate::source::{Code, function, is_option, place, request_type, rust_type};

pub(super) fn write(operation: &Operation, body: &Body, code: &mut Code) {
    let name = function("read", &operation.name);
    let root = format!("{name}_root");
    document(&name, &root, operation, body, code);
    let mut readers = Readers {
        prefix: name,
        count: 0,
        unwritten: vec![MessageReader {
            name: root,
            message: message_of(operation, &body.path),
            shape: &body.shape,
            hook_elements: &body.hook_elements,
        }],
    };
    while let Some(reader) = readers.unwritten.pop() {
        reader.write(body, &mut readers, code);
    }
}

/// Reads the root element, or does without it.
fn document(name: &str, root: &str, operation: &Operation, body: &Body, code: &mut Code) {
    let missing = if body.optional {
        "Ok(())"
    } else {
        "Err(ParseError::MissingBody)"
    };
    let target = if body.path.steps.is_empty() {
        "request".to_owned()
    } else {
        format!("{}.get_or_insert_default()", place("request", &body.path))
    };
    code.block(
        format!(
            "fn {name}(request: &mut {}, root: Option<&Element>) -> Result<(), ParseError> {{",
            request_type(operation)
        ),
        |code| {
            code.line(format!(
                "let Some(root) = root else {{ return {missing} }};"
            ));
            code.line(format!("decode::expect_root(root, {:?})?;", body.root));
            code.line(format!("{root}(root, {target})"));
        },
        "}",
    );
}

fn message_of(operation: &Operation, path: &FieldPath) -> String {
    match path.leaf().map(|leaf| leaf.kind()) {
        Some(prost_reflect::Kind::Message(message)) => rust_type(&message),
        _ => request_type(operation),
    }
}

/// A function that reads an element's attributes and children into a message.
struct MessageReader<'a> {
    name: String,
    /// The message's Rust type.
    message: String,
    shape: &'a Shape,
    hook_elements: &'a [String],
}

/// The readers of one body, numbered as they are called for the first time.
struct Readers<'a> {
    prefix: String,
    count: usize,
    unwritten: Vec<MessageReader<'a>>,
}

impl<'a> Readers<'a> {
    /// Adds a reader of a message within the body, and returns its name.
    fn add(&mut self, message: String, shape: &'a Shape) -> String {
        self.count += 1;
        let name = format!("{}_{}", self.prefix, self.count);
        self.unwritten.push(MessageReader {
            name: name.clone(),
            message,
            shape,
            hook_elements: &[],
        });
        name
    }
}

impl<'a> MessageReader<'a> {
    fn write(&self, body: &Body, readers: &mut Readers<'a>, code: &mut Code) {
        code.block(
            format!(
                "fn {}(element: &Element, out: &mut {}) -> Result<(), ParseError> {{",
                self.name, self.message
            ),
            |code| {
                self.shape
                    .members
                    .iter()
                    .filter_map(attribute)
                    .for_each(|read| code.line(read));
                code.block(
                    "for child in &element.children {",
                    |code| {
                        code.block(
                            "match child.name.as_str() {",
                            |code| self.children(body, readers, code),
                            "}",
                        );
                    },
                    "}",
                );
                code.line("Ok(())");
            },
            "}",
        );
    }

    fn children(&self, body: &Body, readers: &mut Readers<'a>, code: &mut Code) {
        for member in &self.shape.members {
            if attribute_name(member).is_none() {
                code.line(child(member, readers));
            }
        }
        for name in self.hook_elements {
            code.line("// The hook reads it.");
            code.line(format!("{name:?} => {{}}"));
        }
        for name in &body.refused {
            code.line(format!(
                "{name:?} => return Err(decode::unsupported_element(child)),"
            ));
        }
        code.line("_ => return Err(decode::unknown_element(child)),");
    }
}

/// Its name, if the member is an attribute of the message's own element.
fn attribute_name(member: &Member) -> Option<&str> {
    member.element.first()?.strip_prefix('@')
}

/// Reads an attribute, by its local name.
fn attribute(member: &Member) -> Option<String> {
    let name = attribute_name(member)?;
    let local = name.rsplit(':').next().unwrap_or(name);
    let ElementContent::Scalar(codec) = &member.node else {
        return None;
    };
    let source = format!("Source::Element({name:?})");
    let value = decoded(codec, &source, "value", member.min, member.max);
    let target = place("out", &member.path);
    Some(format!(
        "if let Some(value) = element.attribute({local:?}) {{ {target} = {value}?; }}"
    ))
}

/// The arm that reads a child element.
fn child<'a>(member: &'a Member, readers: &mut Readers<'a>) -> String {
    let name = member.element.join("/");
    let target = place("out", &member.path);
    let read = match &member.node {
        ElementContent::Scalar(Codec::Checksum) => {
            return format!(
                "name if decode::is_checksum_element(name) => {target} = Some(decode::checksum_element(name, &child.text)?),"
            );
        }
        ElementContent::Scalar(codec) => scalar(member, codec),
        ElementContent::Texts { codec, list } => {
            let each = match &list.item {
                Some(item) => Each::Within(item),
                None => Each::Child,
            };
            each.read(|of| format!("{target}.push({}?);", text(member, codec, of)))
        }
        ElementContent::Items {
            message,
            list,
            shape,
        } => {
            let message = rust_type(message);
            let reader = readers.add(message.clone(), shape);
            let each = match list.elements(&name) {
                (Some(_), item) => Each::Within(item),
                (None, _) => Each::Child,
            };
            each.read(|of| {
                format!("let mut item = {message}::default(); {reader}({of}, &mut item)?; {target}.push(item);")
            })
        }
        ElementContent::Struct { message, shape } => {
            let reader = readers.add(rust_type(message), shape);
            format!("{reader}(child, {target}.get_or_insert_default())?;")
        }
    };
    format!("{name:?} => {{ {read} }}")
}

/// An expression of a `Result` with the text of an element.
fn text(member: &Member, codec: &Codec, element: &str) -> String {
    let source = format!("Source::Element({:?})", member.element.join("/"));
    let value = format!("&{element}.text");
    decoded(codec, &source, &value, member.min, member.max)
}

fn scalar(member: &Member, codec: &Codec) -> String {
    let target = place("out", &member.path);
    let value = text(member, codec, "child");
    let option = member.path.leaf().is_some_and(is_option);
    match codec {
        // Nothing is set where S3 ignores the value.
        Codec::Int32 | Codec::Int64 | Codec::Time => {
            let found = if option { "Some(found)" } else { "found" };
            format!("if let Some(found) = {value}? {{ {target} = {found}; }}")
        }
        _ if option => format!("{target} = Some({value}?);"),
        _ => format!("{target} = {value}?;"),
    }
}

/// Where the items of a list are.
enum Each<'a> {
    /// The child is one of them.
    Child,
    /// They are the elements of this name in the child.
    Within(&'a str),
}

impl Each<'_> {
    /// Reads every item, by a statement on the variable that holds it.
    fn read(&self, statement: impl Fn(&str) -> String) -> String {
        match self {
            Self::Child => statement("child"),
            Self::Within(item) => format!(
                "for entry in decode::items(child, {item:?})? {{ {} }}",
                statement("entry")
            ),
        }
    }
}
