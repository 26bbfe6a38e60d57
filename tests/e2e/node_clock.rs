//! On PostgreSQL all nodes go by the clock of the database, whatever their own clocks say.

use std::time::{Duration, Instant, SystemTime};

use bucketry_contract::v1::{CreateTokenRequest, Credentials, Permission};
use bucketry_tests::cluster::SkewedClock;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use bucketry_tests::sigv4::{Payload, Signer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::wire::signer;

const BUCKET: &str = "node-clock-bucket";
/// More than the 15 minutes by which the time of a signature may differ.
const SKEW_SECONDS: i32 = 20 * 60;
/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node whose clock is wrong by that much when it starts.
async fn node(clock: &SkewedClock) -> Result<(Server, Clients), HarnessError> {
    let url = postgres::create_database().await?;
    let options = ServerOptions::new()
        .database_url(&url)
        .argument("--collect-interval=1s");
    let server = Server::start(clock.of(options))?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    Ok((server, root))
}

/// Signed at the time by the clock of this process, which is that of PostgreSQL.
fn head_bucket(server: &Server, signer: &Signer) -> Result<Response, HarnessError> {
    let request =
        Request::new("HEAD", &format!("/{BUCKET}")).header("host", &server.address().to_string());
    let signed = signer.header(request, SystemTime::now(), Payload::Signed)?;
    exchange(server.address(), signed)
}

async fn token_of(root: &mut Clients, life: Duration) -> Result<Credentials, HarnessError> {
    let request = CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        name: "soon gone".to_owned(),
        permission: Permission::ReadOnly.into(),
        expire_time: Some((SystemTime::now() + life).into()),
        ..CreateTokenRequest::default()
    };
    let made = root.tokens.create_token(request).await?.into_inner();
    Ok(made.credentials.expect("credentials"))
}

/// How far the time of an answer is from that of this process.
fn distance(answer: &Response) -> Duration {
    let date = answer.find("date").expect("a date");
    let date = OffsetDateTime::parse(date, &Rfc2822).expect("a date");
    (date - OffsetDateTime::now_utc()).unsigned_abs()
}

#[tokio::test]
async fn a_token_expires_by_the_clock_of_the_database() -> Result<(), HarnessError> {
    for ahead in [-SKEW_SECONDS, SKEW_SECONDS] {
        let clock = SkewedClock::new()?;
        clock.set(ahead)?;
        let (server, mut root) = node(&clock).await?;
        let life = Duration::from_secs(2);
        let begun = Instant::now();
        let credentials = token_of(&mut root, life).await?;
        let signer = signer(&credentials);
        let mut accepted = 0;
        loop {
            let answer = head_bucket(&server, &signer)?;
            assert!(
                distance(&answer) < Duration::from_secs(10),
                "{ahead} s ahead"
            );
            match answer.status {
                200 => accepted += 1,
                403 => break,
                other => panic!("{other}"),
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "does not expire: {ahead} s ahead"
            );
        }
        // To a second: the clocks are compared by a statement.
        assert!(
            accepted > 0 && begun.elapsed() > life - Duration::from_secs(1),
            "{ahead} s ahead"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_clock_that_is_set_while_a_node_runs_changes_nothing() -> Result<(), HarnessError> {
    let clock = SkewedClock::new()?;
    let (server, mut root) = node(&clock).await?;
    let credentials = token_of(&mut root, Duration::from_secs(600)).await?;
    let token = signer(&credentials);
    clock.set(SKEW_SECONDS)?;
    let set = Instant::now();
    loop {
        let noticed = server.log().contains("clock differs from the database's");
        let answer = head_bucket(&server, &token)?;
        assert_eq!(answer.status, 200);
        assert!(distance(&answer) < Duration::from_secs(10));
        if noticed {
            return Ok(());
        }
        assert!(set.elapsed() < PATIENCE, "the clock was not set");
    }
}
