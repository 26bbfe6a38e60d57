use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::model::{ObjectHeaders, ObjectMeta};
use crate::mutation::{Mutation, PutObject};
use crate::query::{ListObjects, Listed, ListedObject, ObjectPage, ObjectView};
use crate::testing::{Fixture, put};
use bucketry_domain::{BucketId, Tag};

/// What a listing must answer, by looking at every key.
fn model(keys: &BTreeSet<String>, query: &ListObjects) -> (Vec<String>, bool) {
    let mut listed: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(&query.prefix)) {
        let rest = &key[query.prefix.len()..];
        let end = if query.delimiter.is_empty() {
            None
        } else {
            rest.find(&query.delimiter)
        };
        let item = match end {
            Some(end) => &key[..query.prefix.len() + end + query.delimiter.len()],
            None => key,
        };
        if item > query.after.as_str() && listed.last().is_none_or(|last| last != item) {
            listed.push(item.to_owned());
        }
    }
    let max = query.max as usize;
    // S3 calls a page of no keys complete.
    let more = listed.len() > max && max > 0;
    listed.truncate(max);
    (listed, more)
}

fn shown(page: &ObjectPage) -> Vec<String> {
    let text = |entry: &Listed<_>| match entry {
        Listed::CommonPrefix(common) => common.clone(),
        Listed::Entry(_) => entry.key().unwrap().as_str().to_owned(),
    };
    page.entries.iter().map(text).collect()
}

/// Few letters, so that prefixes, delimiters and markers meet: with the ends of UTF-8's byte range among them.
pub(super) fn text(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        3 => Just('a'),
        3 => Just('/'),
        1 => Just('b'),
        1 => Just('\u{0}'),
        1 => Just('\u{7f}'),
        1 => Just('\u{80}'),
        1 => Just('ÿ'),
        1 => Just('\u{10ffff}'),
    ];
    proptest::collection::vec(letter, length).prop_map(String::from_iter)
}

fn delimiter() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::new()), 4 => Just("/".to_owned()), 2 => text(1..3)]
}

async fn fill(fixture: &Fixture, bucket: BucketId, keys: &BTreeSet<String>) {
    let puts = keys.iter().map(|name| put(bucket, name, b"x"));
    let puts = puts.map(|put| Mutation::from(put).untyped());
    let verdicts = fixture.catalog.commit(puts.collect()).await.unwrap();
    assert!(verdicts.iter().all(Result::is_ok));
}

pub(super) async fn agrees_with_a_model(fixture: &Fixture) {
    let mut runner = TestRunner::deterministic();
    let keys = proptest::collection::btree_set(text(1..7), 0..40);
    let question = (text(0..4), delimiter(), text(0..5), 0u32..12);
    for round in 0..12 {
        let bucket = fixture.bucket(&format!("model-{round}")).await.id;
        let keys = keys.new_tree(&mut runner).unwrap().current();
        fill(fixture, bucket, &keys).await;
        for _ in 0..60 {
            let (prefix, delimiter, after, max) = question.new_tree(&mut runner).unwrap().current();
            let query = ListObjects {
                bucket,
                prefix,
                delimiter,
                after,
                max,
                view: ObjectView::Basic,
            };
            let page = fixture.other.list_objects(&query).await.unwrap();
            let (expected, more) = model(&keys, &query);
            assert_eq!(
                (shown(&page), page.next.is_some()),
                (expected.clone(), more),
                "{query:?} of {keys:?}"
            );
            assert!(page.next.is_none() || page.next.as_ref() == expected.last());
        }
    }
}

pub(super) async fn pages_add_up(fixture: &Fixture) {
    let bucket = fixture.bucket("pages").await.id;
    let mut keys = BTreeSet::new();
    for directory in 0..30 {
        keys.insert(format!("d{directory:02}"));
        keys.extend((0..10).map(|file| format!("d{directory:02}/{file}")));
    }
    fill(fixture, bucket, &keys).await;
    for (delimiter, expected) in [("", 330), ("/", 60)] {
        let mut query = ListObjects {
            delimiter: delimiter.into(),
            ..ListObjects::all(bucket, 7)
        };
        let mut all = Vec::new();
        loop {
            let page = fixture.catalog.list_objects(&query).await.unwrap();
            all.extend(shown(&page));
            let Some(next) = page.next else { break };
            query.after = next;
        }
        assert_eq!(all.len(), expected);
        assert!(all.is_sorted_by(|a, b| a < b));
    }
}

pub(super) async fn show_attributes_in_the_full_view_only(fixture: &Fixture) {
    let bucket = fixture.bucket("views").await.id;
    let tag = Tag {
        key: "a".into(),
        value: "b".into(),
    };
    let stored = put(bucket, "directory/k", b"x");
    let stored = PutObject {
        meta: ObjectMeta {
            tags: vec![tag.clone()],
            part_count: 3,
            ..stored.meta
        },
        ..stored
    };
    let stored = fixture.catalog.make(stored).await.unwrap().row;
    for (delimiter, prefix) in [("", ""), ("/", "directory/")] {
        for view in [ObjectView::Basic, ObjectView::Full] {
            let query = ListObjects {
                delimiter: delimiter.into(),
                prefix: prefix.into(),
                view,
                ..ListObjects::all(bucket, 10)
            };
            let page = fixture.other.list_objects(&query).await.unwrap();
            let attributes = match view {
                ObjectView::Basic => None,
                ObjectView::Full => Some((ObjectHeaders::default(), vec![tag.clone()])),
            };
            let expected = ListedObject {
                key: stored.key.clone(),
                generation: stored.generation,
                modified: stored.modified,
                size: 1,
                etag: stored.meta.etag,
                part_count: 3,
                checksum: None,
                attributes,
            };
            assert_eq!(page.entries, [Listed::Entry(expected)]);
        }
    }
}
