//! Writes the compatibility page: S3's operations from the contract, and real clients from what they reported.

use std::fmt::Write;

use serde::Deserialize;

use crate::golden::uri;
use crate::model::{Contract, Operation};
use crate::s3_model::S3Operation;

/// What one client did against this server, as its run reported it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ClientResult {
    /// Its name, with the variant.
    pub client: String,
    /// The version that ran.
    pub version: String,
    /// `quick`: in every run of the tests; `slow`: in the run of all clients.
    pub lane: String,
    /// By which scheme and style of addressing, as in `https, virtual`.
    pub runs: Vec<String>,
    /// What it did, with every byte compared.
    pub exercised: Vec<String>,
}

/// The page as Markdown.
pub(crate) fn page(contract: &Contract, clients: &[ClientResult]) -> String {
    let mut page = HEAD.replace("{source}", &contract.s3.source);
    for (name, known) in &contract.s3.operations {
        // S3 keeps former names of some operations, as GetBucketLifecycle.
        let same = |op: &&Operation| op.method.text() == known.method && uri(op) == known.uri;
        let served = contract.operations.iter().find(|op| op.name == *name);
        let served = served.or_else(|| contract.operations.iter().find(same));
        page.push_str(&support(contract, name, known, served));
    }
    page.push_str(OURS);
    for operation in &contract.operations {
        if !contract.s3.operations.contains_key(&operation.name) {
            page.push_str(&served_row(
                &operation.name,
                operation,
                "not in botocore's model",
            ));
        }
    }
    page.push_str(ACCEPTED);
    for accepted in &contract.rest.accepted {
        let values = code_list(&accepted.value);
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {values} | {} |",
            accepted.header, accepted.why
        );
    }
    page.push_str(DIFFERENCES);
    page.push_str(include_str!("../differences.md"));
    page.push_str(CLIENTS);
    for client in clients {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            client.client,
            client.version,
            client.runs.join("; "),
            client.exercised.join(", "),
            if client.lane == "quick" {
                "every run"
            } else {
                "`tests/run clients`"
            }
        );
    }
    page
}

const HEAD: &str = "# S3 compatibility

Generated from the contract, from S3's own model ({source}) and from what real clients reported
(`tests/clients/results.json`).

Every operation with its request, its RPC, and the names that it takes and refuses is in `s3-api.json`. What S3 gives a
meaning with an operation and bucketry does not honour is refused with `NotImplemented` (501). What has no meaning in S3
is ignored, as S3 does. An unknown element of a body is `MalformedXML`.

## Operations

*full*: every header, parameter and element that S3 has for the operation is accepted. *partial*: the names listed are
refused, or accepted with some values only (see below). *no*: 501.

| operation | | request | RPC | what is missing |
|---|---|---|---|---|
";

const OURS: &str = "
## Operations outside that model

| operation | | request | RPC | |
|---|---|---|---|---|
";

const ACCEPTED: &str = "
## Headers accepted with some values only

Any other value is refused with `NotImplemented` (501), with S3's own error if S3 does not know the value either, and an ACL
with `AccessControlListNotSupported`, as on AWS where ACLs are off.

| header | values | why |
|---|---|---|
";

const DIFFERENCES: &str = "
## Knowingly different from AWS

";

const CLIENTS: &str = "
## Clients

Unmodified, with nothing set but endpoint, credentials, region, certificate authority and, for path style, the switch for
it. Each writes objects under odd names, large ones in parts, reads everything back, compares every byte, lists, copies
and deletes, or does what the tool is for.

| client | version | by | exercised | runs in |
|---|---|---|---|---|
";

/// The row of an operation of S3.
fn support(
    contract: &Contract,
    name: &str,
    known: &S3Operation,
    served: Option<&Operation>,
) -> String {
    let Some(operation) = served else {
        return format!("| {name} | no | `{} {}` | | |\n", known.method, known.uri);
    };
    let missing = missing(contract, known, operation);
    served_row(name, operation, &missing)
}

fn served_row(name: &str, operation: &Operation, remark: &str) -> String {
    let headers: String = operation
        .headers
        .iter()
        .map(|header| format!(" with `{header}`"))
        .collect();
    let query: Vec<&str> = operation
        .query
        .iter()
        .map(|key| key.name.as_str())
        .collect();
    let uri = match uri(operation) {
        uri if uri.contains('?') || query.is_empty() => uri,
        uri => format!("{uri}?{}", query.join("&")),
    };
    let verdict = if remark.is_empty() { "full" } else { "partial" };
    format!(
        "| {name} | {verdict} | `{} {uri}`{headers} | {} | {remark} |\n",
        operation.method.text(),
        operation.rpc
    )
}

/// What S3 has for the operation and is not taken, or not with every value.
fn missing(contract: &Contract, known: &S3Operation, operation: &Operation) -> String {
    let refuses = |header: &&String| {
        let listed = |refused: &String| match refused.strip_suffix('*') {
            Some(prefix) => header.starts_with(prefix),
            None => refused == *header,
        };
        let taken = operation.taken_headers();
        operation.refused.headers.iter().any(listed) && !taken.contains(header)
    };
    let mut missing = Vec::new();
    let headers: Vec<String> = known.headers.keys().filter(refuses).cloned().collect();
    let parameters = operation.refused.parameters.iter();
    let parameters: Vec<String> = parameters.map(|name| format!("?{name}")).collect();
    let elements = operation.request.body.iter().flat_map(|body| &body.refused);
    let elements: Vec<String> = elements.map(|name| format!("<{name}>")).collect();
    let names = [headers, parameters, elements].concat();
    if !names.is_empty() {
        missing.push(code_list(&names));
    }
    let some = contract.rest.accepted.iter().filter(|accepted| {
        known.headers.contains_key(&accepted.header) && is_narrowed(&accepted.header)
    });
    let some: Vec<String> = some.map(|accepted| accepted.header.clone()).collect();
    if !some.is_empty() {
        missing.push(format!("some values of {}", code_list(&some)));
    }
    let never = operation
        .missing
        .as_ref()
        .is_some_and(|missing| missing.field.is_none());
    if never || is_never_set(contract, &operation.name) {
        missing.push("answers as where it was never set".to_owned());
    }
    missing.join("; ")
}

/// Whether the operation reads what S3 has an operation to set, and this contract none.
fn is_never_set(contract: &Contract, name: &str) -> bool {
    let setter = name.strip_prefix("Get").map(|rest| format!("Put{rest}"));
    setter.is_some_and(|setter| {
        contract.s3.operations.contains_key(&setter)
            && !contract.operations.iter().any(|op| op.name == setter)
    })
}

/// Whether the accepted values of a header are fewer than S3's. The others have one value in S3, or ask for nothing.
fn is_narrowed(header: &str) -> bool {
    matches!(
        header,
        "x-amz-acl"
            | "x-amz-storage-class"
            | "x-amz-object-ownership"
            | "x-amz-bucket-object-lock-enabled"
    )
}

fn code_list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
