//! Canaries: one small sealed text per key in the catalog's settings. A key that does not open its own is not the key
//! that this catalog knows by that number.

use super::SealingError;
use crate::access::{
    KekId, Keyring, NONCE_LENGTH, OpenError, SealAlgorithm, Sealed, seal_canary, verify_canary,
};
use crate::catalog::Catalog;

/// Where catalogs of the first schema have the one canary that they know.
const SINGLE: &str = "keyring_canary";

fn setting(kek_id: KekId) -> String {
    format!("keyring_canary/{kek_id}")
}

/// Whether this key ever sealed anything here.
pub(super) async fn is_known(catalog: &Catalog, kek_id: KekId) -> Result<bool, SealingError> {
    Ok(catalog.setting(&setting(kek_id)).await?.is_some())
}

/// Gives the single canary of an older catalog its place among the others.
pub(super) async fn adopt_single(catalog: &Catalog) -> Result<(), SealingError> {
    if let Some(packed) = catalog.setting(SINGLE).await?
        && let Some(sealed) = unpack(&packed)
    {
        catalog
            .claim_setting(&setting(sealed.kek_id), packed)
            .await?;
    }
    Ok(())
}

/// Proves every key of a keyring, and makes the canaries of new keys. Nothing is made unless all known keys are right.
pub(super) async fn prove(catalog: &Catalog, keyring: &Keyring) -> Result<(), SealingError> {
    let mut new = Vec::new();
    for kek_id in keyring.ids() {
        match catalog.setting(&setting(kek_id)).await? {
            Some(packed) => verify(catalog, keyring, kek_id, &packed)?,
            None => new.push(kek_id),
        }
    }
    for kek_id in new {
        let fresh = seal_canary(keyring, kek_id, catalog.store_id().as_bytes())?;
        // Another node may come first, with another key under the same number.
        let claimed = catalog
            .claim_setting(&setting(kek_id), pack(&fresh))
            .await?;
        verify(catalog, keyring, kek_id, &claimed)?;
    }
    Ok(())
}

fn verify(
    catalog: &Catalog,
    keyring: &Keyring,
    kek_id: KekId,
    packed: &[u8],
) -> Result<(), SealingError> {
    let sealed = unpack(packed)
        .filter(|sealed| sealed.kek_id == kek_id)
        .ok_or(SealingError::Canary(kek_id))?;
    verify_canary(keyring, catalog.store_id().as_bytes(), &sealed)
        .map_err(|source: OpenError| SealingError::Foreign { kek_id, source })
}

/// Key number, algorithm, nonce, ciphertext.
fn pack(sealed: &Sealed) -> Vec<u8> {
    let mut packed = sealed.kek_id.get().to_be_bytes().to_vec();
    packed.push(sealed.algorithm.number());
    packed.extend_from_slice(&sealed.nonce);
    packed.extend_from_slice(&sealed.ciphertext);
    packed
}

fn unpack(packed: &[u8]) -> Option<Sealed> {
    let (kek_id, rest) = packed.split_first_chunk::<4>()?;
    let (algorithm, rest) = rest.split_first()?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
    Some(Sealed {
        kek_id: KekId::new(u32::from_be_bytes(*kek_id))?,
        algorithm: SealAlgorithm::from_number(*algorithm)?,
        nonce: *nonce,
        ciphertext: ciphertext.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_read_as_it_was_written() {
        let keyring = Keyring::parse(&Keyring::generate_text().unwrap()).unwrap();
        let canary = seal_canary(&keyring, keyring.active_id(), b"store").unwrap();
        let read = unpack(&pack(&canary)).unwrap();
        assert!(verify_canary(&keyring, b"store", &read).is_ok());
        assert!(verify_canary(&keyring, b"other", &read).is_err());
        assert!(unpack(&[0; 10]).is_none());
    }
}
