use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use prost::Message;
use prost_types::FileDescriptorProto;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::{Service, ServiceExt};

use crate::call_gate::{CallContent, CallGate};

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

/// The contract of the services.
#[derive(Debug, Clone, Copy)]
pub struct DescriptorSets<'a> {
    /// What reflection shows; of its services only those that are registered.
    pub shown: &'a [u8],
    /// All services, also those that reflection does not show; metrics and logs name methods by it.
    pub complete: &'a [u8],
}

/// What reflection shows beside the contract: its own services, health, and the messages within a status, so that tools
/// that know nothing but reflection can print the reason of a refusal.
const SHOWN_BESIDE: [&[u8]; 4] = [
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    tonic_types::pb::FILE_DESCRIPTOR_SET,
];

/// Gathers services into a [`GrpcFront`].
#[derive(Debug, Default)]
pub struct GrpcBuilder {
    routes: Routes,
    services: Vec<&'static str>,
}

/// Whether requests should be sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serving {
    Yes,
    No,
}

impl From<bool> for Serving {
    fn from(ready: bool) -> Self {
        if ready { Self::Yes } else { Self::No }
    }
}

/// All gRPC services, health and reflection included.
#[derive(Debug, Clone)]
pub struct GrpcFront {
    routes: Routes,
    services: Arc<[&'static str]>,
    operations: Arc<HashMap<String, Arc<str>>>,
    health: HealthReporter,
    gate: Option<CallGate>,
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

    /// Adds health and reflection (v1 and v1alpha: older tools know only the latter).
    ///
    /// # Errors
    /// [`GrpcError`] if a descriptor set cannot be read.
    pub async fn build(self, contract: DescriptorSets<'_>) -> Result<GrpcFront, GrpcError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        for service in &self.services {
            health
                .set_service_status(*service, ServingStatus::Serving)
                .await;
        }
        let shown = shown_services(contract.shown, &self.services)?;
        let with_health = self.service(health_service);
        let reflection = || {
            let builder = SHOWN_BESIDE.iter().fold(
                tonic_reflection::server::Builder::configure()
                    // Both are registered by hand: each version would show itself only.
                    .include_reflection_service(false)
                    .register_encoded_file_descriptor_set(contract.shown),
                |builder, set| builder.register_encoded_file_descriptor_set(set),
            );
            (shown.iter()).fold(builder, |builder, name| builder.with_service_name(name))
        };
        let complete = with_health
            .service(reflection().build_v1()?)
            .service(reflection().build_v1alpha()?);
        let mut operations = HashMap::new();
        for set in std::iter::once(&contract.complete).chain(&SHOWN_BESIDE) {
            operations.extend(methods(set)?);
        }
        Ok(GrpcFront {
            routes: complete.routes.prepare(),
            services: complete.services.into(),
            operations: Arc::new(operations),
            health,
            gate: None,
        })
    }
}

impl GrpcFront {
    /// For telling clients whether a service is ready, by name; the empty name is the whole server.
    #[must_use]
    pub fn health(&self) -> &HealthReporter {
        &self.health
    }

    /// Says of every service whether it serves; the empty name is the whole server.
    pub(crate) async fn publish(&self, serving: Serving) {
        let status = match serving {
            Serving::Yes => ServingStatus::Serving,
            Serving::No => ServingStatus::NotServing,
        };
        for service in std::iter::once(&"").chain(&*self.services) {
            self.health.set_service_status(*service, status).await;
        }
    }

    /// The method's name, for metrics and logs; none for a method that a service does not have.
    pub(super) fn operation(&self, path: &str) -> Option<Arc<str>> {
        self.operations.get(path).cloned()
    }

    /// Has every call judged by its head before a service reads a message.
    #[must_use]
    pub(crate) fn gated(self, gate: CallGate) -> Self {
        Self {
            gate: Some(gate),
            ..self
        }
    }

    /// Ends the streams of health and reflection, once what they have to say has been sent.
    pub(super) fn end_streams(&self) {
        if let Some(gate) = &self.gate {
            gate.end_streams();
        }
    }

    /// Answers one call.
    pub(super) async fn call<B: CallContent>(&self, request: Request<B>) -> Response<Body> {
        let routes = self.routes.clone();
        match &self.gate {
            Some(gate) => gate.call(request, routes).await,
            None => routes
                .oneshot(request)
                .await
                .unwrap_or_else(|never| match never {}),
        }
    }
}

/// The names of the services that reflection lists.
fn shown_services(
    descriptor_set: &[u8],
    registered: &[&str],
) -> Result<Vec<String>, prost::DecodeError> {
    let mut shown = services(descriptor_set)?;
    shown.retain(|name| registered.contains(&name.as_str()));
    for set in SHOWN_BESIDE {
        shown.extend(services(set)?);
    }
    Ok(shown)
}

/// The full names of all services of a descriptor set.
fn services(descriptor_set: &[u8]) -> Result<Vec<String>, prost::DecodeError> {
    let set = prost_types::FileDescriptorSet::decode(descriptor_set)?;
    let of_file = |file: &FileDescriptorProto| -> Vec<String> {
        (file.service.iter())
            .map(|service| format!("{}.{}", file.package(), service.name()))
            .collect()
    };
    Ok(set.file.iter().flat_map(of_file).collect())
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

#[cfg(test)]
mod tests {
    use bucketry_contract::{DESCRIPTOR_SET, PUBLISHED_DESCRIPTOR_SET};

    use super::*;

    #[test]
    fn reflection_lists_what_is_published_and_registered() {
        let registered = [
            "bucketry.v1.TokenService",
            "bucketry.adapter.v1.AdapterService",
        ];
        let mut shown = shown_services(PUBLISHED_DESCRIPTOR_SET, &registered).unwrap();
        shown.sort();
        assert_eq!(
            shown,
            [
                "bucketry.v1.TokenService",
                "grpc.health.v1.Health",
                "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
            ]
        );
    }

    #[tokio::test]
    async fn operations_of_hidden_services_have_names_too() {
        let front = GrpcBuilder::default()
            .build(DescriptorSets {
                shown: PUBLISHED_DESCRIPTOR_SET,
                complete: DESCRIPTOR_SET,
            })
            .await
            .unwrap();
        let operation = |path| front.operation(path);
        assert_eq!(
            operation("/bucketry.adapter.v1.AdapterService/Authorize").as_deref(),
            Some("Authorize")
        );
        assert_eq!(
            operation("/grpc.health.v1.Health/Check").as_deref(),
            Some("Check")
        );
        assert_eq!(operation("/bucketry.v1.ObjectService/Nothing"), None);
    }
}
