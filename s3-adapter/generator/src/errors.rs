//! Writes the error table of the contract: an exhaustive match, so that a new reason without a row does not compile.

use crate::model::{Contract, Reason};
use crate::source::{Code, variant};

const GRPC_CODES: [&str; 17] = [
    "Ok",
    "Cancelled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    code.line("/// The appearance of a reason in S3 and in gRPC.");
    code.block(
        "#[must_use]\npub fn row(reason: ErrorReason) -> ErrorRow {\n    match reason {",
        |code| {
            contract
                .reasons
                .iter()
                .for_each(|reason| code.line(row(reason)))
        },
        "    }\n}",
    );
    let all: Vec<String> = contract
        .reasons
        .iter()
        .map(|reason| format!("ErrorReason::{}", variant(&reason.name)))
        .collect();
    code.line("/// All reasons.");
    code.line(format!(
        "pub const ALL_REASONS: [ErrorReason; {}] = [{}];",
        all.len(),
        all.join(", ")
    ));
    code.finish()
}

fn row(reason: &Reason) -> String {
    let grpc = usize::try_from(reason.row.grpc).ok();
    // The numbers of `GrpcCode` are gRPC's own; the reader has refused 0 and the enum has no others.
    let grpc = grpc
        .and_then(|number| GRPC_CODES.get(number))
        .copied()
        .unwrap_or("Unknown");
    format!(
        "ErrorReason::{} => ErrorRow {{ name: {:?}, s3_code: {:?}, http_status: {}, grpc_code: tonic::Code::{grpc} }},",
        variant(&reason.name),
        reason.name,
        reason.row.code,
        reason.row.status
    )
}
