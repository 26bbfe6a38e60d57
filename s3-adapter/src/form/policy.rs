//! POST policies: what a form that somebody else fills in may say. Pure; the signature over the policy is the service's.
//!
//! Source: "POST policy" of the S3 documentation. Stricter than S3 only where a policy could be read in two ways.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::json::{self, Json};

/// Why a policy is malformed, or does not allow the form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy is no document that could allow anything.
    #[error("Invalid Policy: {0}")]
    Invalid(String),
    /// Its time is over.
    #[error("Invalid according to Policy: Policy expired.")]
    Expired,
    /// It expires too far ahead for its signature version.
    #[error(
        "Invalid according to Policy: the policy of a version 2 form must expire within seven days."
    )]
    ExpiresTooFarAhead,
    /// A condition does not hold. In the words of the policy.
    #[error("Invalid according to Policy: Policy Condition failed: {0}")]
    Failed(String),
    /// Fields that no condition is about.
    #[error("Invalid according to Policy: Extra input fields: {}", .0.join(", "))]
    ExtraFields(Vec<String>),
}

/// As of presigned URLs.
const MAX_LIFE_OF_V2: time::Duration = time::Duration::days(7);

/// How long the file may be, in bytes, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeRange {
    /// Least.
    pub min: u64,
    /// Most.
    pub max: u64,
}

impl SizeRange {
    /// No condition on the length.
    pub const ANY: Self = Self {
        min: 0,
        max: u64::MAX,
    };
}

/// A policy that was read and not judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    expiration: OffsetDateTime,
    conditions: Vec<PolicyCondition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PolicyCondition {
    Equals { name: String, value: String },
    StartsWith { name: String, value: String },
    Length(SizeRange),
}

impl std::fmt::Display for PolicyCondition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Equals { name, value } => write!(formatter, "[\"eq\", \"${name}\", \"{value}\"]"),
            Self::StartsWith { name, value } => {
                write!(formatter, "[\"starts-with\", \"${name}\", \"{value}\"]")
            }
            Self::Length(range) => {
                write!(
                    formatter,
                    "[\"content-length-range\", {}, {}]",
                    range.min, range.max
                )
            }
        }
    }
}

impl Policy {
    /// Reads a policy as it stands in the form: JSON in base64.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`].
    pub fn parse(base64: &str) -> Result<Self, PolicyError> {
        // Some encoders break lines; the signature is over the text as it came.
        let compact: String = base64.split_ascii_whitespace().collect();
        let decoded = STANDARD
            .decode(compact)
            .map_err(|_| invalid("the policy is not base64."))?;
        let text = String::from_utf8(decoded).map_err(|_| invalid("the policy is not UTF-8."))?;
        let document =
            json::parse(&text).map_err(|problem| invalid(format!("Invalid JSON: {problem}.")))?;
        let Json::Object(entries) = document else {
            return Err(invalid("the policy is not a JSON object."));
        };
        let (mut expiration, mut conditions) = (None, None);
        for (key, value) in entries {
            match (key.as_str(), value) {
                ("expiration", Json::Text(text)) => expiration = Some(moment(&text)?),
                ("expiration", _) => return Err(invalid("the expiration is not a text.")),
                ("conditions", Json::List(list)) => {
                    conditions = Some(list.into_iter().map(condition).collect::<Result<_, _>>()?);
                }
                ("conditions", _) => return Err(invalid("the conditions are not a list.")),
                (other, _) => return Err(invalid(format!("Unexpected: '{other}'."))),
            }
        }
        Ok(Self {
            expiration: expiration.ok_or_else(|| invalid("Policy missing expiration."))?,
            conditions: conditions.ok_or_else(|| invalid("Policy missing conditions."))?,
        })
    }

    /// Judges the fields of a form: names in lower case, each once, `bucket` among them. Gives what the policy says of
    /// the length of the file.
    ///
    /// # Errors
    /// `Expired`, `Failed`, `ExtraFields`.
    pub fn judge(
        &self,
        fields: &[(String, String)],
        now: OffsetDateTime,
    ) -> Result<SizeRange, PolicyError> {
        if now >= self.expiration {
            return Err(PolicyError::Expired);
        }
        let value = |name: &str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let mut range = SizeRange::ANY;
        for condition in &self.conditions {
            let holds = match condition {
                PolicyCondition::Equals {
                    name,
                    value: expected,
                } => value(name) == Some(expected.as_str()),
                PolicyCondition::StartsWith {
                    name,
                    value: prefix,
                } => value(name).is_some_and(|value| starts_with(name, value, prefix)),
                PolicyCondition::Length(length) => {
                    range.min = range.min.max(length.min);
                    range.max = range.max.min(length.max);
                    true
                }
            };
            if !holds {
                return Err(PolicyError::Failed(condition.to_string()));
            }
        }
        let extra: Vec<String> = fields
            .iter()
            .filter(|(name, _)| !self.is_about(name) && !is_exempt(name))
            .map(|(name, _)| name.clone())
            .collect();
        match extra.is_empty() {
            true => Ok(range),
            false => Err(PolicyError::ExtraFields(extra)),
        }
    }

    /// Checks that the policy expires within the longest life that a version 2 signature may have here. A version 4
    /// signature is limited by its own date.
    ///
    /// # Errors
    /// `ExpiresTooFarAhead`.
    pub fn check_life_of_v2(&self, now: OffsetDateTime) -> Result<(), PolicyError> {
        match self.expiration - now > MAX_LIFE_OF_V2 {
            true => Err(PolicyError::ExpiresTooFarAhead),
            false => Ok(()),
        }
    }

    fn is_about(&self, field: &str) -> bool {
        self.conditions.iter().any(|condition| match condition {
            PolicyCondition::Equals { name, .. } | PolicyCondition::StartsWith { name, .. } => {
                name == field
            }
            PolicyCondition::Length(_) => false,
        })
    }
}

/// Fields that need no condition.
fn is_exempt(name: &str) -> bool {
    let of_signature = matches!(name, "x-amz-signature" | "awsaccesskeyid" | "signature");
    of_signature || matches!(name, "file" | "policy") || name.starts_with("x-ignore-")
}

/// A `Content-Type` with commas is a list, and each of its items must begin so.
fn starts_with(name: &str, value: &str, prefix: &str) -> bool {
    match name {
        "content-type" => value
            .split(',')
            .all(|item| item.trim_start().starts_with(prefix)),
        _ => value.starts_with(prefix),
    }
}

fn invalid(problem: impl Into<String>) -> PolicyError {
    PolicyError::Invalid(problem.into())
}

/// `2007-12-01T12:00:00.000Z`, with or without the fraction, always in UTC.
fn moment(text: &str) -> Result<OffsetDateTime, PolicyError> {
    let is_utc = text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok();
    parsed
        .filter(|_| is_utc)
        .ok_or_else(|| invalid(format!("Invalid 'expiration' value: '{text}'.")))
}

fn condition(written: Json) -> Result<PolicyCondition, PolicyError> {
    match written {
        Json::Object(entries) => simple(entries),
        Json::List(items) => match <[Json; 3]>::try_from(items) {
            Ok([Json::Text(operator), second, third]) => by_operator(&operator, second, third),
            Ok(_) | Err(_) => Err(invalid(
                "Invalid Condition: a list must hold an operation and two arguments.",
            )),
        },
        Json::Null | Json::Bool(_) | Json::Integer(_) | Json::Text(_) => Err(invalid(
            "Invalid Condition: a condition is an object or a list.",
        )),
    }
}

/// `{"name": "value"}`.
fn simple(entries: Vec<(String, Json)>) -> Result<PolicyCondition, PolicyError> {
    let [(name, value)] = <[(String, Json); 1]>::try_from(entries).map_err(|_| {
        invalid(
            "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
        )
    })?;
    match value {
        Json::Text(value) => Ok(PolicyCondition::Equals {
            name: name.to_ascii_lowercase(),
            value,
        }),
        Json::Null | Json::Bool(_) | Json::Integer(_) | Json::List(_) | Json::Object(_) => {
            Err(invalid(format!(
                "Invalid Simple-Condition: the value of '{name}' must be a text."
            )))
        }
    }
}

fn by_operator(operator: &str, second: Json, third: Json) -> Result<PolicyCondition, PolicyError> {
    match (operator.to_ascii_lowercase().as_str(), second, third) {
        ("eq", Json::Text(name), Json::Text(value)) => Ok(PolicyCondition::Equals {
            name: field_name(&name)?,
            value,
        }),
        ("starts-with", Json::Text(name), Json::Text(value)) => Ok(PolicyCondition::StartsWith {
            name: field_name(&name)?,
            value,
        }),
        ("content-length-range", Json::Integer(min), Json::Integer(max)) => {
            match (u64::try_from(min), u64::try_from(max)) {
                (Ok(min), Ok(max)) if min <= max => {
                    Ok(PolicyCondition::Length(SizeRange { min, max }))
                }
                _ => Err(invalid(format!(
                    "Invalid content-length-range: {min} to {max} is no range of lengths."
                ))),
            }
        }
        ("eq" | "starts-with", ..) => Err(invalid(format!(
            "Invalid Condition: '{operator}' takes a field and a text."
        ))),
        ("content-length-range", ..) => Err(invalid(
            "Invalid content-length-range: it takes two whole numbers.",
        )),
        _ => Err(invalid(format!(
            "Invalid Condition: unknown operation '{operator}'."
        ))),
    }
}

/// `$name`, in any case.
fn field_name(text: &str) -> Result<String, PolicyError> {
    match text.strip_prefix('$').filter(|name| !name.is_empty()) {
        Some(name) => Ok(name.to_ascii_lowercase()),
        None => Err(invalid(format!(
            "Invalid Condition: the field '{text}' must begin with '$'."
        ))),
    }
}

#[cfg(test)]
mod tests;
