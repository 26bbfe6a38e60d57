use sqlx::PgConnection;

use crate::{CatalogError, UnsafeDatabase};

/// How sessions wait for their commits: the server's `synchronous_commit`, or `on` if that is `off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Durability {
    pub(super) synchronous_commit: String,
}

/// Looks whether what this server commits outlives a crash of its machine. Every session then sets what was found, so that
/// a later `synchronous_commit=off` of the server, database or user has no effect.
pub(super) async fn durability(
    connection: &mut PgConnection,
    allowed: UnsafeDatabase,
) -> Result<Durability, CatalogError> {
    let settings = "SELECT current_setting('fsync'), current_setting('synchronous_commit')";
    let (fsync, found): (String, String) =
        sqlx::query_as(settings).fetch_one(&mut *connection).await?;
    if fsync == "off" {
        match allowed {
            UnsafeDatabase::Refused => return Err(CatalogError::UnsafeDatabase),
            UnsafeDatabase::Allowed => tracing::warn!(
                "the database server has fsync=off: a crash of its machine may lose or damage what was acknowledged"
            ),
        }
    }
    Ok(Durability {
        synchronous_commit: match found.as_str() {
            "off" => "on".to_owned(),
            _ => found,
        },
    })
}
