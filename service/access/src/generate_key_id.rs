//! New access key ids.

use super::entropy::{EntropyError, random_characters};
use bucketry_domain::{AccessKeyId, AccessKeyIdError};

/// First characters of every generated access key id.
pub const ACCESS_KEY_ID_PREFIX: &str = "BKTY";

/// Length of a generated access key id in characters: some S3 tools assume twenty.
pub const ACCESS_KEY_ID_LENGTH: usize = 20;

const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Why no id was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenerateKeyIdError {
    /// The operating system's generator failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The product's own alphabet is no longer legal for ids.
    #[error(transparent)]
    Form(#[from] AccessKeyIdError),
}

/// Makes a new access key id: `BKTY` and 16 characters of `[A-Z0-9]` (82 bits).
///
/// # Errors
/// [`GenerateKeyIdError::Entropy`] when the operating system's generator fails.
pub fn generate_key_id() -> Result<AccessKeyId, GenerateKeyIdError> {
    let random = random_characters(ALPHABET, ACCESS_KEY_ID_LENGTH - ACCESS_KEY_ID_PREFIX.len())?;
    Ok(format!("{ACCESS_KEY_ID_PREFIX}{random}").parse()?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn generated_ids_have_the_promised_form() {
        let mut seen = HashSet::new();
        for _ in 0..200 {
            let id = generate_key_id().unwrap().to_string();
            assert_eq!(id.len(), 20);
            assert!(id.starts_with("BKTY"));
            assert!(
                id.bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            );
            assert!(seen.insert(id));
        }
    }
}
