//! Everything that is asked of the catalog: one question, one file, one function.

mod access_key;
mod access_rows;
mod account;
mod audit;
mod bucket;
mod bucket_settings;
mod bucket_statistics;
mod changes;
mod list_access_keys;
mod list_buckets;
mod list_objects;
mod list_parts;
mod list_uploads;
mod list_versions;
mod newest_noncurrent_version;
mod object;
mod object_version;
mod remembered;
mod sealed_secrets;
mod setting;
mod upload;
mod usage;

pub use access_rows::{AccessRows, ObjectRead};
pub use audit::MAX_READ_DETAILS;
pub use sealed_secrets::SealedSecrets;

#[cfg(test)]
pub(crate) use {
    list_versions::select_versions, newest_noncurrent_version::select_newest_noncurrent,
    object_version::select_version,
};

use super::query::{More, Page};

/// The longest page that is read on the thread of the request.
const SHORT_PAGE: u32 = 1000;

/// Cuts a page of at most `max` out of one that was asked for one item more.
fn cut<T>(mut items: Vec<T>, max: u32) -> Page<T> {
    let max = max as usize;
    let more = if items.len() > max {
        More::Yes
    } else {
        More::No
    };
    items.truncate(max);
    Page { items, more }
}

/// What to ask for to know whether there is more.
fn one_more(max: u32) -> i64 {
    i64::from(max) + 1
}
