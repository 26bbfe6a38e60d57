use crate::model::{AuditEntry, AuditRecord};
use crate::mutation::{AppendAudit, Mutation};
use crate::query::{ListAudit, More};
use crate::sql::Statement;
use crate::testing::{Fixture, later};
use crate::{Catalog, CatalogError, MAX_READ_DETAILS};
use bucketry_domain::{AccessKeyPk, BucketId};

fn entry(fixture: &Fixture, number: i64) -> AuditEntry {
    AuditEntry {
        at: later(number as u64),
        actor: "root".into(),
        address: None,
        action: format!("action {number}"),
        account: Some(fixture.account.id),
        bucket: Some(BucketId(number % 2)),
        access_key: None,
        request_id: String::new(),
        details: "{\"before\":1}".into(),
    }
}

async fn append(catalog: &Catalog, entry: AuditEntry) {
    let mutation = Mutation::from(AppendAudit).audited(vec![entry]);
    catalog.submit(mutation).await.unwrap();
}

fn entries(records: &[AuditRecord]) -> Vec<AuditEntry> {
    records.iter().map(|record| record.entry.clone()).collect()
}

fn position(records: &[AuditRecord]) -> Option<(bucketry_domain::Timestamp, i64)> {
    records.last().map(|record| (record.entry.at, record.id))
}

pub(super) async fn is_read_newest_first(fixture: &Fixture) {
    for number in 0..6 {
        append(&fixture.catalog, entry(fixture, number)).await;
    }
    let of_bucket = ListAudit {
        bucket: Some(BucketId(1)),
        max: 2,
        ..ListAudit::default()
    };
    let page = fixture.other.list_audit(&of_bucket).await.unwrap();
    assert_eq!(entries(&page.items), [entry(fixture, 5), entry(fixture, 3)]);
    assert_eq!(page.more, More::Yes);
    let before = position(&page.items);
    let rest = ListAudit {
        before,
        ..of_bucket
    };
    let rest = fixture.other.list_audit(&rest).await.unwrap();
    assert_eq!(entries(&rest.items), [entry(fixture, 1)]);
    assert_eq!(rest.more, More::No);
    let of_key = ListAudit {
        access_key: Some(AccessKeyPk(1)),
        max: 2,
        ..ListAudit::default()
    };
    let of_key = fixture.other.list_audit(&of_key).await.unwrap();
    assert!(of_key.items.is_empty());
}

/// The later entry may have the lower id: the other node has another block of them. Entries of one moment keep one order.
pub(super) async fn follows_time_and_not_ids(fixture: &Fixture) {
    append(&fixture.catalog, entry(fixture, 0)).await;
    append(&fixture.other, entry(fixture, 1)).await;
    append(&fixture.catalog, entry(fixture, 2)).await;
    append(&fixture.other, entry(fixture, 2)).await;
    let mut query = ListAudit {
        max: 1,
        ..ListAudit::default()
    };
    let mut numbers = Vec::new();
    let mut ids = Vec::new();
    loop {
        let page = fixture.catalog.list_audit(&query).await.unwrap();
        numbers.extend(page.items.iter().map(|record| record.entry.action.clone()));
        ids.extend(page.items.iter().map(|record| record.id));
        query.before = position(&page.items);
        if page.more == More::No {
            break;
        }
    }
    assert_eq!(numbers, ["action 2", "action 2", "action 1", "action 0"]);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

/// The engine itself refuses, whoever asks.
pub(super) async fn only_grows(fixture: &Fixture) {
    append(&fixture.catalog, entry(fixture, 1)).await;
    let statements = [
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE audit SET details = '{}' WHERE id > 0",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE at < 0 OR id > 0",
    ];
    for sql in statements {
        let work = async |connection: &mut crate::sql::Connection| {
            Ok(connection.execute(Statement::new(sql)).await?)
        };
        let refused = fixture.catalog.engine().transact(work).await;
        let Err(CatalogError::Database(error)) = refused else {
            panic!("{sql}: {refused:?}");
        };
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    let all = ListAudit {
        max: 10,
        ..ListAudit::default()
    };
    let all = fixture.catalog.list_audit(&all).await.unwrap();
    assert_eq!(entries(&all.items), [entry(fixture, 1)]);
}

pub(super) async fn long_details_are_read_up_to_a_bound(fixture: &Fixture) {
    for (number, characters) in [(0, MAX_READ_DETAILS), (1, 2 << 20)] {
        let details = "é".repeat(characters);
        let entry = AuditEntry {
            details,
            ..entry(fixture, number)
        };
        append(&fixture.catalog, entry).await;
    }
    let all = ListAudit {
        max: 10,
        ..ListAudit::default()
    };
    let page = fixture.other.list_audit(&all).await.unwrap();
    let lengths = page
        .items
        .iter()
        .map(|record| record.entry.details.chars().count());
    let lengths: Vec<usize> = lengths.collect();
    assert_eq!(lengths, [MAX_READ_DETAILS + 1, MAX_READ_DETAILS]);
}
