//! A clock that a test sets, for one process: libfaketime.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::HarnessError;
use crate::server::ServerOptions;

const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The difference between the system's clock and that of a process.
#[derive(Debug)]
pub struct SkewedClock {
    library: PathBuf,
    folder: TempDir,
}

impl SkewedClock {
    /// A clock that is right.
    ///
    /// # Errors
    /// libfaketime is not installed.
    pub fn new() -> Result<Self, HarnessError> {
        let clock = Self {
            library: library()?,
            folder: tempfile::tempdir().map_err(HarnessError::io("make a folder"))?,
        };
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets the difference in seconds. The process follows within a second.
    ///
    /// # Errors
    /// The file that says so cannot be written.
    pub fn set(&self, ahead_seconds: i32) -> Result<(), HarnessError> {
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{ahead_seconds:+}\n"))
            .and_then(|()| fs::rename(&next, self.file()))
            .map_err(HarnessError::io("set a clock"))
    }

    /// Starts the server with this clock. Its monotonic clock and the times of files are the system's.
    #[must_use]
    pub fn of(&self, options: ServerOptions) -> ServerOptions {
        let variables = self.variables().into_iter();
        variables.fold(options, |options, (name, value)| {
            options.environment(name, value)
        })
    }

    /// The variables that give a process this clock.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, OsString); 5] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().into()),
            ("FAKETIME_CACHE_DURATION", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("time")
    }
}

/// Distributions have a folder of libraries for each architecture.
fn library() -> Result<PathBuf, HarnessError> {
    let root = Path::new("/usr/lib");
    fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join(LIBRARY))
        .chain([root.join(LIBRARY)])
        .find(|path| path.is_file())
        .ok_or_else(|| HarnessError::NotPrepared(root.join(LIBRARY)))
}
