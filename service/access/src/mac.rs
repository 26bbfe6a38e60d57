//! HMAC under keys of any length, without a fallible constructor.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Block length of SHA-1 and of SHA-256, in bytes.
const BLOCK: usize = 64;

/// An HMAC-SHA256 under `key`.
pub(super) fn hmac_sha256(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new((&*block_key(key, |key| Sha256::digest(key).to_vec())).into())
}

/// An HMAC-SHA1 under `key`.
pub(super) fn hmac_sha1(key: &[u8]) -> Hmac<Sha1> {
    Hmac::<Sha1>::new((&*block_key(key, |key| Sha1::digest(key).to_vec())).into())
}

/// The HMAC-SHA256 of one message.
pub(super) fn sha256_mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = hmac_sha256(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// RFC 2104: a key up to one block is padded with zeros, a longer one is digested first.
fn block_key(key: &[u8], digest: impl Fn(&[u8]) -> Vec<u8>) -> Zeroizing<[u8; BLOCK]> {
    let digested = Zeroizing::new(if key.len() > BLOCK {
        digest(key)
    } else {
        Vec::new()
    });
    let key = if key.len() > BLOCK {
        digested.as_slice()
    } else {
        key
    };
    let mut block = Zeroizing::new([0_u8; BLOCK]);
    for (slot, &byte) in block.iter_mut().zip(key) {
        *slot = byte;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_the_general_constructor_at_every_length() {
        for length in [0, 1, 20, 32, 63, 64, 65, 200, 260] {
            let key = vec![0xa5; length];
            let mut general = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            general.update(b"text");
            assert_eq!(
                sha256_mac(&key, b"text")[..],
                general.finalize().into_bytes()[..],
                "{length}"
            );
            let (mut general, mut ours) =
                (Hmac::<Sha1>::new_from_slice(&key).unwrap(), hmac_sha1(&key));
            general.update(b"text");
            ours.update(b"text");
            assert_eq!(
                ours.finalize().into_bytes(),
                general.finalize().into_bytes(),
                "{length}"
            );
        }
    }
}
