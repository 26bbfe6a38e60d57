//! Writes the compatibility page from the contract.

use crate::golden::uri;
use crate::model::{Contract, Operation};

/// The page as Markdown.
pub(crate) fn page(contract: &Contract) -> String {
    let mut page = String::from(HEAD);
    for operation in &contract.operations {
        page.push_str(&row(operation));
    }
    page.push_str(ACCEPTED);
    for accepted in &contract.rest.accepted {
        let values: Vec<String> = accepted
            .value
            .iter()
            .map(|value| format!("`{value}`"))
            .collect();
        page.push_str(&format!(
            "| `{}` | {} | {} |\n",
            accepted.header,
            values.join(", "),
            accepted.why
        ));
    }
    page.push_str(REFUSED);
    let served = |key: &&String| {
        !contract
            .operations
            .iter()
            .any(|op| op.query.iter().any(|known| known.name == **key))
    };
    let refused: Vec<String> = contract
        .operation_keys
        .iter()
        .filter(served)
        .map(|key| format!("`?{key}`"))
        .collect();
    page.push_str(&refused.join(", "));
    page.push_str(".\n");
    page
}

const HEAD: &str = "# S3 compatibility

Generated from the contract. Every operation with its request, its RPC, and the header, query and XML names that it takes
is in `s3-api.json`, and what it refuses: all that S3's own model (botocore) has for the operation and that is not taken.
That answers `NotImplemented` (501). What S3 gives no meaning is ignored, as S3 does; an unknown element of a body is
`MalformedXML`.

| operation | request | success | RPC | handler |
|---|---|---|---|---|
";

const ACCEPTED: &str = "
## Headers taken with some values only

Another value answers `NotImplemented` (501).

| header | values | why |
|---|---|---|
";

const REFUSED: &str = "
## Sub-resources that answer `NotImplemented`

";

fn row(operation: &Operation) -> String {
    let headers: String = operation
        .headers
        .iter()
        .map(|header| format!(" with `{header}`"))
        .collect();
    let statuses = operation
        .answer
        .status_when
        .iter()
        .map(|(_, status)| format!(", {status}"));
    let query = operation
        .query
        .iter()
        .map(|key| key.name.clone())
        .collect::<Vec<_>>()
        .join("&");
    let uri = match uri(operation) {
        uri if uri.contains('?') || query.is_empty() => uri,
        uri => format!("{uri}?{query}"),
    };
    format!(
        "| {} | `{} {uri}`{headers} | {}{} | {} | {} |\n",
        operation.name,
        operation.method.text(),
        operation.status,
        statuses.collect::<String>(),
        operation.rpc,
        if operation.hook { "hook" } else { "generated" }
    )
}
