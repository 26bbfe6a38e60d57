//! The keyring's file is read again while the node runs.

use super::load::told;
use super::status::{complain, loaded};
use super::{LiveKeyring, SealingError, canary};
use crate::access::{Keyring, read_keyring_file};
use crate::catalog::{Catalog, SealedSecrets};
use crate::config::KeyringSource;

impl LiveKeyring {
    /// Reads the keyring again and works with it from now on, if it may replace the present one.
    ///
    /// # Errors
    /// [`SealingError`]; the former keyring stays then.
    pub(crate) async fn reload(&self, catalog: &Catalog) -> Result<(), SealingError> {
        let _one_at_a_time = self.reloading.lock().await;
        let fresh = read_again(&self.source).await?;
        let in_use = catalog.sealed_secrets().await?;
        check_replacement(&self.current(), &fresh, &in_use)?;
        canary::prove(catalog, &fresh).await?;
        complain(&fresh, &in_use);
        tracing::info!(keyring = ?fresh, "the keyring was reloaded");
        self.current.send_replace(fresh);
        Ok(())
    }
}

async fn read_again(source: &KeyringSource) -> Result<Keyring, SealingError> {
    let path = match source {
        KeyringSource::Text(_) => return Err(SealingError::Unchangeable),
        KeyringSource::File(path) | KeyringSource::MadeAt(path) => path.clone(),
    };
    let read = tokio::task::spawn_blocking(move || read_keyring_file(&path)).await;
    Ok(told(read.map_err(|_| SealingError::Stopping)??))
}

/// What the present keyring can open, the next one must. What neither can open is no reason to refuse a keyring that
/// mends something else.
fn check_replacement(
    present: &Keyring,
    next: &Keyring,
    in_use: &[SealedSecrets],
) -> Result<(), SealingError> {
    for sealed in in_use {
        if let Some(kek_id) = loaded(present, sealed.kek_id)
            && !next.has(kek_id)
        {
            return Err(SealingError::StillNeeded {
                kek_id,
                count: sealed.count,
            });
        }
    }
    // Something may be on its way into the catalog under this key right now.
    if !next.has(present.active_id()) {
        return Err(SealingError::StillActive(present.active_id()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(active: u32, numbers: &[u32]) -> Keyring {
        let keys: String = numbers
            .iter()
            .map(|number| format!("{number} = \"{}ff\"\n", format!("{number:02}").repeat(31)))
            .collect();
        Keyring::parse(&format!("active = {active}\n[keys]\n{keys}")).unwrap()
    }

    fn check(present: &Keyring, next: &Keyring, in_use: &[(i64, i64)]) -> String {
        let in_use: Vec<_> = in_use
            .iter()
            .map(|&(kek_id, count)| SealedSecrets { kek_id, count })
            .collect();
        match check_replacement(present, next, &in_use) {
            Ok(()) => "taken".to_owned(),
            Err(SealingError::StillNeeded { kek_id, count }) => format!("{kek_id} seals {count}"),
            Err(SealingError::StillActive(kek_id)) => format!("{kek_id} is active"),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn no_key_goes_that_is_needed() {
        let present = keyring(2, &[1, 2]);
        for (next, in_use, expected) in [
            (keyring(2, &[1, 2, 3]), vec![(1, 5)], "taken"),
            (keyring(3, &[1, 2, 3]), vec![(1, 5), (2, 1)], "taken"),
            (keyring(2, &[2]), vec![(1, 5), (2, 1)], "1 seals 5"),
            (keyring(2, &[2]), vec![(2, 6)], "taken"),
            (keyring(1, &[1]), vec![(1, 5), (2, 1)], "2 seals 1"),
            (keyring(1, &[1]), vec![(1, 5)], "2 is active"),
            // Lacking already, and not for the first time.
            (keyring(2, &[1, 2, 3]), vec![(9, 4)], "taken"),
            (keyring(2, &[1, 2]), vec![(-1, 4)], "taken"),
        ] {
            assert_eq!(check(&present, &next, &in_use), expected, "{next:?}");
        }
    }
}
