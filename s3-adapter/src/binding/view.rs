//! A request as generated code sees it.

use std::borrow::Cow;
use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::binding::decode::Source;
use crate::binding::{AcceptedHeader, ParseError};
use crate::generated::{AMBIENT_HEADERS, Operation};
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

    /// Whether the parameter has this value, in any case.
    #[must_use]
    pub fn query_is(&self, name: &str, value: &str) -> bool {
        let found = self.query.get(name);
        found.is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    /// Whether the header was sent.
    #[must_use]
    pub fn has_header(&self, name: &HeaderName) -> bool {
        self.headers.contains_key(name)
    }

    /// Whether the header has this value, in any case.
    #[must_use]
    pub fn header_is(&self, name: &HeaderName, value: &str) -> bool {
        self.headers
            .get(name)
            .is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    }

    /// The header, its lines joined by commas.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] if it is not UTF-8.
    pub fn header(&self, name: &'static HeaderName) -> Result<Option<Cow<'_, str>>, ParseError> {
        let mut joined: Option<Cow<'_, str>> = None;
        for line in self.headers.get_all(name) {
            let invalid = |_| ParseError::Invalid {
                place: Source::Header(name.as_str()),
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
            None | Some("") => Ok(()),
            Some(url) if url.eq_ignore_ascii_case("url") => Ok(()),
            Some(other) => Err(ParseError::EncodingType(other.to_owned())),
        }
    }

    /// Checks that a parameter that becomes a header of the answer can be one.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] if it holds control characters or characters outside ISO-8859-1.
    pub fn replaced_header(&self, name: &'static str) -> Result<(), ParseError> {
        match self.query.get(name) {
            Some(value) if crate::headers::latin1_header_value(value).is_none() => {
                Err(ParseError::Invalid {
                    place: Source::Query(name),
                    value: value.to_owned(),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses what S3 gives a meaning with the operation and the operation does not honour. Everything else is ignored,
    /// as S3 does: SDKs put hints on every request, and new ones come every year.
    ///
    /// # Errors
    /// [`ParseError::UnsupportedHeader`], [`ParseError::UnsupportedParameter`].
    pub fn refuse_unsupported(&self, operation: Operation) -> Result<(), ParseError> {
        for name in self.headers.keys() {
            let name = name.as_str();
            if name.starts_with("x-amz-") {
                self.refuse_header(operation, name)?;
            } else if self.target.key().is_some() && name.starts_with("if-") {
                self.refuse_listed(operation, name)?;
            }
        }
        for parameter in self.query.iter() {
            self.refuse_parameter(operation, &parameter.name)?;
        }
        Ok(())
    }

    fn refuse_header(&self, operation: Operation, name: &str) -> Result<(), ParseError> {
        let accepted = operation.accepted_headers();
        match accepted.iter().find(|accepted| accepted.name == name) {
            Some(accepted) => self.refuse_other_values(accepted),
            None => self.refuse_listed(operation, name),
        }
    }

    fn refuse_listed(&self, operation: Operation, name: &str) -> Result<(), ParseError> {
        // `x-amz-copy-source*` is refused but for those that a copy takes.
        match listed(operation.refused_headers(), name) && !listed(operation.headers(), name) {
            true => Err(self.unsupported(name)),
            false => Ok(()),
        }
    }

    /// A hoisted header has been merged if its signature covers it; one that has not and means something would be lost.
    fn refuse_parameter(&self, operation: Operation, sent: &str) -> Result<(), ParseError> {
        let unsupported = || ParseError::UnsupportedParameter {
            name: sent.to_owned(),
        };
        if operation.refused_parameters().contains(&sent) {
            return Err(unsupported());
        }
        let is_hoisted = sent
            .get(..6)
            .is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"));
        if !is_hoisted {
            return Ok(());
        }
        let name = sent.to_ascii_lowercase();
        let name = name.as_str();
        let means_something = listed(operation.headers(), name)
            || listed(operation.refused_headers(), name)
            || listed(AMBIENT_HEADERS, name)
            || operation
                .accepted_headers()
                .iter()
                .any(|accepted| accepted.name == name);
        match means_something
            && !SIGNATURE_PARAMETERS.contains(&name)
            && !self.headers.contains_key(name)
        {
            true => Err(unsupported()),
            false => Ok(()),
        }
    }

    /// A value that S3 knows and the operation does not accept is not implemented; one unknown to S3 is invalid.
    fn refuse_other_values(&self, header: &AcceptedHeader) -> Result<(), ParseError> {
        for value in self.headers.get_all(header.name) {
            if header.values.is_empty() || one_of(header.values, value) {
                continue;
            }
            if header.known.is_empty() || one_of(header.known, value) {
                return Err(self.unsupported(header.name));
            }
            return Err(ParseError::Invalid {
                place: Source::Header(header.name),
                value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            });
        }
        Ok(())
    }

    fn unsupported(&self, name: &str) -> ParseError {
        if name == "x-amz-acl" || name.starts_with("x-amz-grant-") {
            return match self.target.key() {
                Some(_) => ParseError::Acl,
                None => ParseError::BucketAcl,
            };
        }
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

/// Whether it is one of the values, in any case.
fn one_of(values: &[&str], value: &HeaderValue) -> bool {
    let value = value.as_bytes().trim_ascii();
    values
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(value))
}

/// Whether a list of names and prefixes (`name*`) has the name.
fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|known| match known.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => *known == name,
    })
}
