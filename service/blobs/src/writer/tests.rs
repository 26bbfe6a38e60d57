use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use proptest::prelude::*;
use tokio::sync::Semaphore;

use super::super::faults::{Call, Harm};
use super::super::samples::{MIB, data, local, memory, read, whole, with_fault, write};
use super::*;

const ID: BlobId = BlobId::new(5, 9);

fn files(directory: &FilePath) -> Vec<String> {
    let batch = directory.join("blobs/05");
    let Ok(entries) = std::fs::read_dir(batch) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}

/// The outcome of work that hangs only if writers deadlock.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .unwrap()
}

#[test]
fn cloud_parts_hold_the_limit_and_no_more_are_sent() {
    let total: u64 = (0..CLOUD_PARTS)
        .map(|sent| cloud_part_length(sent) as u64)
        .sum();
    assert_eq!(total, CLOUD_BLOB_LIMIT);
    assert!((0..CLOUD_PARTS).all(|sent| cloud_part_length(sent) <= MAX_CLOUD_PART_LENGTH));
    assert_eq!(cloud_part_length(0), 8 * MIB);
    assert_eq!(cloud_part_length(CLOUD_PARTS - 1), MAX_CLOUD_PART_LENGTH);
}

#[tokio::test]
async fn lengths_around_parts_and_blocks_round_trip() {
    let (_directory, local) = local();
    let lengths = [
        0,
        1,
        4096,
        262_143,
        262_144,
        262_145,
        MIB - 1,
        MIB,
        MIB + 1,
        2 * MIB,
        3 * MIB + 7,
    ];
    for store in [local, memory()] {
        for (index, length) in (0..).zip(lengths) {
            let id = BlobId::new(1, index);
            let data = data(length);
            write(&store, id, &data, 100_000).await.unwrap();
            let (bytes, error) = read(&store, &[whole(id, length)], 0..length as u64).await;
            assert!(error.is_none() && bytes == data, "{length} {error:?}");
        }
    }
}

#[tokio::test]
async fn a_blob_of_many_cloud_parts_round_trips() {
    let store = memory();
    let data = data(21 * MIB + 3);
    write(&store, ID, &data, 3 * MIB).await.unwrap();
    let (bytes, error) = read(&store, &[whole(ID, data.len())], 0..data.len() as u64).await;
    assert!(error.is_none() && bytes == data);
}

#[tokio::test]
async fn an_id_is_written_once() {
    let (_directory, local) = local();
    for store in [local, memory()] {
        write(&store, ID, &data(10), 10).await.unwrap();
        let again = write(&store, ID, &data(11), 11).await;
        assert!(
            matches!(again, Err(BlobError::Exists { id: ID })),
            "{again:?}"
        );
        let (bytes, error) = read(&store, &[whole(ID, 10)], 0..10).await;
        assert!(error.is_none() && bytes == data(10));
    }
}

#[tokio::test]
async fn a_long_blob_does_not_replace_another() {
    let (directory, store) = local();
    write(&store, ID, &data(10), 10).await.unwrap();
    let again = write(&store, ID, &data(3 * MIB), MIB).await;
    assert!(
        matches!(again, Err(BlobError::Exists { id: ID })),
        "{again:?}"
    );
    let (bytes, error) = read(&store, &[whole(ID, 10)], 0..10).await;
    assert!(error.is_none() && bytes == data(10));
    assert_eq!(files(directory.path()).len(), 1);
}

#[tokio::test]
async fn a_blob_that_was_collected_while_it_was_written_does_not_count() {
    let (_directory, store) = local();
    let mut writer = store.writer(ID, None);
    writer.write(data(3 * MIB)).await.unwrap();
    let written = async {
        while store.stat(ID).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    in_time(written).await;
    assert_eq!(store.delete(&[ID]).await.removed, [ID]);
    let refused = writer.finish().await;
    assert!(
        matches!(refused, Err(BlobError::Store { id: ID, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn announced_lengths_are_enforced() {
    let (directory, store) = local();
    let mut long = store.writer(ID, Some(5));
    let refused = long.write(data(6)).await;
    assert!(matches!(
        refused,
        Err(BlobError::LengthMismatch {
            expected: 5,
            actual: 6,
            ..
        })
    ));
    assert!(matches!(
        long.write(data(1)).await,
        Err(BlobError::WriterFailed { .. })
    ));
    assert!(matches!(
        long.finish().await,
        Err(BlobError::WriterFailed { .. })
    ));
    let mut short = store.writer(ID, Some(5));
    short.write(data(4)).await.unwrap();
    let refused = short.finish().await;
    assert!(matches!(
        refused,
        Err(BlobError::LengthMismatch {
            expected: 5,
            actual: 4,
            ..
        })
    ));
    assert_eq!(files(directory.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_write_given_up_half_way_does_not_count() {
    let (_directory, mut store) = local();
    store.write_memory = Arc::new(Semaphore::new(0));
    let mut writer = store.writer(ID, None);
    assert!(writer.write(data(10)).now_or_never().is_none());
    store.write_memory.add_permits(MIB);
    assert!(matches!(
        writer.finish().await,
        Err(BlobError::WriterFailed { .. })
    ));
}

#[tokio::test]
async fn a_blob_too_long_for_a_cloud_is_refused_before_it_is_sent() {
    let mut store = memory();
    store.backend = Backend::Remote(Remote::Cloud);
    let mut writer = store.writer(ID, None);
    writer.length = CLOUD_BLOB_LIMIT;
    assert!(matches!(
        writer.write(data(1)).await,
        Err(BlobError::TooLong { .. })
    ));
}

#[tokio::test]
async fn aborted_uploads_leave_nothing() {
    let (directory, store) = local();
    let mut writer = store.writer(ID, None);
    writer.write(data(3 * MIB)).await.unwrap();
    assert_eq!(files(directory.path()).len(), 1);
    writer.abort().await;
    assert_eq!(files(directory.path()), Vec::<String>::new());
}

#[tokio::test]
async fn dropped_uploads_leave_nothing() {
    let (directory, store) = local();
    let memory_before = store.write_memory.available_permits();
    let mut writer = store.writer(ID, None);
    writer.write(data(3 * MIB)).await.unwrap();
    drop(writer);
    let gone = async {
        while !files(directory.path()).is_empty()
            || store.write_memory.available_permits() != memory_before
        {
            tokio::task::yield_now().await;
        }
    };
    in_time(gone).await;
}

/// Whatever call fails, and whether or not it had its effect: no success is reported.
#[tokio::test]
async fn a_failing_store_never_yields_a_written_blob() {
    let small = data(300_000);
    let large = data(4 * MIB + 5);
    for harm in [Harm::Refuse, Harm::FailAfterwards] {
        let cases = [
            (Call::Put, 0, &small),
            (Call::Begin, 0, &large),
            (Call::Complete, 0, &large),
        ];
        let parts = (0..5).map(|nth| (Call::Part, nth, &large));
        for (call, nth, data) in cases.into_iter().chain(parts) {
            let (directory, store) = local();
            let store = with_fault(store, call, nth, harm);
            let failed = write(&store, ID, data, 200_000).await;
            assert!(
                matches!(failed, Err(BlobError::Store { .. })),
                "{call:?} {nth}"
            );
            // A blob that became durable although its writer failed is left to the collector.
            let is_complete =
                harm == Harm::FailAfterwards && matches!(call, Call::Put | Call::Complete);
            let swept = async {
                while files(directory.path()).len() != usize::from(is_complete) {
                    tokio::task::yield_now().await;
                }
            };
            in_time(swept).await;
        }
    }
}

#[tokio::test]
async fn a_store_that_loses_bytes_silently_is_found_out_on_reading() {
    for (call, length) in [(Call::Put, 300_000), (Call::Part, 3 * MIB)] {
        let (_directory, store) = local();
        let store = with_fault(store, call, 0, Harm::Truncate);
        let data = data(length);
        write(&store, ID, &data, MIB).await.unwrap();
        let (bytes, error) = read(&store, &[whole(ID, length)], 0..length as u64).await;
        assert!(data.starts_with(&bytes), "wrong bytes");
        assert!(
            matches!(error, Some(BlobError::Corrupt { id: ID, .. })),
            "{error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_share_little_memory() {
    let (_directory, mut store) = local();
    let granted = 2 * MIB;
    store.write_memory = Arc::new(Semaphore::new(granted));
    store.write_memory_total = granted;
    let writers = (0..24).map(|index| {
        let store = store.clone();
        tokio::spawn(async move {
            let id = BlobId::new(2, index);
            let data = data(2 * MIB + index as usize * 1000);
            write(&store, id, &data, 70_000).await.unwrap();
            let extent = whole(id, data.len());
            let (bytes, error) = read(&store, &[extent], 0..extent.length).await;
            assert!(error.is_none() && bytes == data);
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        in_time(writer).await.unwrap();
    }
    assert_eq!(store.write_memory.available_permits(), granted);
}

/// Clients that stop sending must not keep others from writing.
#[tokio::test]
async fn idle_writers_do_not_starve_others() {
    let (_directory, mut store) = local();
    let granted = 2 * MIB;
    store.write_memory = Arc::new(Semaphore::new(granted));
    store.write_memory_total = granted;
    let mut idle = Vec::new();
    for index in 0..30 {
        let mut writer = store.writer(BlobId::new(3, index), None);
        in_time(writer.write(data(MIB / 2))).await.unwrap();
        idle.push(writer);
    }
    let data = data(3 * MIB);
    in_time(write(&store, ID, &data, 100_000)).await.unwrap();
    for (index, writer) in (0..).zip(idle) {
        assert_eq!(writer.finish().await.unwrap().id, BlobId::new(3, index));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_pieces_round_trip(
        length in 0..3 * MIB,
        pieces in prop::collection::vec(1..600_000_usize, 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (_directory, store) = local();
        let data = data(length);
        runtime.block_on(async {
            let mut writer = store.writer(ID, None);
            let mut rest = data.clone();
            let mut pieces = pieces.iter().cycle();
            while !rest.is_empty() {
                let piece = rest.len().min(*pieces.next().unwrap());
                writer.write(rest.split_to(piece)).await.unwrap();
            }
            assert_eq!(writer.finish().await.unwrap().length, length as u64);
            let (bytes, error) = read(&store, &[whole(ID, length)], 0..length as u64).await;
            assert!(error.is_none() && bytes == data);
        });
    }
}
