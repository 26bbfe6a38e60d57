use bytes::Bytes;

use super::make::refusal;
use crate::model::{
    DataPlace, Layout, LegalHold, NewData, ObjectData, ObjectHeaders, ObjectLock, ObjectMeta,
    PartLayout, RetentionMode,
};
use crate::mutation::{
    DeleteObject, IfMatch, IfNoneMatch, Mutation, Preconditions, PutObject, UpdateObject,
};
use crate::testing::{Fixture, T0, etag, extent, key, later, put};
use crate::{Condition, Refusal};
use bucketry_domain::{
    BucketId, Checksum, ChecksumAlgorithm, ChecksumType, Generation, Tag, VersionId,
};

fn delete(bucket: BucketId, name: &str) -> DeleteObject {
    DeleteObject {
        bucket,
        key: key(name),
        preconditions: Preconditions::default(),
    }
}

pub(super) fn full_meta() -> ObjectMeta {
    let some = |text: &str| Some(text.to_owned());
    ObjectMeta {
        headers: ObjectHeaders {
            content_type: some("text/plain"),
            cache_control: some("no-store"),
            content_disposition: some("attachment; filename=\"ä\""),
            content_encoding: some("br"),
            content_language: some("de"),
            expires: some("whenever"),
            website_redirect: some("/there"),
            user_metadata: vec![("b".into(), "2\u{0}".into()), ("a".into(), String::new())],
        },
        tags: vec![Tag {
            key: "t".into(),
            value: "v".into(),
        }],
        checksum: Checksum::new(ChecksumAlgorithm::Sha256, ChecksumType::Composite, &[9; 32]).ok(),
        lock: ObjectLock {
            retention: Some((RetentionMode::Compliance, later(1000))),
            legal_hold: LegalHold::On,
        },
        acl: some("public-read"),
        part_count: 2,
        ..ObjectMeta::new(300, etag(3), bucketry_domain::AccountId(5))
    }
}

pub(super) async fn come_back_as_they_were(fixture: &Fixture) {
    let bucket = fixture.bucket("round-trip").await.id;
    let batch = fixture.batch().await;
    let part = |number, size| PartLayout {
        number,
        size,
        checksum: full_meta().checksum,
    };
    let layout = Layout {
        extents: vec![
            extent(batch, 1, 100),
            extent(batch, 2, 150),
            extent(batch, 1, 50),
        ],
        parts: vec![part(1, 100), part(7, 200)],
    };
    let data = [
        (NewData::Empty, ObjectData::Empty),
        (
            NewData::Inline(Bytes::from_static(b"\0\xff")),
            ObjectData::Inline(Bytes::from_static(b"\0\xff")),
        ),
        (
            NewData::Extents(layout.clone()),
            ObjectData::Extents(layout),
        ),
    ];
    let mut latest = Generation::default();
    for (position, (data, expected)) in data.into_iter().enumerate() {
        let name = format!("object-{position}");
        let change = PutObject {
            meta: full_meta(),
            data,
            ..put(bucket, &name, b"")
        };
        let stored = fixture.catalog.make(change).await.unwrap();
        assert_eq!(stored.replaced, None);
        let found = fixture.get(bucket, &name).await.unwrap();
        assert_eq!((&found.row, &found.data), (&stored.row, &expected));
        assert_eq!(
            (found.row.meta.clone(), found.row.modified),
            (full_meta(), T0)
        );
        assert!(found.row.generation > latest);
        latest = found.row.generation;
        assert_eq!(found.row.version, VersionId::NULL);
    }
}

pub(super) async fn are_replaced_and_deleted(fixture: &Fixture) {
    let bucket = fixture.bucket("replacing").await.id;
    assert_eq!(fixture.get(bucket, "k").await, None);
    let first = fixture.put(bucket, "k").await;
    let second = fixture.other.make(put(bucket, "k", b"yy")).await.unwrap();
    assert_eq!(second.replaced, Some(first.clone()));
    assert!(second.row.generation > first.generation);
    let found = fixture.get(bucket, "k").await.unwrap();
    assert_eq!(
        (&found.row, &found.data),
        (&second.row, &ObjectData::Inline(Bytes::from_static(b"yy")))
    );
    let third = fixture.catalog.make(put(bucket, "k", b"")).await.unwrap();
    assert_eq!(third.row.place, DataPlace::Empty);
    let deleted = fixture.catalog.make(delete(bucket, "k")).await.unwrap();
    assert_eq!(deleted.removed, Some(third.row));
    assert_eq!(fixture.get(bucket, "k").await, None);
    let again = fixture.other.make(delete(bucket, "k")).await.unwrap();
    assert_eq!(again.removed, None);
}

pub(super) async fn obey_preconditions(fixture: &Fixture) {
    let bucket = fixture.bucket("conditional").await.id;
    let row = fixture.put(bucket, "k").await;
    let (tag, generation) = (row.meta.etag, row.generation);
    let wrong = etag(0xee);
    let matching = |if_match| Preconditions {
        if_match: Some(if_match),
        ..Preconditions::default()
    };
    let differing = |if_none_match| Preconditions {
        if_none_match: Some(if_none_match),
        ..Preconditions::default()
    };
    let at = |number| Preconditions {
        if_generation: Some(Generation(number)),
        ..Preconditions::default()
    };
    let fails = |condition| Some(Refusal::Precondition(condition));
    let (if_match, if_none_match) = (fails(Condition::IfMatch), fails(Condition::IfNoneMatch));
    let absent = Some(Refusal::ObjectNotFound);
    // The condition; what it does to an existing key; what it does to a missing one.
    let rules = [
        (matching(IfMatch::Any), None, absent.clone()),
        (
            matching(IfMatch::OneOf(vec![wrong, tag])),
            None,
            absent.clone(),
        ),
        (
            matching(IfMatch::OneOf(vec![wrong])),
            if_match.clone(),
            absent.clone(),
        ),
        (matching(IfMatch::OneOf(Vec::new())), if_match, absent),
        (differing(IfNoneMatch::Any), if_none_match.clone(), None),
        (differing(IfNoneMatch::NoneOf(vec![wrong])), None, None),
        (
            differing(IfNoneMatch::NoneOf(vec![wrong, tag])),
            if_none_match,
            None,
        ),
        (
            at(generation.0),
            None,
            fails(Condition::Generation(Generation(0))),
        ),
        (
            at(99),
            fails(Condition::Generation(generation)),
            fails(Condition::Generation(Generation(0))),
        ),
        (at(0), fails(Condition::Generation(generation)), None),
    ];
    for (position, (preconditions, existing, missing)) in rules.into_iter().enumerate() {
        let update = UpdateObject {
            bucket,
            key: key("k"),
            tags: Vec::new(),
            preconditions: preconditions.clone(),
        };
        match &existing {
            None => drop(fixture.catalog.make(update).await.unwrap()),
            Some(expected) => assert_eq!(
                refusal(&fixture.catalog, update).await,
                *expected,
                "rule {position}"
            ),
        }
        let fresh = format!("fresh-{position}");
        let create = PutObject {
            preconditions: preconditions.clone(),
            ..put(bucket, &fresh, b"x")
        };
        let remove = DeleteObject {
            preconditions,
            ..delete(bucket, &fresh)
        };
        match missing {
            None => {
                fixture.other.make(remove).await.unwrap();
                fixture.other.make(create).await.unwrap();
            }
            Some(expected) => {
                assert_eq!(
                    refusal(&fixture.other, remove).await,
                    expected,
                    "rule {position}"
                );
                assert_eq!(
                    refusal(&fixture.other, create).await,
                    expected,
                    "rule {position}"
                );
                assert_eq!(fixture.get(bucket, &fresh).await, None);
            }
        }
    }
}

pub(super) async fn get_tags_without_a_new_generation(fixture: &Fixture) {
    let bucket = fixture.bucket("tagging").await.id;
    let before = fixture.put(bucket, "k").await;
    let tags = vec![Tag {
        key: "a".into(),
        value: "b".into(),
    }];
    let update = UpdateObject {
        bucket,
        key: key("k"),
        tags: tags.clone(),
        preconditions: Preconditions::default(),
    };
    let after = fixture
        .other
        .make(Mutation::by_system(later(5), update.clone()))
        .await
        .unwrap();
    let found = fixture.get(bucket, "k").await.unwrap();
    assert_eq!(found.row, after.row);
    assert_eq!(
        (found.row.generation, found.row.modified),
        (before.generation, before.modified)
    );
    assert_eq!(
        (&found.row.meta.tags, &found.data),
        (&tags, &ObjectData::Inline(Bytes::from_static(b"x")))
    );
    let missing = UpdateObject {
        key: key("missing"),
        ..update
    };
    assert_eq!(
        refusal(&fixture.catalog, missing).await,
        Refusal::ObjectNotFound
    );
}

pub(super) async fn take_any_key(fixture: &Fixture) {
    let bucket = fixture.bucket("odd-keys").await.id;
    let long = "ü".repeat(512);
    let names = [
        "/",
        "//",
        "..",
        "a/../b",
        " ",
        "\u{0}",
        "\u{7f}\r\n",
        "%2F",
        "k\u{0}",
        "k",
        "\u{10ffff}",
        &long,
    ];
    for name in names {
        fixture.put(bucket, name).await;
    }
    for name in names {
        let found = fixture.get(bucket, name).await.unwrap();
        assert_eq!(found.row.key.as_str(), name);
    }
}
