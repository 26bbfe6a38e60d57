use super::*;
use crate::domain::{AccountId, BucketId, ObjectKey, Timestamp, UploadId};

const GIB: u64 = 1024 * 1024 * 1024;
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn upload() -> Upload {
    Upload {
        id: UploadId::new(NOW, [1; 8]),
        bucket: BucketId(1),
        key: ObjectKey::new("k").unwrap(),
        created: NOW,
        initiator: "BKTY1".into(),
        owner: AccountId(1),
        headers: Default::default(),
        tags: Vec::new(),
        lock: Default::default(),
        acl: None,
        checksum: None,
        state: UploadState::Open,
    }
}

/// Parts of zero bytes: the CRC-64 of any number of them follows from that of one.
fn parts(count: u16, size: u64) -> Vec<Part> {
    let block = ChecksumValue::from_bytes(
        ChecksumAlgorithm::Crc64Nvme,
        &crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &[0; 1024]).to_be_bytes(),
    )
    .unwrap();
    let (mut whole, mut rest) = (vec![(block, 1024)], size / 1024);
    let mut all = Vec::new();
    while rest > 0 {
        if rest & 1 == 1 {
            all.extend(whole.clone());
        }
        let (_, length) = whole[0];
        let doubled = combine_full_object(&[whole[0], whole[0]]).unwrap();
        whole = vec![(doubled, 2 * length)];
        rest >>= 1;
    }
    let sum = combine_full_object(&all).unwrap();
    let kind = ChecksumType::FullObject;
    let checksum = Checksum::new(ChecksumAlgorithm::Crc64Nvme, kind, sum.as_bytes()).unwrap();
    (1..=count)
        .map(|number| Part {
            number,
            size,
            etag: ETag::of_content([number as u8; 16]),
            modified: NOW,
            checksum: Some(checksum),
            object_crc: None,
            data_id: DataId(number.into()),
        })
        .collect()
}

#[test]
fn the_largest_object_is_summed_up() {
    let asked = CompleteMultipartUploadRequest {
        object_size: Some(5 * 1024 * GIB as i64),
        ..Default::default()
    };
    let meta = finished(&upload(), &parts(1024, 5 * GIB), &asked).unwrap();
    assert_eq!((meta.size, meta.part_count), (MAX_OBJECT_BYTES, 1024));
    // The same zeros cut in another way have the same checksum.
    let other = finished(&upload(), &parts(8192, 640 * 1024 * 1024), &asked).unwrap();
    assert_eq!(other.size, meta.size);
    assert_eq!(other.checksum, meta.checksum);
    assert_ne!(other.etag, meta.etag);
}

#[test]
fn a_checksum_type_is_that_of_the_upload() {
    let (upload, parts) = (upload(), parts(2, 1024));
    let typed = |kind: v1::ChecksumType, value: &[u8]| {
        let mut checksum = v1::Checksum {
            value: value.to_vec().into(),
            ..Default::default()
        };
        checksum.set_type(kind);
        if !value.is_empty() {
            checksum.set_algorithm(v1::ChecksumAlgorithm::Crc64nvme);
        }
        let asked = CompleteMultipartUploadRequest {
            checksum: Some(checksum),
            ..Default::default()
        };
        finished(&upload, &parts, &asked)
    };
    let meta = typed(v1::ChecksumType::FullObject, &[]).unwrap();
    let value = meta.checksum.unwrap();
    assert!(typed(v1::ChecksumType::FullObject, value.value()).is_ok());
    assert!(typed(v1::ChecksumType::Unspecified, value.value()).is_ok());
    for value in [&[][..], value.value()] {
        assert!(matches!(
            typed(v1::ChecksumType::Composite, value),
            Err(Error::Checksum(UploadChecksumError::Type {
                expected: ChecksumType::FullObject
            }))
        ));
    }
    assert!(matches!(
        typed(v1::ChecksumType::FullObject, &[0; 8]),
        Err(Error::BadDigest { .. })
    ));
}

#[test]
fn a_larger_object_is_refused() {
    let asked = CompleteMultipartUploadRequest::default();
    let refused = finished(&upload(), &parts(1025, 5 * GIB), &asked);
    assert!(
        matches!(refused, Err(Error::EntityTooLarge { size, most: MAX_OBJECT_BYTES }) if size == 5125 * GIB),
        "{refused:?}"
    );
    assert!(finished(&upload(), &parts(MAX_PARTS, 5 * GIB), &asked).is_err());
}
