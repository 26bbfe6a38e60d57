//! Several digests in one pass.

use std::hash::Hasher as _;

use crc_fast::CrcAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

use super::value::ChecksumValue;
use crate::domain::ChecksumAlgorithm;

/// Data is taken in steps of this length, so that it comes from the cache for each digest after
/// the first.
const STEP: usize = 64 * 1024;

/// Which checksums to compute beside MD5, which is always computed: it is the ETag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DigestSet {
    crc32: bool,
    crc32c: bool,
    crc64_nvme: bool,
    sha1: bool,
    sha256: bool,
    sha512: bool,
    xxhash64: bool,
    xxhash3: bool,
    xxhash128: bool,
}

impl DigestSet {
    /// No checksum beside MD5.
    #[must_use]
    pub const fn md5_only() -> Self {
        Self {
            crc32: false,
            crc32c: false,
            crc64_nvme: false,
            sha1: false,
            sha256: false,
            sha512: false,
            xxhash64: false,
            xxhash3: false,
            xxhash128: false,
        }
    }

    /// The same set and `algorithm`.
    #[must_use]
    pub const fn with(mut self, algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Crc32 => self.crc32 = true,
            ChecksumAlgorithm::Crc32c => self.crc32c = true,
            ChecksumAlgorithm::Crc64Nvme => self.crc64_nvme = true,
            ChecksumAlgorithm::Sha1 => self.sha1 = true,
            ChecksumAlgorithm::Sha256 => self.sha256 = true,
            ChecksumAlgorithm::Sha512 => self.sha512 = true,
            ChecksumAlgorithm::Md5 => {}
            ChecksumAlgorithm::XxHash64 => self.xxhash64 = true,
            ChecksumAlgorithm::XxHash3 => self.xxhash3 = true,
            ChecksumAlgorithm::XxHash128 => self.xxhash128 = true,
        }
        self
    }
}

/// Digests under way. The large states are boxed: few bodies have one, and every body has this struct.
#[derive(Clone)]
pub struct Digests {
    length: u64,
    md5: Md5,
    crc32: Option<crc_fast::Digest>,
    crc32c: Option<crc_fast::Digest>,
    crc64_nvme: Option<crc_fast::Digest>,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
    sha512: Option<Box<Sha512>>,
    xxhash64: Option<Box<XxHash64>>,
    xxhash3: Option<Box<XxHash3_64>>,
    xxhash128: Option<Box<XxHash3_128>>,
}

impl std::fmt::Debug for Digests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = &self.length;
        f.debug_struct("Digests")
            .field("length", length)
            .finish_non_exhaustive()
    }
}

impl Digests {
    /// Begins the digests of `set`.
    #[must_use]
    pub fn new(set: DigestSet) -> Self {
        let crc = |wanted: bool, algorithm| wanted.then(|| crc_fast::Digest::new(algorithm));
        Self {
            length: 0,
            md5: Md5::new(),
            crc32: crc(set.crc32, CrcAlgorithm::Crc32IsoHdlc),
            crc32c: crc(set.crc32c, CrcAlgorithm::Crc32Iscsi),
            crc64_nvme: crc(set.crc64_nvme, CrcAlgorithm::Crc64Nvme),
            sha1: set.sha1.then(Sha1::new),
            sha256: set.sha256.then(Sha256::new),
            sha512: set.sha512.then(Box::default),
            xxhash64: set.xxhash64.then(|| Box::new(XxHash64::with_seed(0))),
            xxhash3: set.xxhash3.then(|| Box::new(XxHash3_64::new())),
            xxhash128: set.xxhash128.then(|| Box::new(XxHash3_128::new())),
        }
    }

    /// Takes `data` in.
    pub fn update(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        for step in data.chunks(STEP) {
            self.md5.update(step);
            for crc in [&mut self.crc32, &mut self.crc32c, &mut self.crc64_nvme]
                .into_iter()
                .flatten()
            {
                crc.update(step);
            }
            if let Some(sha1) = &mut self.sha1 {
                sha1.update(step);
            }
            if let Some(sha256) = &mut self.sha256 {
                sha256.update(step);
            }
            if let Some(sha512) = &mut self.sha512 {
                sha512.update(step);
            }
            if let Some(xxhash64) = &mut self.xxhash64 {
                xxhash64.write(step);
            }
            if let Some(xxhash3) = &mut self.xxhash3 {
                xxhash3.write(step);
            }
            if let Some(xxhash128) = &mut self.xxhash128 {
                xxhash128.write(step);
            }
        }
    }

    /// The values over all data taken in.
    #[must_use]
    pub fn finish(self) -> DigestValues {
        // A 32-bit CRC comes in the low half of the u64.
        let crc32_bytes = |crc: crc_fast::Digest| (crc.finalize() as u32).to_be_bytes();
        DigestValues {
            length: self.length,
            md5: self.md5.finalize().into(),
            crc32: self.crc32.map(crc32_bytes),
            crc32c: self.crc32c.map(crc32_bytes),
            crc64_nvme: self.crc64_nvme.map(|crc| crc.finalize().to_be_bytes()),
            sha1: self.sha1.map(|sha1| sha1.finalize().into()),
            sha256: self.sha256.map(|sha256| sha256.finalize().into()),
            sha512: self.sha512.map(|sha512| sha512.finalize().into()),
            xxhash64: self.xxhash64.map(|hash| hash.finish().to_be_bytes()),
            xxhash3: self.xxhash3.map(|hash| hash.finish().to_be_bytes()),
            xxhash128: self.xxhash128.map(|hash| hash.finish_128().to_be_bytes()),
        }
    }
}

/// The digests of some data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestValues {
    /// How many bytes the data has.
    pub length: u64,
    /// Its MD5.
    pub md5: [u8; 16],
    crc32: Option<[u8; 4]>,
    crc32c: Option<[u8; 4]>,
    crc64_nvme: Option<[u8; 8]>,
    sha1: Option<[u8; 20]>,
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
    xxhash64: Option<[u8; 8]>,
    xxhash3: Option<[u8; 8]>,
    xxhash128: Option<[u8; 16]>,
}

impl DigestValues {
    /// The checksum by `algorithm`, if it was in the set. MD5 always is.
    #[must_use]
    pub fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<ChecksumValue> {
        match algorithm {
            ChecksumAlgorithm::Crc32 => self.crc32.map(ChecksumValue::Crc32),
            ChecksumAlgorithm::Crc32c => self.crc32c.map(ChecksumValue::Crc32c),
            ChecksumAlgorithm::Crc64Nvme => self.crc64_nvme.map(ChecksumValue::Crc64Nvme),
            ChecksumAlgorithm::Sha1 => self.sha1.map(ChecksumValue::Sha1),
            ChecksumAlgorithm::Sha256 => self.sha256.map(ChecksumValue::Sha256),
            ChecksumAlgorithm::Sha512 => self.sha512.map(ChecksumValue::Sha512),
            ChecksumAlgorithm::Md5 => Some(ChecksumValue::Md5(self.md5)),
            ChecksumAlgorithm::XxHash64 => self.xxhash64.map(ChecksumValue::XxHash64),
            ChecksumAlgorithm::XxHash3 => self.xxhash3.map(ChecksumValue::XxHash3),
            ChecksumAlgorithm::XxHash128 => self.xxhash128.map(ChecksumValue::XxHash128),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> DigestSet {
        ChecksumAlgorithm::ALL
            .into_iter()
            .fold(DigestSet::md5_only(), DigestSet::with)
    }

    /// The check values of the published algorithms over "123456789"; those of xxHash by its reference implementation.
    #[test]
    fn published_check_values() {
        let mut digests = Digests::new(all());
        digests.update(b"123456789");
        let values = digests.finish();
        assert_eq!(values.length, 9);
        assert_eq!(hex::encode(values.md5), "25f9e794323b453885f5181f1b624d0b");
        let expected = [
            "cbf43926",
            "e3069283",
            "ae8b14860a799888",
            "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a\
             d27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
            "25f9e794323b453885f5181f1b624d0b",
            "8cb841db40e6ae83",
            "72dcb18b67a17dff",
            "33119477ede5dcd5e9716427681d5860",
        ];
        for (algorithm, expected) in ChecksumAlgorithm::ALL.into_iter().zip(expected) {
            let value = values.checksum(algorithm).unwrap();
            assert_eq!(hex::encode(value.as_bytes()), expected, "{algorithm:?}");
        }
    }

    #[test]
    fn only_the_wanted_checksums_are_there() {
        for wanted in ChecksumAlgorithm::ALL {
            let values = Digests::new(DigestSet::md5_only().with(wanted)).finish();
            for algorithm in ChecksumAlgorithm::ALL {
                let there = algorithm == wanted || algorithm == ChecksumAlgorithm::Md5;
                assert_eq!(values.checksum(algorithm).is_some(), there);
            }
        }
    }

    proptest! {
        #[test]
        fn any_pieces_give_the_same_values(
            data in prop::collection::vec(any::<u8>(), 0..200_000),
            piece in 1_usize..100_000,
        ) {
            let mut whole = Digests::new(all());
            whole.update(&data);
            let mut pieces = Digests::new(all());
            for piece in data.chunks(piece) {
                pieces.update(piece);
            }
            prop_assert_eq!(whole.finish(), pieces.finish());
        }
    }
}
