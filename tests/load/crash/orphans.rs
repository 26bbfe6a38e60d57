//! Whether the collector takes what crashes have left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::fault::Fault;
use crate::grpc::GrpcConnection;
use crate::server::{Launch, Server};
use crate::target::Target;

const POLL: Duration = Duration::from_millis(250);
/// What says that the store is the right one; it holds no content.
const MARKER: &str = "marker";
/// Where a server with a data directory keeps its blobs.
const BLOBS: &str = "blobs";

/// A way to look for what nothing refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Check {
    /// `bucketry fsck` over the stopped server's data must succeed.
    Fsck,
    /// When every object is deleted and every upload aborted, no blob file may remain.
    Files,
}

/// Runs `bucketry fsck` and answers with what it said.
pub(crate) fn fsck(launch: &Launch) -> Result<String, Fault> {
    let outcome = Command::new(&launch.binary)
        .args(["fsck", "--data-dir"])
        .arg(&launch.data_directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Fault::Start {
            binary: launch.binary.clone(),
            source,
        })?;
    let said = String::from_utf8_lossy(&outcome.stdout).trim().to_owned();
    if outcome.status.success() {
        return Ok(said);
    }
    Err(Fault::Fsck {
        status: outcome.status.code(),
        said: format!(
            "{said}\n{}",
            String::from_utf8_lossy(&outcome.stderr).trim()
        ),
    })
}

/// Aborts every upload, deletes the keys, and waits until the server has removed every blob file. Answers with how
/// many there were and how long it took.
pub(crate) async fn files(
    server: &Server,
    launch: &Launch,
    target: &Target,
    keys: impl IntoIterator<Item = String>,
    within: Duration,
) -> Result<(usize, Duration), Fault> {
    let mut connection = GrpcConnection::open(&Target {
        authority: server.authority.clone(),
        ..target.clone()
    })
    .await?;
    connection.abort_uploads().await?;
    for key in keys {
        connection.delete(&key).await?;
    }
    let began = Instant::now();
    let blobs = launch.data_directory.join(BLOBS);
    let first = count_files(&blobs)?;
    loop {
        let left = count_files(&blobs)?;
        if left == 0 {
            return Ok((first, began.elapsed()));
        }
        if began.elapsed() > within {
            return Err(Fault::Orphans { left, within });
        }
        tokio::time::sleep(POLL).await;
    }
}

fn count_files(directory: &Path) -> Result<usize, Fault> {
    let mut count = 0;
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // The server removes folders while they are walked.
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound && folder != directory => {
                continue;
            }
            Err(fault) => return Err(fault.into()),
        };
        for entry in entries {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) if folder == directory && entry.file_name() == MARKER => {}
                Ok(_) => count += 1,
                Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_counts_but_the_marker() {
        let directory = tempfile::tempdir().unwrap();
        let below = |name: &str| directory.path().join(name);
        fs::write(below("marker"), "id").unwrap();
        assert_eq!(count_files(directory.path()).unwrap(), 0);
        fs::create_dir(below("00")).unwrap();
        fs::write(below("00/marker"), "a blob by another name").unwrap();
        fs::write(below("00/a#1"), "left by a crash").unwrap();
        assert_eq!(count_files(directory.path()).unwrap(), 2);
        assert!(count_files(&below("absent")).is_err());
    }
}
