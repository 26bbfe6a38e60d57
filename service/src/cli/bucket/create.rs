use bucketry_contract::v1::CreateBucketRequest;

use crate::cli::json::json;
use crate::cli::output::{Output, required};
use crate::cli::server_connection::ServerConnection;
use crate::cli::{CliError, Terminal};

pub(super) async fn create(
    name: String,
    output: Output,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let request = CreateBucketRequest {
        bucket: name,
        region: String::new(),
    };
    let answer = connection.answer(connection.objects().create_bucket(request).await)?;
    match output {
        Output::Text => {
            let bucket = required(answer.bucket, "bucket")?;
            writeln!(terminal.out, "created {}", bucket.name)?;
        }
        Output::Json => writeln!(terminal.out, "{}", json(&answer, "CreateBucketResponse")?)?,
    }
    Ok(())
}
