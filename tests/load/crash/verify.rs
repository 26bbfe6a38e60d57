//! After a restart: every key is read and judged, then the listing.

use std::collections::BTreeMap;

use crate::connection::{Connection, Listed, PageQuery};
use crate::crash::model::{Model, Violation, judge_listing};
use crate::fault::Fault;
use crate::target::Target;

/// Reads every key of a model.
pub(crate) async fn read_back(model: &mut Model, connection: &mut Connection) -> Vec<Violation> {
    let keys: Vec<String> = model.keys().cloned().collect();
    let mut violations = Vec::new();
    for key in keys {
        match connection.fetch(&key).await {
            Ok(found) => violations.extend(model.observe(&key, found.as_ref()).err()),
            Err(fault) => violations.push(Violation::Unreadable {
                key,
                fault: fault.to_string(),
            }),
        }
    }
    violations
}

/// Lists the whole bucket and judges it.
pub(crate) async fn list_back(
    expected: &BTreeMap<String, u64>,
    target: &Target,
) -> Result<Vec<Violation>, Fault> {
    let listed = list_all(target, expected.len()).await?;
    Ok(judge_listing(expected, &listed))
}

/// Lists page by page; stops when there are far more objects than there can be.
async fn list_all(target: &Target, expected: usize) -> Result<Vec<Listed>, Fault> {
    let mut connection = Connection::open(target).await?;
    let mut listed: Vec<Listed> = Vec::new();
    let mut query = PageQuery {
        page_size: 1000,
        ..Default::default()
    };
    loop {
        let page = connection.list(&query).await?;
        listed.extend(page.objects);
        if !page.more || listed.len() > expected * 2 + 10_000 {
            return Ok(listed);
        }
        query.start_after = listed.last().ok_or(Fault::Lacking("objects"))?.key.clone();
    }
}
