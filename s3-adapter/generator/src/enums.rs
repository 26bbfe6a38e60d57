//! Writes the S3 texts of enums.

use heck::ToSnakeCase;

use crate::model::{Contract, WireEnum};
use crate::source::Code;

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    contract
        .enums
        .iter()
        .for_each(|wire| both_ways(wire, &mut code));
    code.finish()
}

/// The function that gives the text of a value.
pub(crate) fn text_of(name: &str) -> String {
    format!("text_of_{}", name.to_snake_case())
}

/// The function that gives the value of a text.
pub(crate) fn value_of(name: &str) -> String {
    format!("value_of_{}", name.to_snake_case())
}

fn both_ways(wire: &WireEnum, code: &mut Code) {
    let name = &wire.name;
    code.line(format!(
        "/// The S3 text of a `{name}`; none for an unspecified or unknown one."
    ));
    code.block(
        format!(
            "#[must_use]\npub fn {}(value: i32) -> Option<&'static str> {{\n    match value {{",
            text_of(name)
        ),
        |code| {
            wire.values
                .iter()
                .for_each(|(number, text)| code.line(format!("    {number} => Some({text:?}),")));
            code.line("    _ => None,");
        },
        "    }\n}",
    );
    code.line(format!(
        "/// The `{name}` of an S3 text, in any case: clients differ, and S3 accepts all of them."
    ));
    code.block(
        format!(
            "#[must_use]\npub fn {}(text: &str) -> Option<i32> {{\n    match text {{",
            value_of(name)
        ),
        |code| {
            wire.values.iter().for_each(|(number, text)| {
                code.line(format!(
                    "    text if text.eq_ignore_ascii_case({text:?}) => Some({number}),"
                ))
            });
            code.line("    _ => None,");
        },
        "    }\n}",
    );
}
