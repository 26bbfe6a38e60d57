use bucketry_contract::v1::{GetKeyringRequest, ReloadKeyringRequest, SealingKey};

use crate::cli::json::json;
use crate::cli::output::Output;
use crate::cli::server_connection::ServerConnection;
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

pub(super) async fn status(
    output: Output,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let answer = connection.answer(connection.admin().get_keyring(GetKeyringRequest {}).await)?;
    match output {
        Output::Text => write_keys(&answer.keys, terminal),
        Output::Json => Ok(writeln!(
            terminal.out,
            "{}",
            json(&answer, "GetKeyringResponse")?
        )?),
    }
}

pub(super) async fn reload(
    output: Output,
    connection: &ServerConnection,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let reloaded = connection
        .admin()
        .reload_keyring(ReloadKeyringRequest {})
        .await;
    let answer = connection.answer(reloaded)?;
    match output {
        Output::Text => write_keys(&answer.keys, terminal),
        Output::Json => Ok(writeln!(
            terminal.out,
            "{}",
            json(&answer, "ReloadKeyringResponse")?
        )?),
    }
}

fn write_keys(keys: &[SealingKey], terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let row = |key: &SealingKey| {
        [
            key.key_id.clone(),
            state(key).to_owned(),
            key.sealed_secrets.to_string(),
        ]
    };
    table(
        terminal.out,
        ["KEY", "STATE", "SEALED SECRETS"],
        keys.iter().map(row),
    )?;
    for key in keys.iter().filter(|key| !key.loaded) {
        writeln!(
            terminal.err,
            "Key {} is missing: requests with its {} access keys are answered with 503. Put it back into the keyring \
             and reload.",
            key.key_id, key.sealed_secrets
        )?;
    }
    Ok(())
}

fn state(key: &SealingKey) -> &'static str {
    match (key.loaded, key.active) {
        (false, _) => "MISSING",
        (true, true) => "active",
        (true, false) => "opens only",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_is_told_loudly() {
        let key = |number: &str, active, loaded, sealed_secrets| SealingKey {
            key_id: number.to_owned(),
            active,
            loaded,
            sealed_secrets,
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut terminal = Terminal {
            out: &mut out,
            err: &mut err,
        };
        let keys = [
            key("1", false, false, 5),
            key("2", false, true, 0),
            key("3", true, true, 12),
        ];
        write_keys(&keys, &mut terminal).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "KEY  STATE       SEALED SECRETS\n1    MISSING     5\n2    opens only  0\n3    active      12\n"
        );
        assert_eq!(
            String::from_utf8(err).unwrap(),
            "Key 1 is missing: requests with its 5 access keys are answered with 503. Put it back into the keyring \
             and reload.\n"
        );
    }
}
