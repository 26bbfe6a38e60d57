//! The S3 adapter, given the services of this process.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bucketry_s3_adapter::sigv4::Scheme;
use bucketry_s3_adapter::target::BaseDomains;
use bucketry_s3_adapter::{AnswerBody, ClientInfo, OperationName, S3Adapter};
use futures::FutureExt;
use futures::future::{BoxFuture, Map};
use http::{Request, Response};

use super::ServerUrls;
use crate::config::Config;
use crate::grpc::{LocalEdge, Server};
use crate::request::Service;
use crate::server::{
    ConnectionInfo, EffectiveAddress, Encryption, MAX_HEAD_BYTES, ObservedOperation, RequestBody,
    RequestId,
};

type Answered = Result<Response<AnswerBody>, Infallible>;

/// The adapter between this process's front and this process's services.
#[derive(Debug, Clone)]
pub struct S3Service {
    adapter: S3Adapter,
}

pub(super) fn service(
    service: &Arc<Service>,
    server: Server,
    config: &Config,
    urls: ServerUrls<'_>,
) -> S3Service {
    let public_url = urls.public_url;
    let domains = config.server.domains(public_url);
    let settings = bucketry_s3_adapter::AdapterSettings {
        domains: BaseDomains::new(domains.iter().map(|domain| domain.as_str())),
        region: config.server.region.as_str().to_owned(),
        public_url: public_url.to_string(),
        public_hosts: vec![public_url.authority().to_owned()],
        console_origins: urls.web_origins.to_vec(),
        limits: bucketry_s3_adapter::RequestLimits {
            max_head_bytes: MAX_HEAD_BYTES as usize,
            body_idle: config.server.limits.min_rate.body_idle(),
            ..bucketry_s3_adapter::RequestLimits::default()
        },
    };
    let edge = LocalEdge::new(Arc::clone(service));
    let clock = service.clock.clone();
    S3Service {
        adapter: S3Adapter::with_clock(
            Arc::new(server),
            Arc::new(edge),
            settings,
            Arc::new(move || clock.now().into()),
        ),
    }
}

impl tower::Service<Request<RequestBody>> for S3Service {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Map<BoxFuture<'static, Answered>, fn(Answered) -> Answered>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        tower::Service::<Request<RequestBody>>::poll_ready(&mut self.adapter, context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let extensions = request.extensions_mut();
        if let Some(info) = client_info(extensions) {
            extensions.insert(info);
        }
        self.adapter.call(request).map(named)
    }
}

/// Tells the front which operation was answered.
fn named(answered: Answered) -> Answered {
    answered.map(|mut response| {
        if let Some(&OperationName(name)) = response.extensions().get::<OperationName>() {
            let operation = ObservedOperation(name);
            response.extensions_mut().insert(operation);
        }
        response
    })
}

/// What the front knows of the client, in the adapter's own terms.
fn client_info(extensions: &http::Extensions) -> Option<ClientInfo> {
    let connection = extensions.get::<ConnectionInfo>()?;
    let id = extensions.get::<RequestId>()?;
    Some(ClientInfo {
        address: extensions.get::<EffectiveAddress>()?.address.ip(),
        scheme: match connection.encryption {
            Encryption::Tls => Scheme::Https,
            Encryption::Plaintext => Scheme::Http,
        },
        request_id: id.text(),
    })
}
