use bucketry_contract::v1::DecisionReason;

/// A reason in words.
pub(super) fn reason_words(reason: DecisionReason) -> &'static str {
    match reason {
        DecisionReason::Unspecified => "a reason that this client does not know",
        DecisionReason::Permitted => "the token's permission includes it",
        DecisionReason::ForAnyKey => "it is for every usable key, or for everybody",
        DecisionReason::Signature => "the signature or secret is wrong",
        DecisionReason::Suspended => "the token is suspended",
        DecisionReason::Revoked => "the token is revoked",
        DecisionReason::Expired => "the token has expired",
        DecisionReason::AddressUnknown => "there are IP rules and the address is unknown",
        DecisionReason::AddressDisallowed => "the address is disallowed",
        DecisionReason::AddressNotAllowed => "the address is not allowed",
        DecisionReason::OtherBucket => "it is another bucket than the token's",
        DecisionReason::Permission => "the token's permission does not include it",
        DecisionReason::AdministratorsOnly => "it is for administrators",
        DecisionReason::OperatorsOnly => "it is for operators",
        DecisionReason::Policy => "the bucket's policy refuses it",
        DecisionReason::RequestLimit => "the requests per second are used up",
        DecisionReason::ByteLimit => "the bytes of the day are used up",
    }
}
