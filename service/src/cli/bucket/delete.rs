use bucketry_contract::v1::DeleteBucketRequest;

use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn delete(
    name: String,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = DeleteBucketRequest {
        bucket: name.clone(),
    };
    connection.answer(connection.objects().delete_bucket(request).await)?;
    writeln!(terminal.out, "deleted {name}")?;
    Ok(())
}
