//! Bounds the details of a record in the audit: a customer chooses the size of a bucket's settings.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The most bytes of one value, as JSON. The longest list of IP rules, 100 IPv6 blocks, fits.
const MAX_VALUE_BYTES: usize = 5 * 1024;

/// What is kept of the beginning of a longer value, in bytes.
const KEPT_BYTES: usize = 1024;

/// The details with every long value replaced by its beginning, its size and its digest. Each value counts for itself, and
/// so does each one in `before` and in `after`.
pub(crate) fn bounded_details(details: Value) -> Value {
    match details {
        Value::Object(fields) => Value::Object(fields.into_iter().map(bounded_field).collect()),
        other => bounded_value(other),
    }
}

fn bounded_field((name, value): (String, Value)) -> (String, Value) {
    let bounded = match (name.as_str(), value) {
        ("before" | "after", Value::Object(settings)) => Value::Object(
            settings
                .into_iter()
                .map(|(setting, value)| (setting, bounded_value(value)))
                .collect::<Map<_, _>>(),
        ),
        (_, value) => bounded_value(value),
    };
    (name, bounded)
}

fn bounded_value(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= MAX_VALUE_BYTES {
        return value;
    }
    let kept = text.floor_char_boundary(KEPT_BYTES);
    json!({
        "cut": text.get(..kept).unwrap_or_default(),
        "bytes": text.len(),
        "sha256": hex::encode(Sha256::digest(text.as_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_details_stay_as_they_are() {
        let nets = vec!["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"; 100];
        let details = json!({ "before": { "allowed_ips": [] }, "after": { "allowed_ips": nets } });
        assert_eq!(bounded_details(details.clone()), details);
    }

    #[test]
    fn a_long_value_is_cut_and_named_by_its_digest() {
        let rules = json!([{ "allowed_headers": vec!["é".repeat(9_900); 190] }]);
        let details =
            json!({ "before": { "cors": rules, "tagging": null }, "after": { "cors": rules } });
        let bounded = bounded_details(details);
        assert!(bounded.to_string().len() < 4 * KEPT_BYTES, "{bounded}");
        let cut = &bounded["before"]["cors"];
        assert_eq!(cut["bytes"], rules.to_string().len());
        assert_eq!(
            cut["sha256"],
            hex::encode(Sha256::digest(rules.to_string().as_bytes()))
        );
        assert!(
            cut["cut"]
                .as_str()
                .unwrap()
                .starts_with("[{\"allowed_headers\"")
        );
        assert_eq!(bounded["before"]["tagging"], Value::Null);
        assert_eq!(bounded["after"]["cors"], *cut);
    }
}
