//! The locks of a batch on Postgres.
//!
//! A commit locks accounts, access keys and buckets *shared* unless it edits them, and *exclusively* each object key and
//! upload that it changes: commits to one bucket run side by side on several nodes, commits to one key do not. A lock is
//! taken once, in its strongest mode: two sessions that hold a lock shared and both want it alone wait for each other.
//!
//! A copy takes its bucket exclusively. It locks the row of its source's data, and the same batch may delete other rows of
//! data: side by side, two such batches could each wait for the other's.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::judge::{LockMode, Needs};
use bucketry_domain::{BucketId, ObjectKey, UploadId};

/// Keys of one bucket from which on a batch takes the whole bucket instead: the server has room for some thousand locks.
const MANY_KEYS: usize = 256;

/// What a lock is for: the two lowest bits of its number.
#[derive(Clone, Copy, Debug)]
enum Class {
    Hashed = 0,
    Account = 1,
    AccessKey = 2,
    Bucket = 3,
}

/// A lock by its number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lock {
    number: i64,
    mode: LockMode,
}

impl Lock {
    fn of_row(class: Class, id: i64, mode: LockMode) -> Self {
        let number = id.wrapping_mul(4).wrapping_add(class as i64);
        Self { number, mode }
    }
}

/// The locks of a batch, in the order in which all nodes take them: `[number, 1 if exclusive]`.
pub(super) fn locks(needs: &Needs) -> Vec<[i64; 2]> {
    let row = |lock: Lock| {
        let exclusive = match lock.mode {
            LockMode::Shared => 0,
            LockMode::Exclusive => 1,
        };
        [lock.number, exclusive]
    };
    in_order(needs).into_iter().map(row).collect()
}

fn in_order(needs: &Needs) -> Vec<Lock> {
    let accounts =
        (needs.accounts.iter()).map(|id| Lock::of_row(Class::Account, id.0, needs.account_lock));
    let keys =
        (needs.access_keys.iter()).map(|pk| Lock::of_row(Class::AccessKey, pk.0, needs.key_lock));
    let whole = whole_buckets(needs);
    let buckets = needs.buckets.iter().map(|id| {
        let mode = match whole.contains(id) {
            true => LockMode::Exclusive,
            false => LockMode::Shared,
        };
        Lock::of_row(Class::Bucket, id.0, mode)
    });
    let objects = (needs.objects.iter())
        .filter(|(bucket, _)| !whole.contains(bucket))
        .map(|(bucket, key)| object_number(*bucket, key));
    let uploads = needs.uploads.iter().map(upload_number);
    let beginnings = (needs.upload_counts.keys())
        .filter(|bucket| !whole.contains(bucket))
        .map(|bucket| beginnings_number(*bucket));
    // Several may have the same number.
    let hashed: BTreeSet<i64> = objects.chain(uploads).chain(beginnings).collect();
    let hashed = hashed.into_iter().map(|number| Lock {
        number,
        mode: LockMode::Exclusive,
    });
    accounts.chain(keys).chain(buckets).chain(hashed).collect()
}

/// Buckets that the batch edits, in which it copies, or of which it changes many keys.
fn whole_buckets(needs: &Needs) -> BTreeSet<BucketId> {
    let mut whole = &needs.edited_buckets | &needs.copying_buckets;
    let of_keys: Vec<BucketId> = needs.objects.iter().map(|(bucket, _)| *bucket).collect();
    let many = (of_keys.chunk_by(|a, b| a == b)).filter(|keys| keys.len() >= MANY_KEYS);
    whole.extend(many.filter_map(|keys| keys.first()));
    whole
}

fn object_number(bucket: BucketId, key: &ObjectKey) -> i64 {
    hashed(b'o', &[&bucket.0.to_be_bytes(), key.as_bytes()])
}

fn upload_number(upload: &UploadId) -> i64 {
    hashed(b'u', &[upload.as_bytes()])
}

/// The lock of those that begin uploads in a bucket: they count its open ones.
fn beginnings_number(bucket: BucketId) -> i64 {
    hashed(b'b', &[&bucket.0.to_be_bytes()])
}

/// A collision costs a wait and nothing else.
fn hashed(kind: u8, parts: &[&[u8]]) -> i64 {
    let mut hash = Sha256::new();
    hash.update([kind]);
    parts.iter().for_each(|part| hash.update(part));
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    let number = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    (number & !3) | Class::Hashed as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_domain::{AccessKeyPk, AccountId};

    fn key(number: usize) -> ObjectKey {
        ObjectKey::new(&format!("key-{number}")).unwrap()
    }

    fn class(lock: Lock) -> i64 {
        lock.number & 3
    }

    fn needs(keys: usize) -> Needs {
        Needs {
            accounts: [AccountId(1)].into(),
            access_keys: [AccessKeyPk(2), AccessKeyPk(3)].into(),
            buckets: [BucketId(4), BucketId(5)].into(),
            objects: (0..keys).map(|number| (BucketId(4), key(number))).collect(),
            uploads: [UploadId::from_bytes([7; 16])].into(),
            ..Needs::default()
        }
    }

    #[test]
    fn objects_and_uploads_come_last_in_ascending_order_and_alone() {
        let locks = in_order(&needs(20));
        let classes: Vec<i64> = locks.iter().copied().map(class).collect();
        assert_eq!(classes[..5], [1, 2, 2, 3, 3]);
        let hashed = &locks[5..];
        assert_eq!(hashed.len(), 21);
        assert!(hashed.iter().all(|lock| class(*lock) == 0));
        assert!(hashed.is_sorted_by(|a, b| a.number < b.number));
        assert!(hashed.iter().all(|lock| lock.mode == LockMode::Exclusive));
        assert!(locks[..5].iter().all(|lock| lock.mode == LockMode::Shared));
    }

    #[test]
    fn a_bucket_that_is_edited_is_taken_alone() {
        let mut edit = needs(0);
        edit.edited_buckets.insert(BucketId(5));
        let modes: Vec<LockMode> = in_order(&edit).iter().map(|lock| lock.mode).collect();
        assert_eq!(modes[3..5], [LockMode::Shared, LockMode::Exclusive]);
    }

    #[test]
    fn a_copy_takes_its_bucket_alone() {
        let mut copy = needs(1);
        copy.copying_buckets.insert(BucketId(4));
        let modes: Vec<LockMode> = in_order(&copy).iter().map(|lock| lock.mode).collect();
        assert_eq!(modes[3..5], [LockMode::Exclusive, LockMode::Shared]);
    }

    #[test]
    fn many_keys_of_one_bucket_take_it_whole() {
        let few = in_order(&needs(MANY_KEYS - 1));
        assert_eq!(few.len(), 5 + MANY_KEYS);
        let many = in_order(&needs(MANY_KEYS));
        assert_eq!(many.len(), 6);
        assert_eq!(many[3].mode, LockMode::Exclusive);
        assert_eq!(many[4].mode, LockMode::Shared);
    }

    #[test]
    fn one_key_in_two_buckets_has_two_locks() {
        assert_ne!(
            object_number(BucketId(1), &key(0)),
            object_number(BucketId(2), &key(0))
        );
    }
}
