use std::path::Path;

use crate::access::{FileExposure, read_keyring_file};
use crate::cli::table::table;
use crate::cli::{CliError, Terminal};

pub(super) fn list(path: &Path, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let (keyring, exposure) = read_keyring_file(path)?;
    let rows = keyring.ids().map(|id| {
        let state = if id == keyring.active_id() {
            "active"
        } else {
            "opens only"
        };
        [id.to_string(), state.to_owned()]
    });
    table(terminal.out, ["KEY", "STATE"], rows)?;
    match exposure {
        FileExposure::Private => {}
        FileExposure::ReadableByOthers => writeln!(
            terminal.err,
            "{} can be read by others: chmod 600",
            path.display()
        )?,
    }
    Ok(())
}
