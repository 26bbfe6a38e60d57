//! Names that mean something to a file system or to this server: here they are names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bucketry_contract::v1::{
    DeleteObjectRequest, GetObjectRequest, GetSmallObjectRequest, PutObjectSpec,
    PutSmallObjectRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bytes::Bytes;

use super::super::raw::io;
use crate::wire::{BUCKET, Wire};

const NAMES: [&str; 26] = [
    "../../etc/passwd",
    "../../../../../../../../tmp/bucketry-escaped",
    "/etc/passwd",
    "//etc//passwd",
    "..",
    ".",
    "a/../../b",
    "./a",
    "a/./b",
    "..\\..\\windows",
    "C:\\windows\\system32",
    "C:",
    "con",
    "NUL.txt",
    "aux/lpt1",
    "name.",
    "name ",
    " name",
    ".tmp",
    ".sys/config",
    "tmp/blob",
    "catalog.sqlite",
    "keyring",
    "blobs/marker",
    "~/x",
    "file:///etc/passwd",
];

/// All files below a folder, by their paths from it.
fn files(top: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), HarnessError> {
    for entry in std::fs::read_dir(folder).map_err(io("list"))? {
        let path = entry.map_err(io("list"))?.path();
        match path.is_dir() {
            true => files(top, &path, found)?,
            false => {
                found.insert(path.strip_prefix(top).unwrap_or(&path).to_path_buf());
            }
        }
    }
    Ok(())
}

fn names_of_files(wire: &Wire) -> Result<BTreeSet<PathBuf>, HarnessError> {
    let mut found = BTreeSet::new();
    let data = wire.server.data_dir();
    // What stands beside the data directory too: nothing may come to be there.
    let top = data.parent().unwrap_or(&data).to_path_buf();
    files(&top, &top, &mut found)?;
    Ok(found)
}

/// Objects of any name are stored under names that are the server's own: each is there, none is found on the disk.
#[tokio::test]
async fn keys_are_not_paths() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut clients = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
    let long = "x".repeat(1024);
    let names = || NAMES.into_iter().chain([long.as_str()]);
    let before = names_of_files(&wire)?;
    // Above what is kept in the catalog itself, so that there are files.
    let data = |name: &str| Bytes::from(name.repeat(100_000_usize.div_ceil(name.len())));
    for name in names() {
        let spec = PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: name.to_owned(),
            ..Default::default()
        };
        let request = PutSmallObjectRequest {
            spec: Some(spec),
            data: data(name),
        };
        clients.objects.put_small_object(request).await?;
    }
    let after = names_of_files(&wire)?;
    let new: Vec<&PathBuf> = after.difference(&before).collect();
    assert!(new.len() >= NAMES.len(), "{new:?}");
    for path in &new {
        let inside = path.starts_with("data");
        let own = path.components().all(|part| {
            let part = part.as_os_str().to_string_lossy();
            part.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        });
        assert!(inside && own, "{}", path.display());
        for name in NAMES.iter().filter(|name| name.len() > 2) {
            assert!(
                !path.to_string_lossy().contains(&format!("/{name}")) || before.contains(*path),
                "{}",
                path.display()
            );
        }
    }
    for name in names() {
        let object = GetObjectRequest {
            bucket: BUCKET.to_owned(),
            key: name.to_owned(),
            ..Default::default()
        };
        let request = GetSmallObjectRequest {
            object: Some(object),
        };
        let got = clients
            .objects
            .get_small_object(request)
            .await?
            .into_inner();
        assert_eq!(got.data, data(name), "{name}");
        let request = DeleteObjectRequest {
            bucket: BUCKET.to_owned(),
            key: name.to_owned(),
            ..Default::default()
        };
        clients.objects.delete_object(request).await?;
    }
    let kept = names_of_files(&wire)?;
    assert!(
        before.iter().all(|path| kept.contains(path)),
        "{before:?}\n{kept:?}"
    );
    Ok(())
}
