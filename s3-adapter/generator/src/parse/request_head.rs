//! Writes the functions that read a request's URI, query and headers.

use super::decoded::decoded;
use crate::annotations::Form;
use crate::codec::Codec;
use crate::model::{FieldPath, LabelPart, Mask, MemberPlace, Operation, PathChange, RequestMember};
use crate::source::{Code, function, header_name, ident, is_option, place, request_type};

pub(super) fn write(operation: &Operation, code: &mut Code) {
    let request = &operation.request;
    let of = request_type(operation);
    code.line(format!(
        "/// Reads the head of a {} request.\n///\n/// # Errors\n/// [`ParseError`].",
        operation.name
    ));
    code.block(
        format!(
            "pub fn {}(view: &RequestView<'_>) -> Result<{of}, ParseError> {{",
            function("parse", &operation.name)
        ),
        |code| {
            code.line(format!("let mut request = {of}::default();"));
            for member in &request.members {
                self::member(member, code);
            }
            for (path, value) in &request.constants {
                constant(path, value, code);
            }
            if let Some(mask) = &operation.mask {
                self::mask(operation, mask, code);
            }
            checks(operation, code);
            code.line("Ok(request)");
        },
        "}",
    );
}

/// Sets a field that S3 always sets.
fn constant(path: &FieldPath, value: &str, code: &mut Code) {
    let codec = path
        .leaf()
        .and_then(|leaf| Codec::of(leaf, Form::Unspecified));
    let value = match codec {
        Some(Codec::Text) => format!("{value:?}.to_owned()"),
        _ => value.to_owned(),
    };
    code.line(format!("{} = {value};", place("request", path)));
}

/// Names the one path that the operation reads or changes.
fn mask(operation: &Operation, mask: &Mask, code: &mut Code) {
    code.line(format!(
        "request.{}.get_or_insert_default().paths.push({:?}.to_owned());",
        ident(&mask.field),
        mask.path
    ));
    if let (Some(body), PathChange::Set) = (&operation.request.body, mask.change) {
        code.line("// The body fills it later; until then it must not look cleared.");
        code.line(format!(
            "{}.get_or_insert_default();",
            place("request", &body.path)
        ));
    }
}

/// Checks parameters that fill no field of the request: rendering reads them.
fn checks(operation: &Operation, code: &mut Code) {
    if operation.encoding_type {
        code.line("view.encoding_type()?;");
    }
    for replaced in &operation.answer.overrides {
        code.line(format!("view.replaced_header({:?})?;", replaced.query));
    }
}

fn member(member: &RequestMember, code: &mut Code) {
    let target = place("request", &member.path);
    match &member.place {
        MemberPlace::Label(LabelPart::Bucket) => code.line(format!("{target} = view.bucket();")),
        MemberPlace::Label(LabelPart::Key) => code.line(format!("{target} = view.key();")),
        MemberPlace::HeaderPrefix(prefix) => {
            code.line(format!("let metadata = view.metadata({prefix:?})?;"));
            code.block(
                "if !metadata.is_empty() {",
                |code| code.line(format!("{target} = metadata;")),
                "}",
            );
        }
        MemberPlace::Header(_) if member.codec == Codec::Checksum => {
            code.block(
                "if let Some(checksum) = decode::checksum_headers(view)? {",
                |code| code.line(format!("{target} = Some(checksum);")),
                "}",
            );
        }
        MemberPlace::Header(name) => {
            let source = format!("Source::Header({name:?})");
            code.block(
                format!(
                    "if let Some(value) = view.header({})? {{",
                    header_name(name)
                ),
                |code| assign(member, &target, &source, code),
                "}",
            );
        }
        MemberPlace::Query(name) => {
            let source = format!("Source::Query({name:?})");
            code.block(
                format!("if let Some(value) = view.query.get({name:?}) {{"),
                |code| assign(member, &target, &source, code),
                "}",
            );
        }
    }
}

fn assign(member: &RequestMember, target: &str, source: &str, code: &mut Code) {
    let value = decoded(&member.codec, source, "&value", member.min, member.max);
    match &member.codec {
        Codec::CommaList(item) => {
            let item = decoded(item, source, "item", member.min, member.max);
            code.line(format!(
                "for item in decode::comma_list(&value) {{ {target}.push({item}?); }}"
            ));
        }
        // Nothing is set where S3 ignores the value.
        Codec::Int32 | Codec::Int64 | Codec::Time | Codec::Range => {
            let some = member.path.leaf().is_some_and(is_option);
            let number = if some { "Some(found)" } else { "found" };
            code.line(format!(
                "if let Some(found) = {value}? {{ {target} = {number}; }}"
            ));
        }
        _ if member.path.leaf().is_some_and(is_option) => {
            code.line(format!("{target} = Some({value}?);"))
        }
        _ => code.line(format!("{target} = {value}?;")),
    }
}
