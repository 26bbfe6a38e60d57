//! `fsck`: whether catalog and blobs agree.
//!
//! On SQLite the check has the catalog for itself. On Postgres nodes may go on working: the store is listed before the
//! catalog is read, and whatever looks wrong then is looked at once more.

mod compare;
mod confirm;
mod error;
mod gather;
mod report;
mod verify;

use uuid::Uuid;

pub use error::FsckError;
pub use report::{FsckReport, Problem};

use crate::blobs::{BlobStore, BlobStoreOptions, StoreError, StoreUrl, UnusableStore};
use crate::catalog::{Catalog, CatalogOptions, DatabaseUrl, UnsafeDatabase};
use crate::clock::Clock;
use crate::config::DataPlaces;
use crate::upkeep::{collect_all, shared_time};
use compare::Findings;
use report::Mended;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// That every blob is there with the right length.
    Lengths,
    /// Every byte too.
    Contents,
}

/// What becomes of blobs that nothing refers to, and of statistics that are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftovers {
    /// They stay.
    Keep,
    /// Blobs are deleted, statistics corrected. No node may run.
    Delete,
}

/// Compares the catalog with the blobs. `environment` holds the settings of a cloud store.
///
/// # Errors
/// [`FsckError`] if it could not be done; what is wrong with the data is in the report.
pub async fn fsck(
    places: &DataPlaces,
    environment: Vec<(String, String)>,
    depth: Depth,
    leftovers: Leftovers,
    clock: &Clock,
) -> Result<FsckReport, FsckError> {
    let url = &places.database;
    if let DatabaseUrl::Sqlite(directory) = url
        && !url.may_hold_a_catalog()
    {
        return Err(FsckError::NoCatalog(directory.clone()));
    }
    let options = CatalogOptions {
        // A check acknowledges nothing.
        unsafe_database: UnsafeDatabase::Allowed,
        ..CatalogOptions::default()
    };
    let catalog = Catalog::open(url, &options).await?;
    let checked = async {
        let blobs = open_blobs(places, &catalog, environment).await?;
        if leftovers == Leftovers::Delete {
            refuse_beside_nodes(&catalog, url, clock).await?;
        }
        check(&catalog, &blobs, depth, leftovers, clock).await
    };
    let report = checked.await;
    catalog.close().await;
    report
}

/// The store, proved to be the catalog's own. Nothing is made.
async fn open_blobs(
    places: &DataPlaces,
    catalog: &Catalog,
    environment: Vec<(String, String)>,
) -> Result<BlobStore, FsckError> {
    let expected = Uuid::try_parse(catalog.store_id()).map_err(|_| FsckError::StoreId)?;
    let url = &places.store;
    if let StoreUrl::Local(directory) = url
        && !directory.is_dir()
    {
        let missing = StoreError::MarkerMissing { expected };
        return Err(UnusableStore::new(url, missing).into());
    }
    let options = BlobStoreOptions {
        environment,
        timeout: places.store_timeout,
        ..BlobStoreOptions::default()
    };
    let unusable = |error| UnusableStore::new(url, error);
    let blobs = BlobStore::open(url, &options).map_err(unusable)?;
    blobs.verify(expected).await.map_err(unusable)?;
    Ok(blobs)
}

/// On SQLite the directory's lock has proved it.
async fn refuse_beside_nodes(
    catalog: &Catalog,
    url: &DatabaseUrl,
    clock: &Clock,
) -> Result<(), FsckError> {
    let nodes = match url {
        DatabaseUrl::Sqlite(_) => 0,
        DatabaseUrl::Postgres(_) => {
            let now = shared_time(catalog, clock).await?;
            catalog.live_nodes(now).await?
        }
    };
    match nodes {
        0 => Ok(()),
        nodes => Err(FsckError::NodesLive { nodes }),
    }
}

async fn check(
    catalog: &Catalog,
    blobs: &BlobStore,
    depth: Depth,
    leftovers: Leftovers,
    clock: &Clock,
) -> Result<FsckReport, FsckError> {
    let seen = gather::gather(catalog, blobs).await?;
    let mut findings = compare::compare(&seen);
    confirm::confirm(&mut findings, catalog, blobs).await?;
    let verified = match depth {
        Depth::Lengths => None,
        Depth::Contents => Some(verify::verify(&seen, &mut findings, catalog, blobs).await?),
    };
    let mended = match leftovers {
        Leftovers::Keep => None,
        Leftovers::Delete => Some(Mended {
            deleted: delete(&mut findings, catalog, blobs, clock).await?,
            corrected: correct(&mut findings, catalog).await?,
        }),
    };
    report::report(findings, verified, mended, catalog).await
}

/// What the collector would take in time, and what it would never find. Answers how many blobs went.
async fn delete(
    findings: &mut Findings,
    catalog: &Catalog,
    blobs: &BlobStore,
    clock: &Clock,
) -> Result<u64, FsckError> {
    let now = shared_time(catalog, clock).await?;
    // The times of files are those of this machine.
    blobs.sweep_staging(Clock::System.now().into()).await?;
    let collected = collect_all(catalog, blobs, now).await?;
    let ids: Vec<_> = findings.orphans.iter().map(|blob| blob.id).collect();
    let deleted = blobs.delete(&ids).await;
    if let Some((_, error)) = deleted.failed.into_iter().next() {
        return Err(error.into());
    }
    let orphans = std::mem::take(&mut findings.orphans);
    Ok(collected.deleted + orphans.len() as u64)
}

/// Corrects the statistics of buckets. Answers how many buckets had wrong ones.
async fn correct(findings: &mut Findings, catalog: &Catalog) -> Result<u64, FsckError> {
    findings.statistics.clear();
    Ok(catalog.correct_statistics().await?)
}

#[cfg(test)]
mod tests;
