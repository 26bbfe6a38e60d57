//! Writes the enum of all typed requests and its methods, each a match over the operations.

use crate::model::Operation;
use crate::source::{Code, function, request_type};

pub(super) fn write(operations: &[Operation], code: &mut Code) {
    variants(operations, code);
    code.block(
        "impl ParsedRequest {",
        |code| {
            parse(operations, code);
            read_body(operations, code);
            operation(operations, code);
            actions(operations, code);
        },
        "}",
    );
}

fn variants(operations: &[Operation], code: &mut Code) {
    code.line("/// The request of an operation, typed.");
    code.line("#[derive(Debug, Clone, PartialEq)]");
    code.block(
        "pub enum ParsedRequest {",
        |code| {
            for operation in operations {
                code.line(format!("/// Of {}.", operation.name));
                code.line(format!("{}({}),", operation.name, request_type(operation)));
            }
        },
        "}",
    );
}

fn parse(operations: &[Operation], code: &mut Code) {
    code.line(
        "/// Reads URI, query and headers: all that authorization needs. What S3 gives a meaning and",
    );
    code.line("/// the operation does not honour is refused.");
    errors(code);
    code.block(
        "pub fn parse(operation: Operation, view: &RequestView<'_>) -> Result<Self, ParseError> {",
        |code| {
            code.line("view.refuse_unsupported(operation)?;");
            arms("match operation {", operations, code, |operation| {
                format!(
                    "Operation::{0} => {1}(view).map(Self::{0}),",
                    operation.name,
                    function("parse", &operation.name)
                )
            });
        },
        "}",
    );
}

fn read_body(operations: &[Operation], code: &mut Code) {
    code.line("/// Reads the XML body of an operation whose [`Operation::body`] is XML.");
    errors(code);
    code.block(
        "pub fn read_body(&mut self, root: Option<&Element>) -> Result<(), ParseError> {",
        |code| {
            arms(
                "match self {",
                operations,
                code,
                |operation| match operation.request.body {
                    Some(_) => format!(
                        "Self::{}(request) => {}(request, root),",
                        operation.name,
                        function("read", &operation.name)
                    ),
                    None => format!("Self::{}(_) => Ok(()),", operation.name),
                },
            );
        },
        "}",
    );
}

fn errors(code: &mut Code) {
    code.line("///");
    code.line("/// # Errors");
    code.line("/// [`ParseError`].");
}

fn operation(operations: &[Operation], code: &mut Code) {
    code.line("/// The operation.");
    code.line("#[must_use]");
    code.block(
        "pub fn operation(&self) -> Operation {",
        |code| {
            arms("match self {", operations, code, |operation| {
                format!("Self::{0}(_) => Operation::{0},", operation.name)
            });
        },
        "}",
    );
}

fn actions(operations: &[Operation], code: &mut Code) {
    code.line("/// The actions that it needs: all of them must be allowed.");
    code.line("#[must_use]");
    code.block(
        "pub fn actions(&self) -> Vec<ActionAccess> {",
        |code| {
            arms("match self {", operations, code, |operation| {
                format!("Self::{}(request) => request.actions(),", operation.name)
            });
        },
        "}",
    );
}

/// A match with one arm for each operation, so that the adapter stops compiling where one is missing.
fn arms(open: &str, operations: &[Operation], code: &mut Code, arm: impl Fn(&Operation) -> String) {
    code.block(
        open,
        |code| {
            operations
                .iter()
                .for_each(|operation| code.line(arm(operation)));
        },
        "}",
    );
}
