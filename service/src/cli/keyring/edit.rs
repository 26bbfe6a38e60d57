use std::path::Path;

use crate::access::{KeyringEdit, create_keyring_file, edit_keyring_file};
use crate::cli::{CliError, Terminal};

pub(super) fn create(path: &Path, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let keyring = create_keyring_file(path)?;
    writeln!(
        terminal.out,
        "made {} with key {}",
        path.display(),
        keyring.active_id()
    )?;
    writeln!(
        terminal.err,
        "Back it up apart from the data: without it no secret can be opened."
    )?;
    Ok(())
}

pub(super) fn edit(
    path: &Path,
    edit: KeyringEdit,
    terminal: &mut Terminal<'_>,
) -> Result<(), CliError> {
    let (key, _) = edit_keyring_file(path, edit)?;
    let (done, next) = match edit {
        KeyringEdit::Add(_) => (
            format!("added key {key}"),
            format!(
                "Back the file up, give every node the same file and reload each (bucketry keyring reload), then \
                 bucketry keyring activate {key}."
            ),
        ),
        KeyringEdit::Activate(_) => (
            format!("key {key} is active"),
            "Give every node the same file and reload each (bucketry keyring reload). Remove the former key only when \
             bucketry keyring status shows 0 for it."
                .to_owned(),
        ),
        KeyringEdit::Remove(_) => (
            format!("removed key {key}"),
            "Reload every node (bucketry keyring reload). A node refuses that while the key still seals something: \
             bucketry keyring status must have shown 0 for it, else take the file back from the backup."
                .to_owned(),
        ),
    };
    writeln!(terminal.out, "{done}")?;
    writeln!(terminal.err, "{next}")?;
    Ok(())
}
