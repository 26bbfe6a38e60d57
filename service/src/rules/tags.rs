//! The rules of tags: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>.

use crate::domain::Tag;

/// Tags that an object may have.
pub(crate) const MAX_OBJECT_TAGS: usize = 10;
/// Tags that a bucket may have.
pub(crate) const MAX_BUCKET_TAGS: usize = 50;
const MAX_KEY_CHARS: usize = 128;
const MAX_VALUE_CHARS: usize = 256;

/// Why a tag set is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TagError {
    /// More tags than the resource may have.
    #[error("there are {count} tags; at most {most} are allowed")]
    TooMany {
        /// Tags sent.
        count: usize,
        /// Tags allowed.
        most: usize,
    },
    /// An empty key or one over 128 characters.
    #[error("the tag key {key:?} must have 1 to 128 characters")]
    KeyLength {
        /// The key.
        key: String,
    },
    /// A value over 256 characters.
    #[error("the value of the tag {key:?} is over 256 characters")]
    ValueLength {
        /// The key.
        key: String,
    },
    /// A character that tags may not have.
    #[error("the tag {key:?} has a character that is not allowed: {character:?}")]
    Character {
        /// The key.
        key: String,
        /// The character.
        character: char,
    },
    /// A key that S3 keeps for itself.
    #[error("the tag key {key:?} is reserved: keys may not begin with aws:")]
    Reserved {
        /// The key.
        key: String,
    },
    /// The same key twice.
    #[error("the tag key {key:?} is given twice")]
    Duplicate {
        /// The key.
        key: String,
    },
}

/// Checks a tag set against S3's rules and the resource's limit.
pub(crate) fn check(tags: &[Tag], most: usize) -> Result<(), TagError> {
    if tags.len() > most {
        return Err(TagError::TooMany {
            count: tags.len(),
            most,
        });
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
    if tag.key.is_empty() || tag.key.chars().count() > MAX_KEY_CHARS {
        return Err(TagError::KeyLength { key: key() });
    }
    if tag.value.chars().count() > MAX_VALUE_CHARS {
        return Err(TagError::ValueLength { key: key() });
    }
    if tag.key.starts_with("aws:") {
        return Err(TagError::Reserved { key: key() });
    }
    let odd = tag
        .key
        .chars()
        .chain(tag.value.chars())
        .find(|&c| !allowed(c));
    odd.map_or(Ok(()), |character| {
        Err(TagError::Character {
            key: key(),
            character,
        })
    })
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
            Err(TagError::TooMany {
                count: 11,
                most: 10
            })
        );
        let long = "k".repeat(129);
        let cases = [
            (
                vec![tag("", "v")],
                TagError::KeyLength { key: String::new() },
            ),
            (
                vec![tag(&long, "v")],
                TagError::KeyLength { key: long.clone() },
            ),
            (
                vec![tag("k", &"v".repeat(257))],
                TagError::ValueLength { key: "k".into() },
            ),
            (
                vec![tag("aws:x", "v")],
                TagError::Reserved {
                    key: "aws:x".into(),
                },
            ),
            (
                vec![tag("k", "a"), tag("k", "b")],
                TagError::Duplicate { key: "k".into() },
            ),
            (
                vec![tag("k", "a\u{1}")],
                TagError::Character {
                    key: "k".into(),
                    character: '\u{1}',
                },
            ),
        ];
        for (tags, error) in cases {
            assert_eq!(check(&tags, MAX_OBJECT_TAGS), Err(error));
        }
    }
}
