//! Searches over a whole bucket, by gRPC. On SQLite and on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    ListObjectsRequest, ObjectOrder, Permission, PutObjectSpec, PutSmallObjectRequest,
    SearchCoverage, SearchObjectsRequest, SearchObjectsResponse,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use bytes::Bytes;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection};
use tokio::time::timeout;
use tonic::Status;

const BUCKET: &str = "searched";
/// Long enough that only a server that hangs meets it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Servers on both engines, each with a bucket.
async fn stores() -> Result<Vec<(Server, Clients)>, HarnessError> {
    let url = postgres::create_database().await?;
    let mut stores = Vec::new();
    for options in [
        ServerOptions::new(),
        ServerOptions::new().database_url(&url),
    ] {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        stores.push((server, root));
    }
    Ok(stores)
}

async fn put(clients: &mut Clients, key: &str, size: usize) -> Result<(), Status> {
    let request = PutSmallObjectRequest {
        spec: Some(PutObjectSpec {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            ..Default::default()
        }),
        data: Bytes::from(vec![b'x'; size]),
    };
    clients.objects.put_small_object(request).await.map(drop)
}

fn request(contains: &str, order: ObjectOrder) -> SearchObjectsRequest {
    SearchObjectsRequest {
        bucket: BUCKET.to_owned(),
        contains: contains.to_owned(),
        order_by: order.into(),
        ..Default::default()
    }
}

async fn search(
    clients: &mut Clients,
    request: SearchObjectsRequest,
) -> Result<SearchObjectsResponse, Status> {
    let answer = clients.objects.search_objects(request).await;
    answer.map(tonic::Response::into_inner)
}

/// The reason of a refusal, and the field that it names.
fn refusal(answer: Result<SearchObjectsResponse, Status>) -> (String, String) {
    let explained = explain(&answer.unwrap_err()).unwrap();
    let field = explained.metadata.get("field").cloned();
    let reason = explained.reason.as_str_name().to_owned();
    (reason, field.unwrap_or_default())
}

#[tokio::test]
async fn every_order_shows_each_object_once() -> Result<(), HarnessError> {
    for (_server, mut root) in stores().await? {
        // Sizes are not in the order of the keys, and some are equal.
        let objects: BTreeMap<String, usize> = (0..25)
            .map(|n| (format!("Photo-{n:02}"), (n * 7) % 10))
            .collect();
        for (key, size) in &objects {
            put(&mut root, key, *size).await?;
        }
        put(&mut root, "other", 3).await?;
        for order in [ObjectOrder::Key, ObjectOrder::Size, ObjectOrder::ModifyTime] {
            for descending in [false, true] {
                let mut query = request("pHOTO", order);
                query.ignore_case = true;
                query.descending = descending;
                query.page_size = Some(4);
                let mut found = Vec::new();
                loop {
                    let page = search(&mut root, query.clone()).await?;
                    assert_eq!(page.coverage(), SearchCoverage::Complete);
                    assert!(page.scanned_count >= page.objects.len() as i64);
                    assert!(
                        page.objects
                            .iter()
                            .all(|object| object.attributes.is_none())
                    );
                    found.extend(
                        page.objects
                            .into_iter()
                            .map(|object| (object.size, object.key)),
                    );
                    query.page_token = page.next_page_token;
                    if query.page_token.is_empty() {
                        break;
                    }
                }
                let mut expected: Vec<_> = (objects.iter())
                    .map(|(key, size)| (*size as i64, key.clone()))
                    .collect();
                if order == ObjectOrder::Size {
                    expected.sort();
                }
                // Objects were made in the order of their keys.
                if descending {
                    expected.reverse();
                }
                assert_eq!(found, expected, "{order:?} {descending}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_page_token_belongs_to_its_search() -> Result<(), HarnessError> {
    for (_server, mut root) in stores().await? {
        for key in ["a", "ab", "abc"] {
            put(&mut root, key, 1).await?;
        }
        let first = SearchObjectsRequest {
            page_size: Some(1),
            ..request("a", ObjectOrder::Size)
        };
        let page_token = search(&mut root, first.clone()).await?.next_page_token;
        assert!(!page_token.is_empty());
        let next = SearchObjectsRequest {
            page_token: page_token.clone(),
            ..first.clone()
        };
        let page = search(&mut root, next.clone()).await?;
        assert_eq!(page.objects.first().unwrap().key, "ab");
        let larger = SearchObjectsRequest {
            page_size: Some(2),
            ..next.clone()
        };
        assert_eq!(search(&mut root, larger).await?.objects.len(), 2);
        let mut others = vec![next.clone(); 6];
        others[0].contains = "b".to_owned();
        others[1].prefix = "a".to_owned();
        others[2].order_by = ObjectOrder::Key.into();
        others[3].descending = true;
        others[4].ignore_case = true;
        others[5].page_token.pop();
        for other in others {
            let refused = refusal(search(&mut root, other.clone()).await);
            assert_eq!(refused.0, "ERROR_REASON_INVALID_PAGE_TOKEN", "{other:?}");
        }
        // Nor is that of a listing one of a search.
        let list = ListObjectsRequest {
            bucket: BUCKET.to_owned(),
            page_size: Some(1),
            ..Default::default()
        };
        let listed = root.objects.list_objects(list).await?.into_inner();
        let foreign = SearchObjectsRequest {
            page_token: listed.next_page_token,
            ..request("", ObjectOrder::Key)
        };
        let refused = refusal(search(&mut root, foreign).await);
        assert_eq!(refused.0, "ERROR_REASON_INVALID_PAGE_TOKEN");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_by_its_field() -> Result<(), HarnessError> {
    for (_server, mut root) in stores().await? {
        put(&mut root, &"k".repeat(1024), 1).await?;
        let longest = request(&"k".repeat(1024), ObjectOrder::Size);
        assert_eq!(search(&mut root, longest).await?.objects.len(), 1);
        let too_long = request(&"k".repeat(1025), ObjectOrder::Key);
        let no_order = SearchObjectsRequest {
            order_by: 9,
            ..request("", ObjectOrder::Key)
        };
        let negative = SearchObjectsRequest {
            page_size: Some(-1),
            ..request("", ObjectOrder::Key)
        };
        for (query, field) in [
            (too_long, "contains"),
            (no_order, "order_by"),
            (negative, "page_size"),
        ] {
            let expected = ("ERROR_REASON_INVALID_ARGUMENT".to_owned(), field.to_owned());
            assert_eq!(refusal(search(&mut root, query).await), expected);
        }
    }
    Ok(())
}

/// The sessions of a database that wait for the table of objects.
async fn waiting(watch: &mut PgConnection) -> Result<BTreeSet<i32>, HarnessError> {
    let sql = "SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
               JOIN pg_database d ON d.oid = l.database
               WHERE d.datname = current_database() AND c.relname IN ('objects', 'objects_pkey') AND NOT l.granted";
    let pids = sqlx::query_scalar(sql).fetch_all(watch).await?;
    Ok(pids.into_iter().collect())
}

/// Waits until a session waits that is none of these.
async fn another(watch: &mut PgConnection, known: &BTreeSet<i32>) -> Result<i32, HarnessError> {
    let found = async {
        loop {
            let waiting = waiting(watch).await?;
            if let Some(pid) = waiting.difference(known).next() {
                return Ok::<_, HarnessError>(*pid);
            }
        }
    };
    timeout(PATIENCE, found).await.expect("a search that waits")
}

/// A search whose client has gone takes no turn from the next one of its account, and none from those of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_take_turns_by_account() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let server = Server::start(ServerOptions::new().database_url(&url))?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    put(&mut root, "k", 1).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    let token = Clients::connect(&server, Bearer::token(&credentials)?).await?;
    let begin = |clients: &Clients| {
        let mut clients = clients.clone();
        tokio::spawn(async move { search(&mut clients, request("k", ObjectOrder::Size)).await })
    };

    let options: PgConnectOptions = url.parse()?;
    let (mut holder, mut watch) = (options.connect().await?, options.connect().await?);
    let hold = "BEGIN; LOCK TABLE objects IN ACCESS EXCLUSIVE MODE";
    holder.execute(hold).await?;
    let first = begin(&token);
    let mut known = BTreeSet::from([another(&mut watch, &BTreeSet::new()).await?]);
    let second = begin(&token);
    let of_operator = begin(&root);
    known.insert(another(&mut watch, &known).await?);
    assert_eq!(waiting(&mut watch).await?, known);
    // Its turn is over at once, although the database still works on it.
    first.abort();
    another(&mut watch, &known).await?;
    holder.execute("COMMIT").await?;
    assert_eq!(second.await.unwrap()?.objects.len(), 1);
    of_operator.abort();
    Ok(())
}
