use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::listing::text;
use crate::mutation::Mutation;
use crate::query::ListedObject;
use crate::search::{
    CHUNK, LOOKS_AT_CLOCK, LetterCase, SearchBounds, SearchCoverage, SearchDirection,
    SearchObjects, SearchOrder, SearchPage, SearchPosition,
};
use crate::sql::{Dialect, Statement};
use crate::testing::{Fixture, later, put};
use bucketry_domain::BucketId;

const UNBOUNDED: SearchBounds = SearchBounds {
    keys: u64::MAX,
    time: Duration::MAX,
};

fn all(bucket: BucketId, max: u32) -> SearchObjects {
    SearchObjects {
        bucket,
        prefix: String::new(),
        contains: String::new(),
        letter_case: LetterCase::Exact,
        order: SearchOrder::Key,
        direction: SearchDirection::Ascending,
        after: None,
        max,
        bounds: UNBOUNDED,
    }
}

/// Objects of the sizes and with the times given.
async fn fill(fixture: &Fixture, bucket: BucketId, objects: &[(String, u8, u8)]) {
    let puts = objects.iter().map(|(name, size, time)| {
        let put = put(bucket, name, &b"xxxx"[..usize::from(*size)]);
        Mutation::by_system(later(u64::from(*time)), put).untyped()
    });
    let verdicts = fixture.catalog.commit(puts.collect()).await.unwrap();
    assert!(verdicts.iter().all(Result::is_ok));
}

/// Keys `k-0000001` and so on, by the database itself.
async fn fill_by_sql(fixture: &Fixture, bucket: BucketId, count: u64) {
    let mut connection = fixture.catalog.engine().pools.writer().await.unwrap();
    let (numbers, name) = match connection.dialect() {
        Dialect::Sqlite => (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)",
            "CAST(printf('k-%07d', i) AS BLOB)",
        ),
        Dialect::Postgres => (
            "WITH n AS (SELECT i FROM generate_series(1, $2) i)",
            "convert_to('k-' || lpad(i::text, 7, '0'), 'UTF8')",
        ),
    };
    let sql = format!(
        "INSERT INTO objects (bucket_id, key, generation, version_id, modified, size, etag, owner_id, part_count,
             data_kind, headers, tags, legal_hold)
         {numbers}
         SELECT $1, {name}, i, 0, i, (i * 7919) % 1000003, 'd41d8cd98f00b204e9800998ecf8427e', 1, 0, 0, '{{}}', '[]', 0
         FROM n"
    );
    let insert = Statement::built(sql)
        .bind(bucket.0)
        .bind(i64::try_from(count).unwrap());
    assert_eq!(connection.execute(insert).await.unwrap(), count);
}

fn keys(objects: &[ListedObject]) -> Vec<&str> {
    let names = objects.iter().map(|object| object.key.as_str());
    names.collect()
}

/// What a search must find, by looking at every object.
fn model(objects: &[(String, u8, u8)], query: &SearchObjects) -> Vec<String> {
    let fold = |text: &str| match query.letter_case {
        LetterCase::Exact => text.to_owned(),
        LetterCase::Ignored => text.to_ascii_lowercase(),
    };
    let mut found: Vec<_> = (objects.iter())
        .filter(|(key, _, _)| key.starts_with(&query.prefix))
        .filter(|(key, _, _)| fold(key).contains(&fold(&query.contains)))
        .collect();
    found.sort_by_key(|(key, size, time)| match query.order {
        SearchOrder::Key => (0, key),
        SearchOrder::Size => (*size, key),
        SearchOrder::Modified => (*time, key),
    });
    if query.direction == SearchDirection::Descending {
        found.reverse();
    }
    found.into_iter().map(|(key, _, _)| key.clone()).collect()
}

/// The keys of all pages. Each page but the last must be full.
async fn in_pages(fixture: &Fixture, mut query: SearchObjects) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = fixture.other.search_objects(&query).await.unwrap();
        assert_eq!(page.coverage, SearchCoverage::Complete, "{query:?}");
        assert!(page.scanned >= page.objects.len() as u64, "{query:?}");
        found.extend(keys(&page.objects).into_iter().map(str::to_owned));
        let Some(next) = page.next else { return found };
        assert_eq!(page.objects.len(), query.max as usize, "{query:?}");
        query.after = Some(next);
    }
}

fn order() -> impl Strategy<Value = (SearchOrder, SearchDirection)> {
    let orders = vec![SearchOrder::Key, SearchOrder::Size, SearchOrder::Modified];
    let directions = vec![SearchDirection::Ascending, SearchDirection::Descending];
    (
        proptest::sample::select(orders),
        proptest::sample::select(directions),
    )
}

/// Characters that mean something to databases, in keys and in what is searched, beside those of listings.
fn hostile(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        4 => proptest::sample::select(vec!['a', 'A', 'b', 'B']),
        4 => proptest::sample::select(vec!['%', '_', '\\', '\'', '*', '.', '[', '0', '3']),
        2 => text(1..2).prop_map(|text| text.chars().next().unwrap()),
    ];
    proptest::collection::vec(letter, length).prop_map(String::from_iter)
}

pub(super) async fn agrees_with_a_naive_one(fixture: &Fixture) {
    let mut runner = TestRunner::deterministic();
    let objects = proptest::collection::btree_map(hostile(1..7), (0_u8..4, 0_u8..4), 0..40);
    let case = proptest::sample::select(vec![LetterCase::Exact, LetterCase::Ignored]);
    let question = (hostile(0..2), hostile(0..3), case, order(), 1_u32..12);
    for round in 0..8 {
        let bucket = fixture.bucket(&format!("model-{round}")).await.id;
        let objects = objects.new_tree(&mut runner).unwrap().current();
        let objects: Vec<_> = (objects.into_iter())
            .map(|(key, (size, time))| (key, size, time))
            .collect();
        fill(fixture, bucket, &objects).await;
        for _ in 0..60 {
            let (prefix, contains, letter_case, (order, direction), max) =
                question.new_tree(&mut runner).unwrap().current();
            let query = SearchObjects {
                prefix,
                contains,
                letter_case,
                order,
                direction,
                ..all(bucket, max)
            };
            let expected = model(&objects, &query);
            let found = in_pages(fixture, query.clone()).await;
            assert_eq!(found, expected, "{query:?} of {objects:?}");
        }
    }
}

pub(super) async fn takes_any_text_as_it_is(fixture: &Fixture) {
    let bucket = fixture.bucket("hostile").await.id;
    let longest = format!("{}Z", "z".repeat(1023));
    let named = [
        "100%", "100_", "1000", "a\\b", "a\\\\b", "a\0b", "\\000", "ÿ-Ä", "it's", "(?:..)*",
        &longest,
    ];
    let objects: Vec<_> = named.map(|name| (name.to_owned(), 0, 0)).into();
    fill(fixture, bucket, &objects).await;
    let beyond = format!("{longest}z");
    let folded = "Z".repeat(1024);
    for (contains, letter_case, expected) in [
        ("%", LetterCase::Exact, vec!["100%"]),
        ("_", LetterCase::Ignored, vec!["100_"]),
        ("\\", LetterCase::Exact, vec!["\\000", "a\\\\b", "a\\b"]),
        ("\\\\", LetterCase::Ignored, vec!["a\\\\b"]),
        ("\0", LetterCase::Exact, vec!["a\0b"]),
        ("\0B", LetterCase::Ignored, vec!["a\0b"]),
        ("\\000", LetterCase::Ignored, vec!["\\000"]),
        ("000", LetterCase::Ignored, vec!["1000", "\\000"]),
        ("ÿ-Ä", LetterCase::Exact, vec!["ÿ-Ä"]),
        ("ÿ-ä", LetterCase::Ignored, vec![]),
        ("IT'S", LetterCase::Ignored, vec!["it's"]),
        ("(?:..)*", LetterCase::Ignored, vec!["(?:..)*"]),
        (&longest, LetterCase::Exact, vec![&longest]),
        (&folded, LetterCase::Ignored, vec![&longest]),
        (&folded, LetterCase::Exact, vec![]),
        (&beyond, LetterCase::Exact, vec![]),
    ] {
        let query = SearchObjects {
            contains: contains.to_owned(),
            letter_case,
            ..all(bucket, 100)
        };
        let page = fixture.catalog.search_objects(&query).await.unwrap();
        assert_eq!(
            keys(&page.objects),
            expected,
            "{contains:?} {letter_case:?}"
        );
        assert_eq!(page.scanned, 11);
    }
}

pub(super) async fn stays_in_its_bucket_and_prefix(fixture: &Fixture) {
    let bucket = fixture.bucket("mine").await.id;
    let other = fixture.bucket("theirs").await.id;
    for bucket in [bucket, other] {
        fill(
            fixture,
            bucket,
            &[("a/x".into(), 1, 0), ("b/x".into(), 2, 0)],
        )
        .await;
    }
    for order in [SearchOrder::Key, SearchOrder::Size, SearchOrder::Modified] {
        let query = SearchObjects {
            prefix: "a/".into(),
            contains: "x".into(),
            order,
            ..all(bucket, 10)
        };
        let page = fixture.catalog.search_objects(&query).await.unwrap();
        assert_eq!((keys(&page.objects), page.scanned), (vec!["a/x"], 1));
        let nothing = SearchObjects { max: 0, ..query };
        let page = fixture.catalog.search_objects(&nothing).await.unwrap();
        assert_eq!((page.objects.len(), page.next), (0, None));
    }
}

/// All pages, with how much each looked at.
async fn bounded_pages(fixture: &Fixture, mut query: SearchObjects) -> Vec<SearchPage> {
    let mut pages = Vec::new();
    loop {
        let page = fixture.catalog.search_objects(&query).await.unwrap();
        query.after.clone_from(&page.next);
        pages.push(page);
        if query.after.is_none() {
            return pages;
        }
    }
}

pub(super) async fn goes_on_at_its_bound_in_key_order(fixture: &Fixture) {
    let bucket = fixture.bucket("bounded").await.id;
    fill_by_sql(fixture, bucket, 100).await;
    for direction in [SearchDirection::Ascending, SearchDirection::Descending] {
        let query = SearchObjects {
            contains: "00009".into(),
            direction,
            bounds: SearchBounds {
                keys: 30,
                ..UNBOUNDED
            },
            ..all(bucket, 100)
        };
        let pages = bounded_pages(fixture, query).await;
        let scanned: Vec<_> = pages.iter().map(|page| page.scanned).collect();
        assert_eq!(scanned, [30, 30, 30, 10]);
        let found: Vec<_> = pages.iter().map(|page| page.objects.len()).collect();
        // Keys 9 and 90 to 99.
        let expected = match direction {
            SearchDirection::Ascending => [1, 0, 1, 9],
            SearchDirection::Descending => [10, 0, 0, 1],
        };
        assert_eq!(found, expected);
        let bounded = pages
            .iter()
            .map(|page| page.coverage == SearchCoverage::Bounded);
        assert_eq!(bounded.collect::<Vec<_>>(), [true, true, true, false]);
    }
    // The bound is no bound where the keys end.
    let exactly = SearchObjects {
        contains: "k".into(),
        bounds: SearchBounds {
            keys: 100,
            ..UNBOUNDED
        },
        ..all(bucket, 100)
    };
    let page = fixture.catalog.search_objects(&exactly).await.unwrap();
    assert_eq!(page.coverage, SearchCoverage::Complete);
    assert_eq!((page.objects.len(), page.next), (100, None));
}

pub(super) async fn sorts_what_it_looked_at(fixture: &Fixture) {
    let bucket = fixture.bucket("sorted").await.id;
    fill_by_sql(fixture, bucket, 100).await;
    let query = SearchObjects {
        order: SearchOrder::Modified,
        direction: SearchDirection::Descending,
        bounds: SearchBounds {
            keys: 50,
            ..UNBOUNDED
        },
        ..all(bucket, 20)
    };
    let pages = bounded_pages(fixture, query.clone()).await;
    let counts: Vec<_> = pages.iter().map(|page| page.objects.len()).collect();
    assert_eq!(counts, [20, 20, 10]);
    assert!(
        pages
            .iter()
            .all(|page| page.coverage == SearchCoverage::Bounded && page.scanned == 50)
    );
    let first = &pages[0].objects[0];
    assert_eq!(first.key.as_str(), "k-0000050");
    // A later page looks no farther than the first one, even if it could.
    let after = pages[0].next.clone();
    assert_eq!(
        after.as_ref().and_then(|at| at.end.as_deref()),
        Some("k-0000050\0")
    );
    let farther = SearchObjects {
        after,
        bounds: UNBOUNDED,
        ..query
    };
    let page = fixture.catalog.search_objects(&farther).await.unwrap();
    assert_eq!((&page.objects, page.scanned), (&pages[1].objects, 50));
    assert_eq!(page.coverage, SearchCoverage::Bounded);
}

pub(super) async fn ends_with_its_time(fixture: &Fixture) {
    let bucket = fixture.bucket("timed").await.id;
    let step = match fixture.catalog.engine().pools.dialect() {
        Dialect::Sqlite => LOOKS_AT_CLOCK,
        Dialect::Postgres => CHUNK,
    };
    fill_by_sql(fixture, bucket, 2 * step + 1).await;
    let query = SearchObjects {
        contains: "x".into(),
        bounds: SearchBounds {
            time: Duration::ZERO,
            ..UNBOUNDED
        },
        ..all(bucket, 10)
    };
    let pages = bounded_pages(fixture, query.clone()).await;
    let scanned: Vec<_> = pages.iter().map(|page| page.scanned).collect();
    assert_eq!(scanned, [step, step, 1]);
    let by_size = SearchObjects {
        contains: String::new(),
        order: SearchOrder::Size,
        ..query
    };
    let page = fixture.catalog.search_objects(&by_size).await.unwrap();
    assert_eq!(
        (page.scanned, page.coverage),
        (step, SearchCoverage::Bounded)
    );
    assert_eq!(page.objects.len(), 10);
}

pub(super) async fn goes_on_where_keys_are_gone(fixture: &Fixture) {
    let bucket = fixture.bucket("gone").await.id;
    fill(fixture, bucket, &[("a".into(), 1, 0), ("c".into(), 2, 0)]).await;
    for (order, value) in [(SearchOrder::Key, 0), (SearchOrder::Size, 1)] {
        let query = SearchObjects {
            order,
            after: Some(SearchPosition {
                value,
                key: "b".into(),
                end: None,
            }),
            ..all(bucket, 10)
        };
        let page = fixture.catalog.search_objects(&query).await.unwrap();
        assert_eq!(keys(&page.objects), ["c"]);
    }
}
