//! The adapter is ready as long as its service is and it is signed in there.

use std::borrow::Cow;
use std::time::Duration;

use bucketry_edge::health::Health;
use bucketry_sign_in::{Sessions, SignInStatus};
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// The parts that the adapter's readiness depends on.
pub(crate) const PARTS: [&str; 2] = [SERVICE, SIGN_IN];
const SERVICE: &str = "service";
const SIGN_IN: &str = "sign-in";

/// How long the service may take to answer.
const LIMIT: Duration = Duration::from_secs(1);

/// The interval between probes.
const INTERVAL: Duration = Duration::from_secs(1);

/// Probes the service until dropped.
pub(crate) async fn follow_service(channel: Channel, health: Health) {
    let mut client = HealthClient::new(channel);
    loop {
        let asked = timeout(LIMIT, client.check(HealthCheckRequest::default())).await;
        let outcome = match asked {
            Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => Ok(()),
            Ok(Ok(_)) => Err("is not ready"),
            Ok(Err(_)) | Err(_) => Err("does not answer"),
        };
        health.report(SERVICE, outcome);
        sleep(INTERVAL).await;
    }
}

/// Looks at the adapter's session again and again: without one every request is answered as unavailable.
pub(crate) async fn follow_sign_in(sessions: Sessions, health: Health) {
    loop {
        match sessions.condition() {
            SignInStatus::Pending => {}
            SignInStatus::SignedIn => {
                health.report(SIGN_IN, Ok(()));
            }
            SignInStatus::Failed(cause) => {
                let fault = Cow::Owned(format!("fails: {cause}"));
                health.report_cause(SIGN_IN, Err(fault));
            }
        }
        sleep(INTERVAL).await;
    }
}
