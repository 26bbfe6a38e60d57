//! The keyring of a start.

use std::io;

use super::{SealingError, canary, status};
use crate::access::{
    FileExposure, KekId, Keyring, KeyringFileError, create_keyring_file, read_keyring_file,
};
use crate::catalog::{Catalog, SealedSecrets};
use crate::config::KeyringSource;

/// Reads the keyring, makes it if this is the first start of the embedded default, and proves it to be the catalog's.
///
/// A keyring that lacks only some of the keys in use is taken: their tokens are answered as unavailable, and the log
/// says so loudly. One that has none of them is refused.
///
/// # Errors
/// [`SealingError`].
pub(crate) async fn load(
    catalog: &Catalog,
    source: &KeyringSource,
) -> Result<Keyring, SealingError> {
    canary::adopt_single(catalog).await?;
    let in_use = catalog.sealed_secrets().await?;
    let keyring = match source {
        KeyringSource::Text(text) => Keyring::parse(text.expose())?,
        KeyringSource::File(path) => told(read_keyring_file(path)?),
        KeyringSource::MadeAt(path) => match read_keyring_file(path) {
            Err(KeyringFileError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                if !in_use.is_empty() || canary::is_known(catalog, KekId::FIRST).await? {
                    return Err(SealingError::Missing(path.clone()));
                }
                create_keyring_file(path)?
            }
            read => told(read?),
        },
    };
    refuse_stranger(&keyring, &in_use)?;
    canary::prove(catalog, &keyring).await?;
    status::complain(&keyring, &in_use);
    Ok(keyring)
}

/// Warns if the file is open to others.
pub(super) fn told((keyring, exposure): (Keyring, FileExposure)) -> Keyring {
    match exposure {
        FileExposure::Private => {}
        FileExposure::ReadableByOthers => {
            tracing::warn!("the keyring file can be read by others: chmod 600");
        }
    }
    keyring
}

fn refuse_stranger(keyring: &Keyring, in_use: &[SealedSecrets]) -> Result<(), SealingError> {
    let known = in_use.iter().any(|sealed| status::has(keyring, sealed));
    if known || in_use.is_empty() {
        return Ok(());
    }
    let needed: Vec<String> = in_use
        .iter()
        .map(|sealed| sealed.kek_id.to_string())
        .collect();
    Err(SealingError::NoneOfThem {
        needed: needed.join(", "),
    })
}
