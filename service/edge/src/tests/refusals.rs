//! The pace of refusals.

use std::time::{Duration, Instant};

use super::{Server, get};
use crate::*;

/// One refusal a second, and none that is late at first.
fn one_a_second() -> ConnectionLimits {
    ConnectionLimits {
        refusals_per_network: 1,
        ..ConnectionLimits::default()
    }
}

/// The time of some requests over one connection, one after the other.
async fn time_of(server: &Server, paths: &[&str]) -> Duration {
    let mut sender = server.http1().await;
    let began = Instant::now();
    for path in paths {
        sender.ready().await.unwrap();
        sender.send_request(get(path)).await.unwrap();
    }
    began.elapsed()
}

#[tokio::test]
async fn refusals_come_at_their_rate_and_those_of_proved_callers_at_once() {
    let server = Server::start(one_a_second());
    let refused = time_of(&server, &["/refused"; 3]).await;
    assert!(refused >= Duration::from_millis(1900), "{refused:?}");
    // At the rate, the last of them alone would take as long as a delay can.
    let others = time_of(
        &server,
        &["/denied", "/", "/known", "/denied", "/", "/denied"],
    )
    .await;
    assert!(others < Duration::from_secs(3), "{others:?}");
}

#[tokio::test]
async fn a_refusal_that_waits_has_a_place_in_the_budget() {
    let mut limits = one_a_second();
    limits.unauthenticated.slots_per_network = 1;
    let server = Server::start(limits);
    time_of(&server, &["/refused"]).await;
    let mut waiting = server.http1().await;
    let refused = tokio::spawn(async move { waiting.send_request(get("/refused")).await });
    let mut next = server.http1().await;
    // The newcomer is answered; the one that came before it is ended.
    let (refused, answered) = tokio::join!(refused, next.send_request(get("/refused")));
    assert!(refused.unwrap().is_err() != answered.is_err());
}
