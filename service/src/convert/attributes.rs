use bucketry_contract::v1;

use crate::catalog::model::ObjectHeaders;
use crate::domain::Tag;
use crate::error::Error;
use crate::rules::tags;

use crate::limits::MAX_METADATA_BYTES;
/// A content header that is longer than this is a mistake or an attack.
const MAX_HEADER_BYTES: usize = 4096;

/// Checks what a writer says of an object. Tags come apart, as they may be changed later.
pub(crate) fn attributes_from_proto(
    sent: Option<v1::ObjectAttributes>,
) -> Result<(ObjectHeaders, Vec<Tag>), Error> {
    let sent = sent.unwrap_or_default();
    let tags = tags_from_proto(sent.tagging.unwrap_or_default(), tags::MAX_OBJECT_TAGS)?;
    let headers = ObjectHeaders {
        content_type: header("attributes.content_type", sent.content_type)?,
        cache_control: header("attributes.cache_control", sent.cache_control)?,
        content_disposition: header("attributes.content_disposition", sent.content_disposition)?,
        content_encoding: header("attributes.content_encoding", sent.content_encoding)?,
        content_language: header("attributes.content_language", sent.content_language)?,
        expires: header("attributes.expires", sent.expires)?,
        website_redirect: redirect(sent.website_redirect_location)?,
        user_metadata: metadata(sent.metadata)?,
    };
    Ok((headers, tags))
}

/// Gives an object's attributes back, tags included.
pub(crate) fn attributes_to_proto(headers: &ObjectHeaders, tags: &[Tag]) -> v1::ObjectAttributes {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    v1::ObjectAttributes {
        content_type: text(&headers.content_type),
        cache_control: text(&headers.cache_control),
        content_disposition: text(&headers.content_disposition),
        content_encoding: text(&headers.content_encoding),
        content_language: text(&headers.content_language),
        expires: text(&headers.expires),
        website_redirect_location: text(&headers.website_redirect),
        metadata: headers.user_metadata.iter().cloned().collect(),
        tagging: (!tags.is_empty()).then(|| tag_set_to_proto(tags)),
    }
}

/// Tags for the wire, by key as S3 shows them, whatever the order in which they were written.
pub(crate) fn tag_set_to_proto(tags: &[Tag]) -> v1::TagSet {
    let mut tags: Vec<v1::Tag> = tags
        .iter()
        .map(|tag| v1::Tag {
            key: tag.key.clone(),
            value: tag.value.clone(),
        })
        .collect();
    tags.sort_by(|left, right| left.key.cmp(&right.key));
    v1::TagSet { tags }
}

/// Checks a set of tags.
pub(crate) fn tags_from_proto(sent: v1::TagSet, most: usize) -> Result<Vec<Tag>, Error> {
    let tags: Vec<Tag> = sent
        .tags
        .into_iter()
        .map(|v1::Tag { key, value }| Tag { key, value })
        .collect();
    tags::check(&tags, most)?;
    Ok(tags)
}

/// A header that is stored to be sent again: what would break a header then is refused now.
fn header(field: &'static str, value: String) -> Result<Option<String>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    let problem = if value.len() > MAX_HEADER_BYTES {
        format!(
            "{} bytes are more than the {MAX_HEADER_BYTES} allowed",
            value.len()
        )
    } else if value.chars().any(|c| c.is_control() && c != '\t') {
        "control characters are not allowed in a header".to_owned()
    } else {
        return Ok(Some(value));
    };
    Err(Error::InvalidArgument { field, problem })
}

fn redirect(location: String) -> Result<Option<String>, Error> {
    let has_prefix = ["/", "http://", "https://"]
        .iter()
        .any(|prefix| location.starts_with(prefix));
    if !location.is_empty() && !has_prefix {
        return Err(Error::InvalidRedirect);
    }
    header("attributes.website_redirect_location", location)
}

fn metadata(
    sent: std::collections::HashMap<String, String>,
) -> Result<Vec<(String, String)>, Error> {
    let size = sent
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > MAX_METADATA_BYTES {
        return Err(Error::MetadataTooLarge {
            size,
            most: MAX_METADATA_BYTES,
        });
    }
    let mut pairs = Vec::with_capacity(sent.len());
    for (name, value) in sent {
        let name = name.to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Error::InvalidArgument {
                field: "attributes.metadata",
                problem: format!("{name:?} cannot be a header name"),
            });
        }
        let value = header("attributes.metadata", value)?.unwrap_or_default();
        pairs.push((name, value));
    }
    pairs.sort();
    if pairs
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.0 == b.0))
    {
        return Err(Error::InvalidArgument {
            field: "attributes.metadata",
            problem: "a name is given twice (names are not case-sensitive)".to_owned(),
        });
    }
    Ok(pairs)
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_metadata(pairs: &[(&str, &str)]) -> Option<v1::ObjectAttributes> {
        Some(v1::ObjectAttributes {
            metadata: pairs
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..Default::default()
        })
    }

    #[test]
    fn attributes_come_back_as_they_went() {
        let sent = v1::ObjectAttributes {
            content_type: "text/plain; charset=utf-8".into(),
            metadata: [("a".to_owned(), "ä".to_owned())].into(),
            tagging: Some(v1::TagSet {
                tags: vec![v1::Tag {
                    key: "k".into(),
                    value: "v".into(),
                }],
            }),
            ..Default::default()
        };
        let (headers, tags) = attributes_from_proto(Some(sent.clone())).unwrap();
        assert_eq!(attributes_to_proto(&headers, &tags), sent);
    }

    #[test]
    fn what_would_break_a_header_is_refused() {
        let sent = v1::ObjectAttributes {
            content_disposition: "attachment\r\nset-cookie: x".into(),
            ..Default::default()
        };
        assert!(matches!(
            attributes_from_proto(Some(sent)),
            Err(Error::InvalidArgument {
                field: "attributes.content_disposition",
                ..
            })
        ));
        assert!(attributes_from_proto(with_metadata(&[("a b", "x")])).is_err());
        assert!(attributes_from_proto(with_metadata(&[("a", "x\n")])).is_err());
        assert!(attributes_from_proto(with_metadata(&[("A", "x"), ("a", "y")])).is_err());
    }

    #[test]
    fn a_redirect_is_a_path_or_a_url() {
        let with = |location: &str| {
            attributes_from_proto(Some(v1::ObjectAttributes {
                website_redirect_location: location.to_owned(),
                ..Default::default()
            }))
        };
        for location in ["", "/other", "http://example.com/a", "https://example.com"] {
            assert!(with(location).is_ok(), "{location}");
        }
        for location in ["other", "ftp://example.com", "HTTP//x"] {
            assert!(
                matches!(with(location), Err(Error::InvalidRedirect)),
                "{location}"
            );
        }
    }

    #[test]
    fn metadata_is_bounded() {
        let long = "v".repeat(2047);
        assert!(attributes_from_proto(with_metadata(&[("k", &long)])).is_ok());
        assert!(matches!(
            attributes_from_proto(with_metadata(&[("kk", &long)])),
            Err(Error::MetadataTooLarge { size: 2049, .. })
        ));
    }
}
