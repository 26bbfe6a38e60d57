//! JSON as a signed policy may use it: no key twice, no number but a whole one.
//!
//! A key that two readers could take differently is refused: whoever signed the policy saw one of them.

use std::collections::HashSet;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Json>),
    /// In the order written, every key once.
    Object(Vec<(String, Json)>),
}

/// Reads a document.
///
/// # Errors
/// The reason, with its place.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    serde_json::from_str(&without_dollar_escapes(text)).map_err(|error| error.to_string())
}

/// S3's policies know two escapes beside those of JSON: `\$` and `\v`.
fn without_dollar_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('$') => plain.push('$'),
            Some('v') => plain.push_str("\\u000b"),
            other => {
                plain.push('\\');
                plain.extend(other);
            }
        }
    }
    plain
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON with whole numbers and no key twice")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value)
            .map(Json::Integer)
            .map_err(|_| E::custom(format!("the number {value} is too large")))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        Err(E::custom(format!("{value:?} is not a whole number")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        let mut keys = HashSet::new();
        while let Some((key, value)) = entries.next_entry::<String, Json>()? {
            if !keys.insert(key.clone()) {
                return Err(de::Error::custom(format!("the key {key:?} is there twice")));
            }
            object.push((key, value));
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values() {
        let parsed = parse(r#"{"a": [1, -2, "x", null, true], "b": {}}"#);
        let list = vec![
            Json::Integer(1),
            Json::Integer(-2),
            Json::Text("x".into()),
            Json::Null,
            Json::Bool(true),
        ];
        let object = vec![
            ("a".to_owned(), Json::List(list)),
            ("b".to_owned(), Json::Object(vec![])),
        ];
        assert_eq!(parsed, Ok(Json::Object(object)));
    }

    #[test]
    fn numbers_that_are_not_whole_and_keys_twice_are_refused() {
        for (text, problem) in [
            ("1.0", "not a whole number"),
            ("1e2", "not a whole number"),
            ("1e400", "number out of range"),
            ("9223372036854775808", "too large"),
            ("18446744073709551616", "not a whole number"),
            (r#"{"a": 1, "a": 1}"#, "\"a\" is there twice"),
            (r#"[{"x": {"a": 1, "\u0061": 2}}]"#, "\"a\" is there twice"),
            ("{} {}", "trailing characters"),
            ("{", "EOF"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(problem), "{text}: {refused}");
        }
        assert!(parse(&"[".repeat(10_000)).is_err());
    }

    #[test]
    fn the_escapes_of_policies() {
        assert_eq!(
            parse(r#""\$x\v\\$\n""#),
            Ok(Json::Text("$x\u{b}\\$\n".into()))
        );
        assert!(parse(r#""\q""#).is_err());
        assert!(parse("\"\\").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\[\\]{}\",:\\\\0-9a-e.$ -]{0,60}") {
            let _ = parse(&text);
        }
    }
}
