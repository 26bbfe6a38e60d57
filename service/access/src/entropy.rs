//! The operating system's random generator, without bias.

use zeroize::Zeroizing;

/// The operating system's generator failed; nothing can be made without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system's random generator failed: {0}")]
pub struct EntropyError(pub getrandom::Error);

/// `N` random bytes.
pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(EntropyError)?;
    Ok(bytes)
}

/// `count` characters, each equally likely, from an ASCII alphabet of 1 to 256 characters.
pub(super) fn random_characters(alphabet: &[u8], count: usize) -> Result<String, EntropyError> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let pool = Zeroizing::new(random_bytes::<64>()?);
        for &byte in pool.iter() {
            if text.len() == count {
                break;
            }
            if let Some(character) = unbiased(alphabet, byte) {
                text.push(char::from(character));
            }
        }
    }
    Ok(text)
}

/// The character that a random byte chooses, or none when the byte lies in the last, incomplete run through the
/// alphabet: `byte % length` alone would prefer the first characters.
fn unbiased(alphabet: &[u8], byte: u8) -> Option<u8> {
    let byte = usize::from(byte);
    let complete = 256 - 256 % alphabet.len().max(1);
    if byte >= complete {
        return None;
    }
    alphabet.get(byte % alphabet.len().max(1)).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_character_is_chosen_by_equally_many_bytes() {
        for alphabet in [
            super::super::secret::BASE62.as_slice(),
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        ] {
            let mut counts = HashMap::new();
            for byte in 0..=255_u8 {
                if let Some(character) = unbiased(alphabet, byte) {
                    *counts.entry(character).or_insert(0) += 1;
                }
            }
            assert_eq!(counts.len(), alphabet.len());
            let each = 256 / alphabet.len();
            assert!(counts.values().all(|&count| count == each));
        }
    }

    #[test]
    fn length_is_exact() {
        for count in [0, 1, 40, 63, 64, 65, 1000] {
            assert_eq!(random_characters(b"ab", count).unwrap().len(), count);
        }
    }
}
