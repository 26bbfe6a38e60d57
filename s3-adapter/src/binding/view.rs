//! A request as generated code sees it.

use std::borrow::Cow;
use std::collections::HashMap;

use http::HeaderMap;

use crate::binding::ParseError;
use crate::binding::decode::Source;
use crate::generated::{ACCEPTED_HEADERS, AMBIENT_HEADERS, MEANINGFUL_HEADERS, Operation};
use crate::headers::user_metadata;
use crate::query::Query;
use crate::target::Target;

/// Query parameters of a presigned URL that are no hoisted headers.
const SIGNATURE_PARAMETERS: [&str; 8] = [
    "x-amz-algorithm",
    // AWS SDK for JavaScript v3 and Go; what it says of the payload has been read with the signature.
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-security-token",
];

/// Target, query and headers of a request. Headers that a presigned URL carries in its query have been merged into
/// `headers`.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    /// What the URI names.
    pub target: &'a Target,
    /// The query.
    pub query: &'a Query,
    /// The headers.
    pub headers: &'a HeaderMap,
}

impl RequestView<'_> {
    /// The bucket's name; empty without one.
    #[must_use]
    pub fn bucket(&self) -> String {
        self.target.bucket().unwrap_or_default().to_owned()
    }

    /// The key; empty without one.
    #[must_use]
    pub fn key(&self) -> String {
        self.target.key().unwrap_or_default().to_owned()
    }

    /// Whether the parameter was sent, empty or not.
    #[must_use]
    pub fn has_parameter(&self, name: &str) -> bool {
        self.query.contains(name)
    }

    /// Whether the parameter was sent and is not empty.
    #[must_use]
    pub fn has_query(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| !value.is_empty())
    }

    /// Whether the parameter has this value.
    #[must_use]
    pub fn query_is(&self, name: &str, value: &str) -> bool {
        self.query.get(name) == Some(value)
    }

    /// Whether the header was sent.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Whether the header has this value.
    #[must_use]
    pub fn header_is(&self, name: &str, value: &str) -> bool {
        self.headers
            .get(name)
            .is_some_and(|found| found.as_bytes() == value.as_bytes())
    }

    /// The header, its lines joined by commas.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] if it is not UTF-8.
    pub fn header(&self, name: &'static str) -> Result<Option<Cow<'_, str>>, ParseError> {
        let mut joined: Option<Cow<'_, str>> = None;
        for line in self.headers.get_all(name) {
            let invalid = |_| ParseError::Invalid {
                place: Source::Header(name),
                value: String::new(),
            };
            let line = std::str::from_utf8(line.as_bytes()).map_err(invalid)?;
            joined = Some(match joined {
                None => Cow::Borrowed(line),
                Some(before) => Cow::Owned(format!("{before},{line}")),
            });
        }
        Ok(joined)
    }

    /// User metadata: names without the prefix, in lower case.
    ///
    /// # Errors
    /// [`ParseError::Header`] if it is too large or not text.
    pub fn metadata(&self, _prefix: &str) -> Result<HashMap<String, String>, ParseError> {
        Ok(user_metadata(self.headers)?.into_iter().collect())
    }

    /// Checks `encoding-type`.
    ///
    /// # Errors
    /// [`ParseError::EncodingType`] for any value but `url`.
    pub fn encoding_type(&self) -> Result<(), ParseError> {
        match self.query.get("encoding-type") {
            None | Some("" | "url") => Ok(()),
            Some(other) => Err(ParseError::EncodingType(other.to_owned())),
        }
    }

    /// Checks that a parameter that becomes a header of the answer can be one.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] if it holds control characters.
    pub fn replaced_header(&self, name: &'static str) -> Result<(), ParseError> {
        match self.query.get(name) {
            Some(value) if crate::headers::header_value(value).is_none() => {
                Err(ParseError::Invalid {
                    place: Source::Query(name),
                    value: value.to_owned(),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses headers whose meaning the operation would otherwise ignore: every `x-amz-*` that it does not take, and
    /// conditions on objects.
    ///
    /// # Errors
    /// [`ParseError::UnsupportedHeader`], [`ParseError::UnsupportedParameter`].
    pub fn refuse_unknown(&self, operation: Operation) -> Result<(), ParseError> {
        for name in self.headers.keys() {
            let name = name.as_str();
            if let Some((_, values)) = ACCEPTED_HEADERS
                .iter()
                .find(|(accepted, _)| *accepted == name)
                // An operation that reads the header judges its values itself.
                .filter(|_| !listed(operation.headers(), name))
            {
                self.refuse_other_values(name, values)?;
                continue;
            }
            let known = listed(operation.headers(), name) || listed(AMBIENT_HEADERS, name);
            let meaningful = name.starts_with("x-amz-")
                || (MEANINGFUL_HEADERS.contains(&name) && self.target.key().is_some());
            if meaningful && !known {
                return Err(self.unsupported(name));
            }
        }
        // A hoisted header has been merged if its signature covers it; any other one would be ignored.
        for parameter in self.query.iter() {
            let name = parameter.name.to_ascii_lowercase();
            let hoisted =
                name.starts_with("x-amz-") && !SIGNATURE_PARAMETERS.contains(&name.as_str());
            if hoisted && !self.headers.contains_key(name.as_str()) {
                return Err(ParseError::UnsupportedParameter {
                    name: parameter.name.clone(),
                });
            }
        }
        Ok(())
    }

    fn refuse_other_values(&self, name: &str, values: &[&str]) -> Result<(), ParseError> {
        let accepted = |value: &[u8]| {
            values.is_empty() || values.iter().any(|known| known.as_bytes() == value)
        };
        match self
            .headers
            .get_all(name)
            .iter()
            .all(|value| accepted(value.as_bytes()))
        {
            true => Ok(()),
            false => Err(self.unsupported(name)),
        }
    }

    fn unsupported(&self, name: &str) -> ParseError {
        let value = self
            .headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        ParseError::UnsupportedHeader {
            name: name.to_owned(),
            value: value.unwrap_or_default(),
        }
    }
}

/// Whether a list of names and prefixes (`name*`) has the name.
fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|known| match known.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => *known == name,
    })
}
