use sqlx::PgConnection;

use crate::{CatalogError, UnsafeDatabase};

/// How sessions wait for their commits: the server's `synchronous_commit`, or `on` if that is `off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Durability {
    pub(super) synchronous_commit: String,
}

/// The settings of a server that decide whether commits outlive a crash of its machine.
pub(super) struct DurabilitySettings {
    pub(super) fsync: String,
    pub(super) synchronous_commit: String,
}

pub(super) async fn durability_settings(
    connection: &mut PgConnection,
) -> Result<DurabilitySettings, sqlx::Error> {
    let settings = "SELECT current_setting('fsync'), current_setting('synchronous_commit')";
    let (fsync, synchronous_commit) = sqlx::query_as(settings).fetch_one(connection).await?;
    Ok(DurabilitySettings {
        fsync,
        synchronous_commit,
    })
}

/// Looks whether what this server commits outlives a crash of its machine. Every session then sets what was found, so that
/// a later `synchronous_commit=off` of the server, database or user has no effect.
pub(super) async fn durability(
    connection: &mut PgConnection,
    allowed: UnsafeDatabase,
) -> Result<Durability, CatalogError> {
    let settings = durability_settings(connection).await?;
    if settings.fsync == "off" {
        match allowed {
            UnsafeDatabase::Refused => return Err(CatalogError::UnsafeDatabase),
            UnsafeDatabase::Allowed => tracing::warn!(
                "the database server has fsync=off: a crash of its machine may lose or damage what was acknowledged"
            ),
        }
    }
    Ok(Durability {
        synchronous_commit: match settings.synchronous_commit.as_str() {
            "off" => "on".to_owned(),
            _ => settings.synchronous_commit,
        },
    })
}
