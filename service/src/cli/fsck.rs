use std::io;
use std::path::PathBuf;

use super::Terminal;
use super::output::Output;
use crate::clock::Clock;
use crate::config::{ConfigError, DataPlaces, PlaceSettings};
use crate::fsck::{Depth, FsckError, FsckReport, Leftovers, fsck};

/// Why data could not be checked. The operator reads it.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The check could not be made.
    #[error(transparent)]
    Fsck(#[from] FsckError),
    /// The report cannot be written as JSON.
    #[error("cannot write the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Standard output cannot be written to.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// The settings of `fsck`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct FsckArgs {
    /// Read every blob and compare its checksums
    #[arg(long)]
    verify: bool,

    /// Delete blobs that nothing refers to, and correct statistics of buckets; no server may run on this data
    #[arg(long)]
    collect: bool,

    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    /// A TOML file of settings, as for serve
    #[arg(long, env = "BUCKETRY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where the data is.
    #[command(flatten)]
    places: PlaceSettings,
}

const AFTER_HELP: &str = "\
With SQLite the server must be stopped. With Postgres nodes may run, unless --collect is given.

Exit status: 0 clean, 1 something is wrong with the data, 2 the check could not be made.";

impl FsckArgs {
    /// Compares catalog and blobs, and writes the report. `environment` holds the settings of a cloud store.
    ///
    /// # Errors
    /// [`CheckError`] if it could not be done.
    pub async fn run(
        self,
        environment: Vec<(String, String)>,
        clock: &Clock,
        terminal: &mut Terminal<'_>,
    ) -> Result<FsckReport, CheckError> {
        let places = DataPlaces::read(self.places, self.config.as_deref())?;
        let depth = if self.verify {
            Depth::Contents
        } else {
            Depth::Lengths
        };
        let leftovers = if self.collect {
            Leftovers::Delete
        } else {
            Leftovers::Keep
        };
        let report = fsck(&places, environment, depth, leftovers, clock).await?;
        match self.output {
            Output::Text => report.write_text(terminal.out)?,
            Output::Json => {
                writeln!(terminal.out, "{}", serde_json::to_string_pretty(&report)?)?;
            }
        }
        Ok(report)
    }
}
