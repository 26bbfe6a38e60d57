//! What decided on a request, for the wire.

use bucketry_contract::v1;

use crate::access::DecisionReason;

/// Exhaustive, so that the two cannot drift apart.
pub(crate) fn reason_to_proto(reason: DecisionReason) -> v1::DecisionReason {
    match reason {
        DecisionReason::Permitted => v1::DecisionReason::Permitted,
        DecisionReason::ForAnyKey => v1::DecisionReason::ForAnyKey,
        DecisionReason::Signature => v1::DecisionReason::Signature,
        DecisionReason::Suspended => v1::DecisionReason::Suspended,
        DecisionReason::Revoked => v1::DecisionReason::Revoked,
        DecisionReason::Expired => v1::DecisionReason::Expired,
        DecisionReason::AddressUnknown => v1::DecisionReason::AddressUnknown,
        DecisionReason::AddressDisallowed => v1::DecisionReason::AddressDisallowed,
        DecisionReason::AddressNotAllowed => v1::DecisionReason::AddressNotAllowed,
        DecisionReason::OtherBucket => v1::DecisionReason::OtherBucket,
        DecisionReason::Permission => v1::DecisionReason::Permission,
        DecisionReason::AdministratorsOnly => v1::DecisionReason::AdministratorsOnly,
        DecisionReason::OperatorsOnly => v1::DecisionReason::OperatorsOnly,
        DecisionReason::Policy => v1::DecisionReason::Policy,
        DecisionReason::RequestLimit => v1::DecisionReason::RequestLimit,
        DecisionReason::ByteLimit => v1::DecisionReason::ByteLimit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_number() {
        for reason in DecisionReason::ALL {
            assert_eq!(reason_to_proto(reason) as i64, reason.number());
        }
    }
}
