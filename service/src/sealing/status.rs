//! Which keys there are, and what each seals.

use std::collections::BTreeMap;

use super::LiveKeyring;
use crate::access::{KekId, Keyring};
use crate::catalog::{Catalog, CatalogError, SealedSecrets};

/// A key that is loaded, or that seals something, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyStatus {
    /// Its number as stored.
    pub(crate) kek_id: i64,
    /// Whether new secrets are sealed by it.
    pub(crate) active: bool,
    /// Whether this node has it.
    pub(crate) loaded: bool,
    /// How many secrets it seals.
    pub(crate) sealed_secrets: i64,
}

impl LiveKeyring {
    /// All keys by number.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub(crate) async fn status(&self, catalog: &Catalog) -> Result<Vec<KeyStatus>, CatalogError> {
        let in_use = catalog.sealed_secrets().await?;
        Ok(join(&self.current(), &in_use))
    }
}

fn join(keyring: &Keyring, in_use: &[SealedSecrets]) -> Vec<KeyStatus> {
    let mut counts: BTreeMap<i64, i64> = keyring.ids().map(|id| (id.get().into(), 0)).collect();
    counts.extend(in_use.iter().map(|sealed| (sealed.kek_id, sealed.count)));
    let active = i64::from(keyring.active_id().get());
    counts
        .into_iter()
        .map(|(kek_id, sealed_secrets)| KeyStatus {
            kek_id,
            active: kek_id == active,
            loaded: loaded(keyring, kek_id).is_some(),
            sealed_secrets,
        })
        .collect()
}

/// The key of a stored number, if the keyring has it.
pub(super) fn loaded(keyring: &Keyring, stored: i64) -> Option<KekId> {
    let id = u32::try_from(stored).ok().and_then(KekId::new)?;
    keyring.has(id).then_some(id)
}

/// Whether the keyring has the key of these secrets.
pub(super) fn has(keyring: &Keyring, sealed: &SealedSecrets) -> bool {
    loaded(keyring, sealed.kek_id).is_some()
}

/// Says loudly which keys are missed, and by how many secrets.
pub(super) fn complain(keyring: &Keyring, in_use: &[SealedSecrets]) {
    for sealed in in_use.iter().filter(|sealed| !has(keyring, sealed)) {
        tracing::error!(
            key = sealed.kek_id,
            secrets = sealed.count,
            "the keyring lacks a key: all requests with these access keys are answered as unavailable (503) until it \
             is put back and the keyring is reloaded"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaded_keys_and_keys_in_use_are_joined() {
        let text = |number: u32| {
            format!(
                "{number} = \"{}\"",
                format!("{number:02}").repeat(31) + "ff"
            )
        };
        let keyring =
            Keyring::parse(&format!("active = 2\n[keys]\n{}\n{}\n", text(1), text(2))).unwrap();
        let in_use =
            [(0, 1), (1, 5), (9, 7)].map(|(kek_id, count)| SealedSecrets { kek_id, count });
        let joined: Vec<_> = join(&keyring, &in_use)
            .iter()
            .map(|key| (key.kek_id, key.active, key.loaded, key.sealed_secrets))
            .collect();
        assert_eq!(
            joined,
            [
                (0, false, false, 1),
                (1, false, true, 5),
                (2, true, true, 0),
                (9, false, false, 7)
            ]
        );
    }
}
