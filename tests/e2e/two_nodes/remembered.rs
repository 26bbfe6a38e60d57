//! What a node remembers of keys and buckets does not show: an edit through one node that permits more holds on the
//! other as soon as the call has returned, as does one that permits less.

use std::time::SystemTime;

use bucketry_contract::v1::{
    Bucket, CreateBucketRequest, DeleteBucketRequest, DeleteObjectRequest, GetTokenUsageRequest,
    ObjectOwnership, OwnershipControls, OwnershipControlsRule, PutSmallObjectRequest,
    ResumeTokenRequest, Token, TokenLimits, UpdateBucketRequest, UpdateTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY};
use bucketry_tests::sigv4::{Payload, Signer};
use bytes::Bytes;
use futures::future::try_join_all;

use super::doors::{End, Holder};
use super::{BUCKET, Nodes, WORKERS, Way, listing, spec};

const ROUNDS: usize = 20;

const NEXT_ROOT_SECRET: &str = "another/root+secret/access+key/of/40/char";

/// The S3 requests that are tried: method, path and body.
const REQUESTS: [(&str, &str, &[u8]); 6] = [
    ("GET", "/k", b""),
    ("HEAD", "/k", b""),
    ("PUT", "/written", b"x"),
    ("GET", "?list-type=2", b""),
    ("HEAD", "", b""),
    (
        "PUT",
        "/k?tagging",
        b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    ),
];

async fn edit(root: &mut Clients, token: Token, path: &str) -> Result<(), HarnessError> {
    let request = UpdateTokenRequest {
        token: Some(token),
        update_mask: Some(prost_types::FieldMask {
            paths: vec![path.to_owned()],
        }),
        ..Default::default()
    };
    root.tokens.update_token(request).await?;
    Ok(())
}

/// Undoes an end that is not a revocation.
async fn widen(root: &mut Clients, holder: &Holder, end: End) -> Result<(), HarnessError> {
    let token = Token {
        version: 0,
        ..holder.token.clone()
    };
    if end == End::LockOut {
        return edit(root, token, "disallowed_ips").await;
    }
    let request = ResumeTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    root.tokens.resume_token(request).await?;
    Ok(())
}

/// Each request is the first after an edit, and so the one that meets what the node remembers.
async fn edits_hold_for_the_first_request(nodes: Nodes) -> Result<(), HarnessError> {
    let mut root = Clients::root(&nodes.first).await?;
    let holder = Holder::new(&mut root, &nodes.way().await?).await?;
    for round in 0..ROUNDS {
        let (method, path, body) = REQUESTS[round % REQUESTS.len()];
        let send = || holder.send(method, path, body);
        assert_eq!(send()?.status, 200, "round {round}: {method} {path}");
        for end in [End::Suspend, End::LockOut] {
            end.apply(&mut root, &holder.token).await?;
            let refused = send()?;
            let what = format!("round {round}: {method} {path} after {end:?}");
            assert_eq!(refused.status, 403, "{what}");
            if method != "HEAD" {
                let code = refused.element("Code");
                assert_eq!(code.as_deref(), Some(end.code()), "{what}");
            }
            assert_eq!(send()?.status, 403, "{what}, again");
            widen(&mut root, &holder, end).await?;
            assert_eq!(send()?.status, 200, "{what} was undone");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_hold_for_the_first_request_through_the_other_node() -> Result<(), HarnessError> {
    edits_hold_for_the_first_request(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_hold_for_the_first_request_through_the_same_node() -> Result<(), HarnessError> {
    edits_hold_for_the_first_request(Nodes::on_sqlite().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_for_the_first_request_through_the_other_node() -> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut root = Clients::root(&nodes.first).await?;
    let holder = Holder::new(&mut root, &nodes.way().await?).await?;
    let limited = |bytes_per_day| Token {
        limits: Some(TokenLimits {
            requests_per_second: 0,
            bytes_per_day,
        }),
        version: 0,
        ..holder.token.clone()
    };
    for round in 0..ROUNDS {
        assert_eq!(holder.send("GET", "/k", b"")?.status, 200, "round {round}");
        // Fewer than have been read.
        edit(&mut root, limited(1), "limits").await?;
        assert_eq!(holder.send("HEAD", "/k", b"")?.status, 403, "round {round}");
        edit(&mut root, limited(0), "limits").await?;
        assert_eq!(holder.send("HEAD", "/k", b"")?.status, 200, "round {round}");
    }
    Ok(())
}

/// Sends a request with the operator's key.
fn as_root(way: &Way, secret: &str, method: &str, path: &str) -> Result<Response, HarnessError> {
    let request =
        Request::new(method, &format!("/{BUCKET}{path}")).header("host", &way.address.to_string());
    let signer = Signer::new(ROOT_ACCESS_KEY_ID, secret);
    exchange(
        way.address,
        signer.header(request, SystemTime::now(), Payload::Signed)?,
    )
}

async fn delete_bucket(root: &mut Clients) -> Result<(), HarnessError> {
    let (bucket, key) = (BUCKET.to_owned(), "k".to_owned());
    let request = DeleteObjectRequest {
        bucket: bucket.clone(),
        key,
        ..Default::default()
    };
    root.objects.delete_object(request).await?;
    root.objects
        .delete_bucket(DeleteBucketRequest { bucket })
        .await?;
    Ok(())
}

async fn create_bucket(root: &mut Clients, content: String) -> Result<(), HarnessError> {
    let request = CreateBucketRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    root.objects.create_bucket(request).await?;
    let put = PutSmallObjectRequest {
        spec: Some(spec("k")),
        data: Bytes::from(content),
    };
    root.objects.put_small_object(put).await?;
    Ok(())
}

async fn a_bucket_that_is_made_anew_is_another(nodes: Nodes) -> Result<(), HarnessError> {
    let mut root = Clients::root(&nodes.first).await?;
    let mut grpc = Clients::root(nodes.user()).await?;
    let way = nodes.way().await?;
    let send = |method: &str, path: &str| as_root(&way, ROOT_SECRET_ACCESS_KEY, method, path);
    for round in 0..ROUNDS {
        let holder = Holder::new(&mut root, &way).await?;
        assert_eq!(holder.send("GET", "/k", b"")?.status, 200);
        assert_eq!(send("GET", "/k")?.status, 200);
        delete_bucket(&mut root).await?;
        let refused = send("GET", if round % 2 == 0 { "/k" } else { "?list-type=2" })?;
        let code = refused.element("Code");
        assert_eq!(code.as_deref(), Some("NoSuchBucket"), "round {round}");

        create_bucket(&mut root, format!("content of {round}")).await?;
        assert_eq!(send("GET", "/k")?.text(), format!("content of {round}"));
        delete_bucket(&mut root).await?;
        create_bucket(&mut root, format!("anew in {round}")).await?;
        match round % 3 {
            0 => assert_eq!(send("GET", "/k")?.text(), format!("anew in {round}")),
            1 => assert!(send("GET", "?list-type=2")?.text().contains("<Key>k</Key>")),
            _ => {
                let listed = grpc.objects.list_objects(listing("")).await?.into_inner();
                assert_eq!(listed.objects.len(), 1, "round {round}");
            }
        }
        // A token is of the bucket that it was made for.
        assert_eq!(holder.send("GET", "/k", b"")?.status, 403);
        assert_eq!(holder.send("PUT", "/k", b"x")?.status, 403);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_made_anew_through_one_node_is_another_on_the_other() -> Result<(), HarnessError> {
    a_bucket_that_is_made_anew_is_another(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_made_anew_is_another_on_the_same_node() -> Result<(), HarnessError> {
    a_bucket_that_is_made_anew_is_another(Nodes::on_sqlite().await?).await
}

/// A setting that bears on access moves the bucket's policy epoch: commits that were decided before it are decided again.
async fn writes_go_on_while_a_setting_changes(nodes: Nodes) -> Result<(), HarnessError> {
    let mut root = Clients::root(&nodes.first).await?;
    let mut writers = Vec::new();
    for _ in 0..WORKERS {
        writers.push(Clients::root(nodes.user()).await?);
    }
    let rule = OwnershipControlsRule {
        object_ownership: ObjectOwnership::BucketOwnerEnforced.into(),
    };
    for round in 0..100 {
        let controls = OwnershipControls { rules: vec![rule] };
        let request = UpdateBucketRequest {
            bucket: Some(Bucket {
                name: BUCKET.to_owned(),
                ownership_controls: (round % 2 == 0).then_some(controls),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["ownership_controls".to_owned()],
            }),
        };
        let writes = writers.iter_mut().enumerate().map(|(writer, client)| {
            let put = PutSmallObjectRequest {
                spec: Some(spec(&format!("{round}/{writer}"))),
                data: Bytes::from_static(b"x"),
            };
            client.objects.put_small_object(put)
        });
        let (edited, written) =
            tokio::join!(root.objects.update_bucket(request), try_join_all(writes));
        edited?;
        assert_eq!(written?.len(), WORKERS);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_go_on_while_a_setting_changes_on_the_other_node() -> Result<(), HarnessError> {
    writes_go_on_while_a_setting_changes(Nodes::on_postgres().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_go_on_while_a_setting_changes_on_the_same_node() -> Result<(), HarnessError> {
    writes_go_on_while_a_setting_changes(Nodes::on_sqlite().await?).await
}

/// The other node has served an object by the former secret, and remembers the row that it was in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_root_secret_reads_nothing_through_the_other_node() -> Result<(), HarnessError> {
    let mut nodes = Nodes::on_postgres().await?;
    let way = nodes.way().await?;
    let get = |secret: &str| as_root(&way, secret, "GET", "/k");
    assert_eq!(get(ROOT_SECRET_ACCESS_KEY)?.status, 200);
    let replaced = nodes
        .options
        .clone()
        .environment("BUCKETRY_ROOT_SECRET_ACCESS_KEY", NEXT_ROOT_SECRET);
    nodes.first.restart_with(replaced)?;
    for _ in 0..2 {
        let refused = get(ROOT_SECRET_ACCESS_KEY)?;
        let code = refused.element("Code");
        assert_eq!(code.as_deref(), Some("SignatureDoesNotMatch"));
    }
    assert_eq!(get(NEXT_ROOT_SECRET)?.status, 200);
    Ok(())
}

/// A request that has a fault of its own reaches no operation, where the node compares what it remembers. It is refused,
/// recorded and not counted all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_faulty_request_of_a_revoked_key_is_refused_as_any_other() -> Result<(), HarnessError> {
    let nodes = Nodes::on_postgres().await?;
    let mut root = Clients::root(&nodes.first).await?;
    let holder = Holder::new(&mut root, &nodes.way().await?).await?;
    assert_eq!(holder.send("GET", "/k", b"")?.status, 200);
    assert_eq!(holder.send("GET", "/k?versionId=", b"")?.status, 400);
    // A node shows what it has counted itself at once.
    let mut user = Clients::root(nodes.user()).await?;
    let before = usage(&mut user, &holder.token).await?;
    assert_eq!(before, (2, 0));
    End::Revoke.apply(&mut root, &holder.token).await?;
    for _ in 0..3 {
        let refused = holder.send("GET", "/k?versionId=", b"")?;
        let code = refused.element("Code");
        assert_eq!(refused.status, 403, "{}", refused.text());
        assert_eq!(code.as_deref(), Some(End::Revoke.code()));
    }
    assert_eq!(usage(&mut user, &holder.token).await?, (2, 3));
    Ok(())
}

/// How many requests of a token were let in, and how many were denied.
async fn usage(root: &mut Clients, token: &Token) -> Result<(i64, i64), HarnessError> {
    let request = GetTokenUsageRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id.clone(),
        ..Default::default()
    };
    let usage = root.tokens.get_token_usage(request).await?.into_inner();
    let total = usage.total.ok_or(HarnessError::Incomplete("usage"))?;
    let requests = total.counts.iter().map(|count| count.requests).sum();
    let denials = total.denials.iter().map(|denial| denial.requests).sum();
    Ok((requests, denials))
}
