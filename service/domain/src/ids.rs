use std::str::FromStr;
use std::sync::Arc;

/// Gives a number its own type, so that one kind of id cannot stand for another.
macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// An account's row.
    AccountId
);
number_id!(
    /// A bucket's row; never used again, so that a bucket made again under an old name is another bucket.
    BucketId
);
number_id!(
    /// An access key's row.
    AccessKeyPk
);
number_id!(
    /// A row of object data: inline bytes or a list of extents.
    DataId
);
number_id!(
    /// One running process of the service.
    NodeId
);
number_id!(
    /// A reservation of 1,024 blob ids.
    BlobBatchId
);
number_id!(
    /// The number of the change that made an object what it is: rises along each key. 0 in a precondition means "none".
    Generation
);

impl Generation {
    /// That of no version.
    pub const NONE: Self = Self(0);
}

impl Default for Generation {
    fn default() -> Self {
        Self::NONE
    }
}

number_id!(
    /// An object version. [`VersionId::NULL`] is S3's `null` version, the only one of an unversioned bucket.
    VersionId
);

impl VersionId {
    /// S3's `null` version.
    pub const NULL: Self = Self(0);
}

/// A blob's id: a place in a reserved batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId {
    /// The reservation.
    pub batch: BlobBatchId,
    /// The place in it: 0 to 1,023.
    pub index: u16,
}

impl BlobId {
    /// Ids in one batch.
    pub const PER_BATCH: u16 = 1024;

    /// The id of place `index` in `batch`.
    #[must_use]
    pub const fn new(batch: i64, index: u16) -> Self {
        Self {
            batch: BlobBatchId(batch),
            index,
        }
    }

    /// One number for both: `batch * 1024 + index`.
    pub const fn to_i64(self) -> i64 {
        self.batch
            .0
            .wrapping_mul(Self::PER_BATCH as i64)
            .wrapping_add(self.index as i64)
    }

    /// The inverse of [`BlobId::to_i64`].
    pub const fn from_i64(number: i64) -> Self {
        let per_batch = Self::PER_BATCH as i64;
        Self {
            batch: BlobBatchId(number.div_euclid(per_batch)),
            index: number.rem_euclid(per_batch) as u16,
        }
    }
}

impl std::fmt::Display for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.batch, self.index)
    }
}

/// The public half of an access key: 1 to 128 characters of `[A-Za-z0-9_-]` (ours are 20 upper-case letters and
/// digits; given root credentials may be any S3-legal id).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(Arc<str>);

/// A text is not an access key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an access key id has 1 to 128 letters, digits, hyphens or underscores")]
pub struct AccessKeyIdError;

impl AccessKeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccessKeyId {
    type Err = AccessKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(legal);
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(AccessKeyIdError)
        }
    }
}

impl std::fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The canonical owner id that S3 answers show: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId([u8; 32]);

/// A text is not an owner id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an owner id is 64 hexadecimal digits")]
pub struct OwnerIdError;

impl OwnerId {
    /// From 32 (random) bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for OwnerId {
    type Err = OwnerIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| OwnerIdError)?;
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for OwnerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for OwnerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A multipart upload. Made of its time and random bytes, so that a key's uploads list in the order of their start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId([u8; 16]);

/// A text is not an upload id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an upload id is 32 hexadecimal digits")]
pub struct UploadIdError;

impl UploadId {
    /// From the start time and random bytes.
    pub fn new(started: super::Timestamp, random: [u8; 8]) -> Self {
        let mut bytes = [0; 16];
        let (head, tail) = bytes.split_at_mut(8);
        head.copy_from_slice(&started.as_micros().to_be_bytes());
        tail.copy_from_slice(&random);
        Self(bytes)
    }

    /// From its 16 stored bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes to store; their order is the order of ids.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for UploadId {
    type Err = UploadIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| UploadIdError)?;
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for UploadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for UploadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blob_number_round_trip(batch in 0i64..(i64::MAX >> 10), index in 0u16..1024) {
            let id = BlobId { batch: BlobBatchId(batch), index };
            prop_assert_eq!(BlobId::from_i64(id.to_i64()), id);
        }

        #[test]
        fn upload_ids_order_by_start(a in 0i64..i64::MAX, b in 0i64..i64::MAX, tail in any::<[u8; 8]>()) {
            let id = |micros| UploadId::new(Timestamp::from_micros(micros), tail);
            prop_assert_eq!(id(a).cmp(&id(b)), a.cmp(&b));
            prop_assert_eq!(id(a).to_string().parse(), Ok(id(a)));
        }
    }

    #[test]
    fn access_key_ids() {
        assert!("BKTY0123456789ABCDEF".parse::<AccessKeyId>().is_ok());
        for bad in ["", "a/b", "a b", "a,b", "a=b", "ä"] {
            assert_eq!(bad.parse::<AccessKeyId>(), Err(AccessKeyIdError), "{bad}");
        }
    }

    #[test]
    fn owner_ids() {
        let owner = OwnerId::from_bytes([0xab; 32]);
        assert_eq!(owner.to_string().parse(), Ok(owner));
        assert_eq!("abc".parse::<OwnerId>(), Err(OwnerIdError));
    }
}
