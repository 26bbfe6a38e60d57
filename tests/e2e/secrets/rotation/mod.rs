//! The sealing key is rotated while the server is in use, without any visible effect.

mod reloads;
mod under_load;

use std::path::PathBuf;

use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use tempfile::TempDir;

use crate::secrets::{keyring_command, keyring_file, keys, reload, sealed_by};

/// One or more nodes, and the keyring file that they share.
struct Fleet {
    _folder: TempDir,
    keyring: PathBuf,
    nodes: Vec<Server>,
}

impl Fleet {
    fn embedded() -> Result<Self, HarnessError> {
        let server = Server::start(ServerOptions::new())?;
        Ok(Self {
            _folder: tempfile::tempdir().expect("a folder"),
            keyring: keyring_file(&server),
            nodes: vec![server],
        })
    }

    async fn of_two() -> Result<Self, HarnessError> {
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = folder.path().join("keyring");
        keyring_command(&["create"], &keyring)?;
        let url = postgres::create_database().await?;
        let options = ServerOptions::new()
            .database(&url)
            .argument("--store")
            .argument(format!("file://{}", folder.path().join("blobs").display()))
            .argument("--keyring-file")
            .argument(&keyring);
        let nodes = vec![Server::start(options.clone())?, Server::start(options)?];
        Ok(Self {
            _folder: folder,
            keyring,
            nodes,
        })
    }

    async fn roots(&self) -> Result<Vec<Clients>, HarnessError> {
        let mut roots = Vec::new();
        for node in &self.nodes {
            roots.push(Clients::root(node).await?);
        }
        Ok(roots)
    }
}

/// One whole rotation in the documented order; gives the number of the new key.
async fn rotate(
    fleet: &Fleet,
    roots: &mut [Clients],
    former: &str,
) -> Result<String, HarnessError> {
    let said = keyring_command(&["add"], &fleet.keyring)?;
    let next = (former.parse::<u32>().expect("a number") + 1).to_string();
    assert!(said.contains(&format!("added key {next}")), "{said}");
    for root in roots.iter_mut() {
        reload(root).await?;
    }
    keyring_command(&["activate", &next], &fleet.keyring)?;
    for root in roots.iter_mut() {
        let keys = reload(root).await?;
        assert!(keys.iter().any(|key| key.active && key.key_id == next));
    }
    // The work is done in the background, by any node.
    while sealed_by(&keys(&mut roots[0]).await?, former) > 0 {}
    keyring_command(&["remove", former], &fleet.keyring)?;
    for root in roots.iter_mut() {
        let keys = reload(root).await?;
        let numbers: Vec<_> = keys.iter().map(|key| key.key_id.as_str()).collect();
        assert_eq!(numbers, [next.as_str()]);
    }
    Ok(next)
}
