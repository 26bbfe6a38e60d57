use std::path::PathBuf;

use serde::Serialize;

use crate::catalog::{DatabaseCheck, check_database};
use crate::cli::output::Output;
use crate::cli::table::printable;
use crate::cli::{CliError, Terminal};
use crate::clock::Clock;
use crate::config::{DataPlaces, PlaceSettings, Secret};

/// The settings of `doctor database`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Exit status: 0 if every check passed, else 1.")]
pub struct DatabaseArgs {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    /// A TOML file of settings, as for serve
    #[arg(long, env = "BUCKETRY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// The directory of the catalog, as for serve [default: ./bucketry-data]
    #[arg(long, env = "BUCKETRY_DATA_DIR", value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,

    /// The catalog, as for serve: sqlite:DIRECTORY or postgres://… [default: sqlite:DATA-DIR]
    // Held as it is given, so that no message of the parser repeats a password.
    #[arg(
        long,
        env = "BUCKETRY_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    database_url: Option<Secret>,
}

/// A check as JSON. Of the last three fields a check has those that apply.
#[derive(Serialize)]
struct CheckObject<'a> {
    check: &'static str,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

impl DatabaseArgs {
    pub(super) async fn run(self, terminal: &mut Terminal<'_>) -> Result<(), CliError> {
        let given = PlaceSettings {
            data_dir: self.data_dir,
            database_url: self.database_url,
            ..PlaceSettings::default()
        };
        let places = DataPlaces::read(given, self.config.as_deref())?;
        let checks = check_database(&places.database, || Clock::System.now()).await;
        match self.output {
            Output::Text => write_text(&checks, terminal)?,
            Output::Json => write_json(&checks, terminal)?,
        }
        let failed = checks.iter().filter(|check| check.found.is_err()).count();
        match failed {
            0 => Ok(()),
            failed => Err(CliError::ChecksFailed {
                failed,
                checks: checks.len(),
            }),
        }
    }
}

fn write_text(checks: &[DatabaseCheck], terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    for DatabaseCheck { name, found } in checks {
        let line = match found {
            Ok(found) => format!("ok       {name}: {found}"),
            Err(failure) => match failure.remedy() {
                Some(remedy) => format!("problem  {name}: {failure}: {remedy}"),
                None => format!("problem  {name}: {failure}"),
            },
        };
        writeln!(terminal.out, "{}", printable(line))?;
    }
    Ok(())
}

fn write_json(checks: &[DatabaseCheck], terminal: &mut Terminal<'_>) -> Result<(), CliError> {
    let objects: Vec<_> = (checks.iter())
        .map(|DatabaseCheck { name, found }| CheckObject {
            check: name,
            passed: found.is_ok(),
            found: found.as_deref().ok(),
            problem: found.as_ref().err().map(ToString::to_string),
            remedy: found.as_ref().err().and_then(|failure| failure.remedy()),
        })
        .collect();
    let text = serde_json::to_string_pretty(&objects);
    let text = text.map_err(|error| CliError::Json(error.to_string()))?;
    writeln!(terminal.out, "{text}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{CatalogError, CheckFailure};

    fn checks() -> [DatabaseCheck; 3] {
        [
            DatabaseCheck {
                name: "connection",
                found: Ok("PostgreSQL 17\u{1b}[2J".to_owned()),
            },
            DatabaseCheck {
                name: "primary",
                found: Err(CatalogError::Standby.into()),
            },
            DatabaseCheck {
                name: "clock",
                found: Err(CheckFailure::Clock { seconds: -7.5 }),
            },
        ]
    }

    fn written(write: fn(&[DatabaseCheck], &mut Terminal<'_>) -> Result<(), CliError>) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut terminal = Terminal {
            out: &mut out,
            err: &mut err,
        };
        write(&checks(), &mut terminal).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_for_each_check() {
        assert_eq!(
            written(write_text),
            "ok       connection: PostgreSQL 17\\u{1b}[2J\n\
             problem  primary: the database server is a standby, which accepts no writes: database-url must name the \
             primary\n\
             problem  clock: this machine's clock is 7.5 s behind the database's: synchronize both with NTP\n"
        );
    }

    #[test]
    fn json_for_programs() {
        let objects: serde_json::Value = serde_json::from_str(&written(write_json)).unwrap();
        assert_eq!(objects[0]["passed"], true);
        assert_eq!(objects[1]["check"], "primary");
        assert!(objects[1].get("remedy").is_none());
        assert_eq!(objects[2]["remedy"], "synchronize both with NTP");
    }
}
