//! The rules of tags: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>.

use crate::domain::Tag;

/// Tags that an object may have.
pub(crate) const MAX_OBJECT_TAGS: usize = 10;
/// Tags that a bucket may have.
pub(crate) const MAX_BUCKET_TAGS: usize = 50;
const MAX_KEY_CHARS: usize = 128;
const MAX_VALUE_CHARS: usize = 256;

/// Why a tag set is refused, with S3's error texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TagError {
    /// More tags than the resource may have.
    #[error("{}", too_many(*.most))]
    TooMany {
        /// Tags allowed.
        most: usize,
    },
    /// A key that is empty, over 128 characters, or has a character that tags may not have.
    #[error("The TagKey you have provided is invalid")]
    Key {
        /// The key.
        key: String,
    },
    /// A value over 256 characters, or with a character that tags may not have.
    #[error("The TagValue you have provided is invalid")]
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// A key that S3 keeps for itself.
    #[error("System tags cannot be added/updated by requester")]
    Reserved {
        /// The key.
        key: String,
    },
    /// The same key twice.
    #[error("Cannot provide multiple Tags with the same key")]
    Duplicate {
        /// The key.
        key: String,
    },
}

fn too_many(most: usize) -> String {
    if most == MAX_OBJECT_TAGS {
        format!("Object tags cannot be greater than {most}")
    } else {
        format!("Bucket tag count cannot be greater than {most}")
    }
}

/// Checks a tag set against S3's rules and the resource's limit.
pub(crate) fn check(tags: &[Tag], most: usize) -> Result<(), TagError> {
    if tags.len() > most {
        return Err(TagError::TooMany { most });
    }
    let mut seen = std::collections::HashSet::new();
    for tag in tags {
        check_one(tag)?;
        if !seen.insert(tag.key.as_str()) {
            return Err(TagError::Duplicate {
                key: tag.key.clone(),
            });
        }
    }
    Ok(())
}

fn check_one(tag: &Tag) -> Result<(), TagError> {
    let key = || tag.key.clone();
    let fits = |text: &str, most: usize| text.chars().count() <= most && text.chars().all(allowed);
    if tag.key.is_empty() || !fits(&tag.key, MAX_KEY_CHARS) {
        return Err(TagError::Key { key: key() });
    }
    if !fits(&tag.value, MAX_VALUE_CHARS) {
        return Err(TagError::Value {
            key: key(),
            value: tag.value.clone(),
        });
    }
    if tag.key.starts_with("aws:") {
        return Err(TagError::Reserved { key: key() });
    }
    Ok(())
}

/// Letters, numbers and spaces of any script, and `+ - = . _ : / @`.
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag {
            key: key.into(),
            value: value.into(),
        }
    }

    #[test]
    fn good_sets_pass() {
        assert_eq!(check(&[], MAX_OBJECT_TAGS), Ok(()));
        let tags = [tag("Projekt", "Größe 4"), tag("a+b-c=d.e_f:g/h@i", "")];
        assert_eq!(check(&tags, MAX_OBJECT_TAGS), Ok(()));
    }

    #[test]
    fn each_rule_refuses() {
        let many: Vec<_> = (0..11).map(|n| tag(&n.to_string(), "")).collect();
        assert_eq!(
            check(&many, MAX_OBJECT_TAGS),
            Err(TagError::TooMany { most: 10 })
        );
        let key = |key: &str| TagError::Key { key: key.into() };
        let value = |value: &str| TagError::Value {
            key: "k".into(),
            value: value.into(),
        };
        let (long, longer) = ("k".repeat(129), "v".repeat(257));
        let reserved = TagError::Reserved {
            key: "aws:x".into(),
        };
        let duplicate = TagError::Duplicate { key: "k".into() };
        let cases = [
            (vec![tag("", "v")], key("")),
            (vec![tag(&long, "v")], key(&long)),
            (vec![tag("k\u{1}", "v")], key("k\u{1}")),
            (vec![tag("k", &longer)], value(&longer)),
            (vec![tag("k", "a\u{1}")], value("a\u{1}")),
            (vec![tag("aws:x", "v")], reserved),
            (vec![tag("k", "a"), tag("k", "b")], duplicate),
        ];
        for (tags, error) in cases {
            assert_eq!(check(&tags, MAX_OBJECT_TAGS), Err(error));
        }
    }
}
