//! Page tokens: where a listing goes on, readable by this service alone and for one query alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;
use sha2::{Digest as _, Sha256};

use super::fields::{FieldReader, push_field};
use super::keyring::{KekId, KeyPurpose, Keyring};

/// Longest position in bytes: a key and a version or upload id fit several times.
pub const MAX_POSITION_BYTES: usize = 4096;

const VERSION: u8 = 1;
const MAC_LENGTH: usize = 16;

/// Longest token text that is looked at: base64 of the longest position and what is around it.
const MAX_TEXT_LENGTH: usize = (MAX_POSITION_BYTES + 64) / 3 * 4;

/// The query that a token belongs to: everything that decides what the listing holds and in which order.
///
/// Page size is no part of it: a client may change that from page to page.
#[derive(Debug, Clone)]
pub struct QueryFingerprint(Sha256);

/// Why a page token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageTokenError {
    /// Not made here, or changed, or made for another query.
    #[error("the page token was not made for this query")]
    Invalid,
    /// The position is longer than [`MAX_POSITION_BYTES`].
    #[error("a position has at most {MAX_POSITION_BYTES} bytes, not {length}")]
    PositionTooLong {
        /// Its length in bytes.
        length: usize,
    },
}

impl QueryFingerprint {
    /// Begins with the operation's name.
    #[must_use]
    pub fn of(operation: &str) -> Self {
        Self(Sha256::new()).with("operation", operation.as_bytes())
    }

    /// Adds a parameter. The order of calls is part of the fingerprint.
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8]) -> Self {
        let mut field = Vec::with_capacity(name.len() + value.len() + 8);
        push_field(&mut field, name.as_bytes());
        push_field(&mut field, value);
        self.0.update(&field);
        self
    }
}

/// Makes the token by which `query` goes on at `position`.
///
/// # Errors
/// [`PageTokenError::PositionTooLong`].
pub fn issue_page_token(
    keyring: &Keyring,
    query: &QueryFingerprint,
    position: &[u8],
) -> Result<String, PageTokenError> {
    if position.len() > MAX_POSITION_BYTES {
        return Err(PageTokenError::PositionTooLong {
            length: position.len(),
        });
    }
    let mut token = vec![VERSION];
    token.extend_from_slice(&keyring.active_id().get().to_be_bytes());
    push_field(&mut token, position);
    let mut mac = keyring.active_key(KeyPurpose::PageTokenMac).mac();
    mac.update(&query.0.clone().finalize());
    mac.update(&token);
    let (tag, _) = mac
        .finalize()
        .into_bytes()
        .split::<hmac::digest::consts::U16>();
    token.extend_from_slice(&tag);
    Ok(URL_SAFE_NO_PAD.encode(token))
}

/// Reads the position out of a token of the same query.
///
/// # Errors
/// [`PageTokenError::Invalid`] for every text that was not issued for this very query.
pub fn open_page_token(
    keyring: &Keyring,
    query: &QueryFingerprint,
    text: &str,
) -> Result<Vec<u8>, PageTokenError> {
    if text.len() > MAX_TEXT_LENGTH {
        return Err(PageTokenError::Invalid);
    }
    let token = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| PageTokenError::Invalid)?;
    let (body, tag) = token
        .split_last_chunk::<MAC_LENGTH>()
        .ok_or(PageTokenError::Invalid)?;
    read_position(keyring, query, body, tag).ok_or(PageTokenError::Invalid)
}

fn read_position(
    keyring: &Keyring,
    query: &QueryFingerprint,
    body: &[u8],
    tag: &[u8; MAC_LENGTH],
) -> Option<Vec<u8>> {
    let mut reader = FieldReader::new(body);
    if reader.byte()? != VERSION {
        return None;
    }
    let kek_id = KekId::new(u32::from_be_bytes(reader.array()?))?;
    let mut mac = keyring.key(kek_id, KeyPurpose::PageTokenMac)?.mac();
    mac.update(&query.0.clone().finalize());
    mac.update(body);
    mac.verify_truncated_left(tag).ok()?;
    let position = reader.field()?;
    reader.end()?;
    Some(position.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::keyring::tests::keyring;
    use super::*;

    fn query() -> QueryFingerprint {
        QueryFingerprint::of("ListObjects")
            .with("bucket", b"b")
            .with("prefix", b"p/")
            .with("delimiter", b"/")
    }

    #[test]
    fn bound_to_the_query() {
        let token = issue_page_token(&keyring(1), &query(), b"p/key").unwrap();
        assert_eq!(
            open_page_token(&keyring(1), &query(), &token),
            Ok(b"p/key".to_vec())
        );
        for other in [
            QueryFingerprint::of("ListObjectVersions")
                .with("bucket", b"b")
                .with("prefix", b"p/")
                .with("delimiter", b"/"),
            QueryFingerprint::of("ListObjects")
                .with("bucket", b"c")
                .with("prefix", b"p/")
                .with("delimiter", b"/"),
            QueryFingerprint::of("ListObjects")
                .with("bucket", b"b")
                .with("prefix", b"p")
                .with("delimiter", b"//"),
            QueryFingerprint::of("ListObjects")
                .with("bucket", b"b")
                .with("prefix", b"p/"),
        ] {
            assert_eq!(
                open_page_token(&keyring(1), &other, &token),
                Err(PageTokenError::Invalid)
            );
        }
    }

    #[test]
    fn survives_rotation_while_the_old_key_is_there() {
        let token = issue_page_token(&keyring(1), &query(), b"x").unwrap();
        assert!(open_page_token(&keyring(2), &query(), &token).is_ok());
        let second = super::super::keyring::tests::SECOND;
        let without = Keyring::parse(&format!("active = 2\n[keys]\n2 = \"{second}\"")).unwrap();
        assert_eq!(
            open_page_token(&without, &query(), &token),
            Err(PageTokenError::Invalid)
        );
    }

    #[test]
    fn positions_are_bounded() {
        let longest = vec![7; MAX_POSITION_BYTES];
        let token = issue_page_token(&keyring(1), &query(), &longest).unwrap();
        assert_eq!(open_page_token(&keyring(1), &query(), &token), Ok(longest));
        assert_eq!(
            issue_page_token(&keyring(1), &query(), &[7; MAX_POSITION_BYTES + 1]),
            Err(PageTokenError::PositionTooLong { length: 4097 })
        );
        assert_eq!(
            open_page_token(&keyring(1), &query(), &"A".repeat(1 << 20)),
            Err(PageTokenError::Invalid)
        );
    }

    proptest! {
        #[test]
        fn any_position_comes_back(position in prop::collection::vec(any::<u8>(), 0..1200)) {
            let token = issue_page_token(&keyring(1), &query(), &position).unwrap();
            prop_assert_eq!(open_page_token(&keyring(1), &query(), &token), Ok(position));
        }

        #[test]
        fn any_changed_byte_is_refused(position: [u8; 9], at: prop::sample::Index, change in 1_u8..) {
            let token = issue_page_token(&keyring(1), &query(), &position).unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            let changed = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(open_page_token(&keyring(1), &query(), &changed), Err(PageTokenError::Invalid));
        }

        #[test]
        fn any_text_is_refused_without_panic(text in "[A-Za-z0-9_=-]{0,80}") {
            prop_assert_eq!(open_page_token(&keyring(1), &query(), &text), Err(PageTokenError::Invalid));
        }
    }
}
