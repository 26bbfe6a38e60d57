//! The query string, decoded once.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;

/// No S3 request has more than a few dozen; the URI's length is bounded elsewhere.
const MAX_PARAMETERS: usize = 256;

/// So many are compared with each other; a presigned request has six to nine.
const FEW_PARAMETERS: usize = 16;

/// Why a query string was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A `%` that two hex digits do not follow.
    #[error("malformed percent-encoding in the query")]
    MalformedPercent,
    /// A name or value that is not UTF-8 after decoding.
    #[error("the query is not UTF-8")]
    NotUtf8,
    /// The same name with two values. One part of the server could act on the first and another on
    /// the second, so it is refused; exact repetitions are harmless and kept.
    #[error("query parameter {name:?} is given twice")]
    Conflicting {
        /// The decoded name.
        name: String,
    },
    /// More than 256 parameters.
    #[error("more than {MAX_PARAMETERS} query parameters")]
    TooMany,
}

/// One parameter. `?uploads` has no value, `?uploads=` has an empty one: SigV2 signs them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The decoded name.
    pub name: String,
    /// The decoded value, if there was a `=`.
    pub value: Option<String>,
}

impl Parameter {
    /// The value; empty if there was none.
    #[must_use]
    pub fn value_or_empty(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

/// The parameters in the order received, names case-sensitive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    parameters: Vec<Parameter>,
}

impl Query {
    /// Decodes a query string, without its `?`. A `+` is a space, as S3 reads it.
    ///
    /// # Errors
    /// Any [`QueryError`].
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            if parameters.len() >= MAX_PARAMETERS {
                return Err(QueryError::TooMany);
            }
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(decode(value)?)),
                None => (part, None),
            };
            parameters.push(Parameter {
                name: decode(name)?,
                value,
            });
        }
        refuse_conflicts(&parameters)?;
        Ok(Self { parameters })
    }

    /// All parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter()
    }

    /// The value of a parameter: empty if it has none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .parameters
            .iter()
            .find(|parameter| parameter.name == name);
        found.map(Parameter::value_or_empty)
    }

    /// The value of a parameter, whatever the case of its name.
    #[must_use]
    pub fn get_ignoring_case(&self, name: &str) -> Option<&str> {
        let found = self
            .parameters
            .iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name));
        found.map(Parameter::value_or_empty)
    }

    /// Whether a parameter is there, with or without a value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether there is no parameter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }
}

fn decode(text: &str) -> Result<String, QueryError> {
    if !has_valid_percents(text) {
        return Err(QueryError::MalformedPercent);
    }
    let spaced = match text.contains('+') {
        true => Cow::Owned(text.replace('+', " ")),
        false => Cow::Borrowed(text),
    };
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| QueryError::NotUtf8)
}

fn refuse_conflicts(parameters: &[Parameter]) -> Result<(), QueryError> {
    if parameters.len() <= FEW_PARAMETERS {
        return refuse_few_conflicts(parameters);
    }
    let mut seen: HashMap<&str, &str> = HashMap::with_capacity(parameters.len());
    for parameter in parameters {
        let value = parameter.value_or_empty();
        let earlier = seen.insert(&parameter.name, value);
        if earlier.is_some_and(|earlier| earlier != value) {
            return Err(QueryError::Conflicting {
                name: parameter.name.clone(),
            });
        }
    }
    Ok(())
}

/// As [`refuse_conflicts`], without a map.
fn refuse_few_conflicts(parameters: &[Parameter]) -> Result<(), QueryError> {
    for (position, parameter) in parameters.iter().enumerate() {
        let earlier = parameters.iter().take(position);
        let mut same = earlier.filter(|earlier| earlier.name == parameter.name);
        if same.any(|earlier| earlier.value_or_empty() != parameter.value_or_empty()) {
            return Err(QueryError::Conflicting {
                name: parameter.name.clone(),
            });
        }
    }
    Ok(())
}

/// Whether two hex digits follow every `%`. The decoder would pass malformed ones through, and two
/// spellings would then name one key.
pub(crate) fn has_valid_percents(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => {}
            _ => return false,
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decodes_names_values_plus_and_missing_values() {
        let query = Query::parse("uploads&prefix=a%2Fb+c%2B&x=&%41=1&&k=v=w").unwrap();
        assert_eq!(query.get("prefix"), Some("a/b c+"));
        assert_eq!(query.get("uploads"), Some(""));
        assert_eq!(query.get("A"), Some("1"));
        assert_eq!(query.get("k"), Some("v=w"));
        assert!(!query.contains("Uploads"));
        assert_eq!(query.get_ignoring_case("UPLOADS"), Some(""));
        let values: Vec<_> = query
            .iter()
            .map(|parameter| parameter.value.is_some())
            .collect();
        assert_eq!(values, [false, true, true, true, true]);
    }

    #[test]
    fn refuses_malformed_conflicting_and_too_many() {
        assert_eq!(Query::parse("a=%"), Err(QueryError::MalformedPercent));
        assert_eq!(Query::parse("a=%zz"), Err(QueryError::MalformedPercent));
        assert_eq!(Query::parse("a=%4"), Err(QueryError::MalformedPercent));
        assert_eq!(Query::parse("a=%ff"), Err(QueryError::NotUtf8));
        let conflicting = QueryError::Conflicting { name: "a".into() };
        assert_eq!(Query::parse("a=1&a=2"), Err(conflicting));
        assert!(Query::parse("a=1&a=1").is_ok());
        assert_eq!(Query::parse(&"a&".repeat(257)), Err(QueryError::TooMany));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = Query::parse(&text);
        }

        #[test]
        fn what_is_encoded_is_decoded(name in "\\PC{1,20}", value in "\\PC*") {
            use aws_smithy_http::query::fmt_string;
            let text = format!("{}={}", fmt_string(&name), fmt_string(&value));
            let query = Query::parse(&text).unwrap();
            prop_assert_eq!(query.get(&name), Some(value.as_str()));
        }
    }
}
