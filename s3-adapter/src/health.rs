//! The adapter is ready as long as its service is: it asks the service's gRPC health.

use std::time::Duration;

use bucketry_edge::health::Health;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// The one part that the adapter's readiness depends on.
pub(crate) const SERVICE: &str = "service";

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
