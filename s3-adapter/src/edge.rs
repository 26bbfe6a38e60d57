//! What every request shares.

use std::sync::Arc;
use std::time::SystemTime;

use bucketry_contract::GetObjectStream;
use bucketry_contract::adapter::v1::adapter_service_server::AdapterService;
use bucketry_contract::v1::object_service_server::ObjectService;
use bucketry_edge::fair::Fair;

use crate::settings::AdapterSettings;

/// The service that holds the objects: in this process, or behind the generated client.
pub type Objects = dyn ObjectService<GetObjectStream = GetObjectStream>;

/// The service that judges signatures.
pub type Authority = dyn AdapterService;

/// What time it is.
pub type TimeSource = dyn Fn() -> SystemTime + Send + Sync;

/// The services and settings behind the requests.
pub(crate) struct Edge {
    pub(crate) objects: Arc<Objects>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) settings: AdapterSettings,
    /// Dates answers, and judges the expiry of form policies.
    pub(crate) clock: Arc<TimeSource>,
    /// Divides requests among callers if the authority is in another process and so cannot do it.
    pub(crate) fair: Fair,
}
