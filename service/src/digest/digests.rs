//! Several digests in one pass.

use crc_fast::CrcAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

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
        }
        self
    }
}

/// Digests under way.
#[derive(Clone, Debug)]
pub struct Digests {
    length: u64,
    md5: Md5,
    crc32: Option<crc_fast::Digest>,
    crc32c: Option<crc_fast::Digest>,
    crc64_nvme: Option<crc_fast::Digest>,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
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
}

impl DigestValues {
    /// The checksum by `algorithm`, if it was in the set.
    #[must_use]
    pub fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<ChecksumValue> {
        match algorithm {
            ChecksumAlgorithm::Crc32 => self.crc32.map(ChecksumValue::Crc32),
            ChecksumAlgorithm::Crc32c => self.crc32c.map(ChecksumValue::Crc32c),
            ChecksumAlgorithm::Crc64Nvme => self.crc64_nvme.map(ChecksumValue::Crc64Nvme),
            ChecksumAlgorithm::Sha1 => self.sha1.map(ChecksumValue::Sha1),
            ChecksumAlgorithm::Sha256 => self.sha256.map(ChecksumValue::Sha256),
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

    /// The check values of the published algorithms over "123456789".
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
                assert_eq!(values.checksum(algorithm).is_some(), algorithm == wanted);
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
