//! Limits of requests per second and of bytes per day.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bucketry_contract::v1::{
    CreateSessionRequest, DecisionReason, ListObjectsRequest, Permission, RequestClass, Token,
    TokenLimits,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;

use super::{BUCKET, Scene, counts, drain, reason, refusals};

#[tokio::test]
async fn requests_per_second_refuse_and_recover() -> Result<(), HarnessError> {
    let limits = TokenLimits {
        requests_per_second: 2,
        bytes_per_day: 0,
    };
    let mut scene = Scene::limited(Permission::ReadOnly, Some(limits)).await?;
    let begin = Instant::now();
    let (mut let_in, mut refused) = (0, 0);
    while refused < 3 {
        let response = scene.send("HEAD", "", b"")?;
        match response.status {
            200 => let_in += 1,
            503 => refused += 1,
            status => panic!("{status}"),
        }
        let most = 2 + 2 * (begin.elapsed().as_secs() + 1);
        assert!(let_in <= most, "{let_in} in {:?}", begin.elapsed());
    }
    let body = scene.send("GET", "?location", b"")?;
    if body.status == 503 {
        assert_eq!(body.element("Code").as_deref(), Some("SlowDown"));
        refused += 1;
    } else {
        let_in += 1;
    }
    // The limit is shared with gRPC.
    let mut clients = scene.clients().await?;
    loop {
        match clients.tokens.create_session(CreateSessionRequest {}).await {
            Ok(_) => let_in += 1,
            Err(status) => {
                assert_eq!(status.code(), tonic::Code::ResourceExhausted);
                assert_eq!(reason(&status), "ERROR_REASON_SLOW_DOWN");
                refused += 1;
                break;
            }
        }
    }
    // It recovers by itself.
    let deadline = begin + Duration::from_secs(60);
    while scene.send("HEAD", "", b"")?.status != 200 {
        refused += 1;
        assert!(Instant::now() < deadline);
    }
    let_in += 1;
    let usage = scene.usage().await?;
    let expected = BTreeMap::from([(DecisionReason::RequestLimit, refused)]);
    assert_eq!(refusals(&usage), expected);
    let counted = counts(&usage)[&RequestClass::Other].0;
    assert_eq!(counted, i64::try_from(let_in).unwrap());
    assert_eq!(
        scene.denials().await?[0].rule,
        "limits.requests_per_second: 2"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_per_day_end_what_would_pass_them() -> Result<(), HarnessError> {
    let limits = |bytes_per_day| {
        Some(TokenLimits {
            requests_per_second: 0,
            bytes_per_day,
        })
    };
    let mut scene = Scene::limited(Permission::ReadWrite, limits(50_000)).await?;
    scene.expect(200, "PUT", "/k", &[b'x'; 30_000])?;
    // 20,000 bytes are left: the upload is ended, and nothing of it is stored.
    let refused = scene.expect(403, "PUT", "/late", &[b'x'; 40_000])?;
    assert_eq!(refused.element("Code").as_deref(), Some("AccessDenied"));
    assert!(refused.text().contains("50000"), "{}", refused.text());
    // The bytes that were received count, so both protocols now refuse every request.
    scene.expect(403, "HEAD", "/k", b"")?;
    let mut clients = scene.clients().await?;
    let status = drain(&mut clients, "k").await.unwrap_err();
    assert_eq!(reason(&status), "ERROR_REASON_BYTE_LIMIT_EXCEEDED");
    let listed = scene.root.objects.list_objects(ListObjectsRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    });
    let keys: Vec<String> = (listed.await?.into_inner().objects.into_iter())
        .map(|object| object.key)
        .collect();
    assert_eq!(keys, ["k"]);
    // A higher limit takes effect at once: 30,000 of the 110,000 bytes may be read.
    let used = counts(&scene.usage().await?)[&RequestClass::Write].1;
    assert!((50_001..=70_000).contains(&used), "{used}");
    let higher = limits(used + 40_000);
    scene
        .edit(
            "limits",
            Token {
                limits: higher,
                ..Token::default()
            },
        )
        .await?;
    assert_eq!(drain(&mut clients, "k").await?, 30_000);
    // 10,000 bytes are left: a longer download begins and is cut off.
    let status = drain(&mut clients, "k").await.unwrap_err();
    assert_eq!(reason(&status), "ERROR_REASON_BYTE_LIMIT_EXCEEDED");
    let usage = scene.usage().await?;
    let (requests, _, bytes_out) = counts(&usage)[&RequestClass::Read];
    assert_eq!((requests, bytes_out), (2, 30_000));
    let expected = BTreeMap::from([(DecisionReason::ByteLimit, 4)]);
    assert_eq!(refusals(&usage), expected);
    // The catalog has the usage of the day: a restart does not reset it.
    scene.server.restart()?;
    scene.root = Clients::root(&scene.server).await?;
    let lower = limits(used + 30_000);
    scene
        .edit(
            "limits",
            Token {
                limits: lower,
                ..Token::default()
            },
        )
        .await?;
    scene.expect(403, "HEAD", "/k", b"")?;
    scene.edit("limits", Token::default()).await?;
    scene.expect(200, "HEAD", "/k", b"")?;
    Ok(())
}
