//! The way of a request, from its head to its answer.

use std::sync::Arc;

use bucketry_contract::v1::ErrorReason;
use bucketry_edge::DecisionSignal;
use bucketry_edge::fair::Slot;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, Version, header};
use http_body::Body;
use tonic::metadata::{Ascii, MetadataValue};

use crate::answer::{Answer, AnswerBody};
use crate::authorize::{Asked, Authorized, authorize};
use crate::binding::{BodyKind, Need, ParseError, RequestView};
use crate::body::DrainedBody;
use crate::client_info::Client;
use crate::edge::Edge;
use crate::error::S3Error;
use crate::exchange::{Exchange, RequestFailure};
use crate::fault::{BUCKET_REGION, malformed_xml, of_reason};
use crate::generated::{Operation, ParsedRequest, dispatch};
use crate::head_checks::{CheckedHead, HeadToCheck, next};
use crate::headers::header_value;
use crate::hooks::HandWritten;
use crate::host::host;
use crate::intake::{EdgeBody, Expectation, Intake, decoding, max_document_bytes};
use crate::query::Query;
use crate::response::set_standard_headers;
use crate::said::{Said, said, signed_head};
use crate::target::{Addressed, Target, parse_target};
use crate::xml;
use crate::{console_cors, cors};

/// The operation that a request was, in the extensions of its answer: for metrics and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationName(pub &'static str);

/// What becomes known of a request on its way, for its answer whether it succeeds or not.
#[derive(Default)]
struct Known {
    addressed: Option<Arc<Addressed>>,
    operation: Option<Operation>,
    /// The request's slot, once its caller is authenticated.
    slot: Option<Arc<Slot>>,
}

impl Known {
    fn target(&self) -> Option<&Target> {
        self.addressed.as_ref().map(|addressed| &addressed.target)
    }
}

/// Answers one request.
pub(crate) fn handle(
    edge: Arc<Edge>,
    request: Request<EdgeBody>,
) -> impl Future<Output = Response<AnswerBody>> {
    // Before the future, which would hold the request twice if it were its argument.
    let (mut head, body) = request.into_parts();
    async move {
        let client = Client::of(&head.extensions);
        let mut known = Known::default();
        // The operation takes the headers.
        let origin = head.headers.get(header::ORIGIN).cloned();
        let consoles = &edge.settings.console_origins;
        let console = console_cors::console_of(consoles, origin.as_ref(), head.uri.query());
        let expectation = Expectation::of(&head.headers);
        let never_continues = is_never_continued(&head, &body, expectation);
        let result = answer(&edge, &mut head, body, &client, &mut known).await;
        let mut answer = match result {
            Ok(answer) => answer,
            Err(refusal) => {
                let refused = refused(&edge, &head, &client, &known, (refusal, expectation));
                Box::pin(refused).await
            }
        };
        if head.method == Method::HEAD {
            answer = answer.without_content();
        }
        if never_continues {
            let close = HeaderValue::from_static("close");
            answer.headers.insert(header::CONNECTION, close);
        }
        if let Some(console) = console {
            (answer.headers).extend(console_cors::answer_headers(console));
        } else if let (Some(target), Some(origin)) = (known.target(), origin)
            && head.method != Method::OPTIONS
        {
            let headers = cors::actual_headers(&edge, &client, target, (&head.method, &origin));
            answer.headers.extend(Box::pin(headers).await);
        }
        // Sent for every bucket, existing or not: clients find their region by an anonymous HEAD, and learn nothing else.
        if let Some(Target::Bucket { .. }) = known.target()
            && let Some(region) = header_value(&edge.settings.region)
        {
            answer.headers.entry(BUCKET_REGION).or_insert(region);
        }
        set_standard_headers(&mut answer.headers, &client.request_id, (edge.clock)());
        let mut response = Response::new(AnswerBody::new(answer.content, known.slot));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        if let Some(operation) = known.operation {
            response
                .extensions_mut()
                .insert(OperationName(operation.name()));
        }
        response
    }
}

/// Whether the client waits for `100 Continue` although it has no body, so that HTTP sends none. botocore (seen in AWS
/// CLI 2.9.19 and 1.45.11) takes the answer of such a request for that of the next one on the same connection, and waits
/// for its body: the connection must not be used again.
fn is_never_continued(head: &Parts, body: &EdgeBody, expectation: Expectation) -> bool {
    head.method == Method::PUT
        && head.version < Version::HTTP_2
        && body.is_end_stream()
        && expectation == Expectation::Continue
}

/// The pipeline: what, by whom, whether, and then the operation itself. The body is not polled before it is known
/// whether.
async fn answer(
    edge: &Arc<Edge>,
    head: &mut Parts,
    body: EdgeBody,
    client: &Client,
    known: &mut Known,
) -> Result<Answer, RequestFailure> {
    let mut intake = Intake::Untouched(body);
    match admitted(edge, head, client, known, &mut intake).await {
        Ok(Admitted::Preflight(answer)) => Ok(answer),
        Ok(Admitted::Operation(parsed, mut exchange)) => {
            exchange.intake = intake;
            operate(parsed, exchange).await
        }
        Err(error) => Err(RequestFailure::with_body(error, intake)),
    }
}

/// Reads the body, or leaves it to the operation, and operates.
async fn operate(
    mut parsed: Box<ParsedRequest>,
    mut exchange: Box<Exchange>,
) -> Result<Answer, RequestFailure> {
    if let Err(error) = read_body(&mut parsed, &mut exchange).await {
        return Err(RequestFailure::with_body(error, exchange.intake));
    }
    let objects = Arc::clone(&exchange.edge.objects);
    dispatch(parsed, &*objects, &HandWritten, exchange).await
}

/// A request that may go on.
enum Admitted {
    Preflight(Answer),
    Operation(Box<ParsedRequest>, Box<Exchange>),
}

/// Everything that is decided by the head of a request.
async fn admitted(
    edge: &Arc<Edge>,
    head: &mut Parts,
    client: &Client,
    known: &mut Known,
    intake: &mut Intake,
) -> Result<Admitted, S3Error> {
    check_size(edge, head)?;
    let host = host(head)?;
    let addressed = parse_target(host, head.uri.path(), &edge.settings.domains)?;
    let addressed = known.addressed.insert(Arc::new(addressed)).clone();
    let query = Query::parse(head.uri.query().unwrap_or_default())?;
    if head.method == Method::OPTIONS {
        let preflight = preflight(edge, head, client, &addressed.target);
        return Ok(Admitted::Preflight(Box::pin(preflight).await?));
    }

    let signed = signed_head(edge, head, client, (host, &addressed, &query));
    let Said {
        mut authentication,
        headers: changed_headers,
        addressed,
        form,
        operation,
    } = said(edge, &signed, &addressed, &mut known.operation, intake).await?;
    let headers = changed_headers.as_ref().unwrap_or(&head.headers);
    let target = &addressed.target;
    let view = RequestView {
        target,
        query: &query,
        headers,
    };
    // The caller is judged first, even if the request makes no sense.
    let parsed = ParsedRequest::parse(operation, &view).map(Box::new);
    let head_to_check = HeadToCheck {
        operation,
        parsed: parsed.as_deref().ok(),
        signed: &signed,
        headers,
        authentication: &authentication,
        form: form.as_ref(),
    };
    let checked = head_to_check.check();
    let asked = Asked {
        operation,
        parsed: parsed.as_deref().ok(),
        authentication: &mut authentication,
        target,
        headers,
        client,
        next: next(
            parsed.as_deref().ok(),
            checked.as_ref().ok(),
            form.as_ref(),
            intake,
        ),
    };
    let Authorized {
        decision,
        slot,
        carried,
    } = authorize(edge, asked).await?;
    if let Some(signal) = head.extensions.get::<DecisionSignal>() {
        signal.decided_for(slot.caller());
    }
    known.slot = Some(Arc::clone(&slot));
    let bucket = target.bucket().unwrap_or_default();
    let wishes = form.map(|form| form.admit(intake, bucket, (edge.clock)().into()));
    let wishes = wishes.transpose()?;
    let parsed = parsed?;
    let CheckedHead {
        digests,
        length,
        content_length,
        ..
    } = checked?;
    if wishes.is_none() {
        let key = &decision.chunk_signing_key;
        intake.open(decoding(&authentication, &digests, length, key)?);
    }
    let session = session(&decision.session)?;
    if session.is_none() && carried.is_empty() {
        // Without either the call would be an anonymous one.
        return Err(S3Error::internal());
    }
    let exchange = Exchange {
        edge: Arc::clone(edge),
        addressed,
        query,
        headers: changed_headers.unwrap_or_else(|| std::mem::take(&mut head.headers)),
        digests,
        content_length,
        session,
        carried,
        client: client.clone(),
        intake: Intake::Taken,
        slot,
        document: None,
        form: wishes,
    };
    Ok(Admitted::Operation(parsed, Box::new(exchange)))
}

/// Answers a preflight, by the settings of this adapter if it is one of a console, otherwise by the rules of the bucket.
async fn preflight(
    edge: &Edge,
    head: &Parts,
    client: &Client,
    target: &Target,
) -> Result<Answer, S3Error> {
    let (consoles, origin) = (
        &edge.settings.console_origins,
        head.headers.get(header::ORIGIN),
    );
    if console_cors::console_of(consoles, origin, head.uri.query()).is_some()
        && let Some(answer) = console_cors::preflight(&head.headers)?
    {
        return Ok(answer);
    }
    cors::preflight(edge, client, target, &head.headers).await
}

/// The session as metadata; a service in this process gives none.
fn session(text: &str) -> Result<Option<MetadataValue<Ascii>>, S3Error> {
    match text {
        "" => Ok(None),
        text => Ok(Some(text.parse().map_err(|_| S3Error::internal())?)),
    }
}

/// From now on the body no longer counts against the unauthenticated budget.
fn signal_decision(extensions: &http::Extensions) {
    if let Some(signal) = extensions.get::<DecisionSignal>() {
        signal.refused();
    }
}

fn check_size(edge: &Edge, head: &Parts) -> Result<(), S3Error> {
    let limits = &edge.settings.limits;
    let target = head
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    if target.len() > limits.max_target_bytes {
        return Err(of_reason(ErrorReason::InvalidUri, "The URI is too long."));
    }
    // A header line is `name: value\r\n`.
    let lines = head.headers.iter();
    let sizes = lines.map(|(name, value)| name.as_str().len() + value.len() + 4);
    let bytes = sizes.fold(target.len(), usize::saturating_add);
    if head.headers.len() > limits.max_headers || bytes > limits.max_head_bytes {
        let error = S3Error::new(
            "RequestHeaderSectionTooLarge",
            http::StatusCode::BAD_REQUEST,
            "Your request header section exceeds the maximum allowed size.",
        );
        return Err(error.with_element("MaxSizeAllowed", limits.max_head_bytes.to_string()));
    }
    Ok(())
}

/// Reads what body there is, but not content: the operation itself takes it as it comes.
async fn read_body(parsed: &mut ParsedRequest, exchange: &mut Exchange) -> Result<(), S3Error> {
    let need = match parsed.operation().body() {
        BodyKind::Content => return Ok(()),
        BodyKind::Xml { need, .. } => Some(need),
        BodyKind::None => None,
    };
    let limit = max_document_bytes(parsed.operation());
    if need.is_some() {
        exchange.reserve_document(limit).await?;
    }
    let idle = exchange.limits().body_idle;
    let document = exchange
        .intake
        .document(&exchange.digests, limit, idle)
        .await?;
    match need {
        // As in S3, a body that means nothing is read and forgotten.
        None => return Ok(()),
        Some(Need::Required) if document.is_empty() => {
            return Err(missing_body(parsed.operation()));
        }
        Some(Need::Required | Need::Optional) => {}
    }
    if !document.is_empty() {
        exchange.document = Some(xml::parse(&document, limit)?);
    }
    Ok(parsed.read_body(exchange.document.as_ref())?)
}

/// An empty body where a document is required. A completion treats it as a document without parts.
fn missing_body(operation: Operation) -> S3Error {
    if operation == Operation::CompleteMultipartUpload {
        malformed_xml()
    } else {
        ParseError::MissingBody.into()
    }
}

/// The answer of a refusal, once the client has been given the chance to read it.
async fn refused(
    edge: &Edge,
    head: &Parts,
    client: &Client,
    known: &Known,
    (refusal, expectation): (RequestFailure, Expectation),
) -> Answer {
    signal_decision(&head.extensions);
    let (error, drained) = refusal.drain(&edge.settings.limits, expectation).await;
    let error = match known.target() {
        Some(target) => error.about(target).with_resource(target.resource()),
        None => error.with_resource(head.uri.path()),
    };
    let mut answer = Answer::of_error(&error, &client.request_id);
    // HTTP/2 resets the stream by itself, and the connection lives on.
    if drained == DrainedBody::Abandoned && head.version < Version::HTTP_2 {
        answer
            .headers
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

#[cfg(test)]
mod socket_tests;
#[cfg(test)]
mod tests;
