use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use prost::Message;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::Service;

/// Why the gRPC side cannot be built: the descriptor set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// Not an encoded `FileDescriptorSet`.
    #[error("descriptor set: {0}")]
    Descriptor(#[from] prost::DecodeError),
    /// Reflection refuses it.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Gathers services into a [`GrpcFront`].
#[derive(Debug, Default)]
pub struct GrpcBuilder {
    routes: Routes,
    services: Vec<&'static str>,
}

/// All gRPC services, health and reflection included.
#[derive(Debug, Clone)]
pub struct GrpcFront {
    routes: Routes,
    services: Arc<[&'static str]>,
    operations: Arc<HashMap<String, Arc<str>>>,
    health: HealthReporter,
}

impl GrpcBuilder {
    /// Adds a generated server. It becomes reachable, and its health is served under its name.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.services.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// Adds health and reflection (v1 and v1alpha: older tools know only the latter). `descriptor_set` is what
    /// reflection shows; of its services only those added are named.
    ///
    /// # Errors
    /// [`GrpcError`] if the descriptor set cannot be read.
    pub async fn build(self, descriptor_set: &[u8]) -> Result<GrpcFront, GrpcError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        for service in &self.services {
            health
                .set_service_status(*service, ServingStatus::Serving)
                .await;
        }
        let shown = self.services.clone();
        let with_health = self.service(health_service);
        let reflection = || {
            let mut builder = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(descriptor_set)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .with_service_name("grpc.health.v1.Health");
            for service in &shown {
                builder = builder.with_service_name(*service);
            }
            builder
        };
        let complete = with_health
            .service(reflection().build_v1()?)
            .service(reflection().build_v1alpha()?);
        let mut operations = HashMap::new();
        for set in [
            descriptor_set,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ] {
            operations.extend(methods(set)?);
        }
        Ok(GrpcFront {
            routes: complete.routes.prepare(),
            services: complete.services.into(),
            operations: Arc::new(operations),
            health,
        })
    }
}

impl GrpcFront {
    /// For telling clients whether a service is ready, by name; the empty name is the whole server.
    #[must_use]
    pub fn health(&self) -> &HealthReporter {
        &self.health
    }

    /// Says of everything that it no longer serves: load balancers stop to send.
    pub(super) async fn stop_serving(&self) {
        self.health
            .set_service_status("", ServingStatus::NotServing)
            .await;
        for service in self.services.iter() {
            self.health
                .set_service_status(*service, ServingStatus::NotServing)
                .await;
        }
    }

    /// Whether a path is that of a registered service: `/PACKAGE.SERVICE/METHOD`. A bucket can never be named so, for
    /// service names have upper-case letters.
    pub(super) fn serves(&self, path: &str) -> bool {
        let service = path.strip_prefix('/').and_then(|rest| rest.split_once('/'));
        service.is_some_and(|(service, _)| self.services.contains(&service))
    }

    /// The method's name, for metrics and logs; none for a method that a service does not have.
    pub(super) fn operation(&self, path: &str) -> Option<Arc<str>> {
        self.operations.get(path).cloned()
    }

    pub(super) fn routes(&self) -> Routes {
        self.routes.clone()
    }
}

/// The paths of all methods of a descriptor set with their names.
fn methods(descriptor_set: &[u8]) -> Result<Vec<(String, Arc<str>)>, prost::DecodeError> {
    let set = prost_types::FileDescriptorSet::decode(descriptor_set)?;
    let mut found = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                found.push((path, Arc::from(method.name())));
            }
        }
    }
    Ok(found)
}
