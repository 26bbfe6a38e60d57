//! A client: one connection, one operation after the other.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::record::{Answer, Effect, Kind, Record};
use super::{Target, content};
use crate::cluster::{NODE_HEADER, root_signer};
use crate::error::HarnessError;
use crate::http1::{Connection, Request, Response};
use crate::linearizability::{Action, Value};
use crate::sigv4::{Payload, Signer};

/// How long a client waits for a byte of an answer. The proxy gives up before.
const PATIENCE: Duration = Duration::from_secs(15);
/// The header that tells which value an object has.
pub(super) const VALUE_HEADER: &str = "x-amz-meta-value";

/// A client of the load.
#[derive(Debug)]
pub struct Client {
    number: u32,
    target: Target,
    signer: Signer,
    connection: Option<Connection>,
    values: u32,
    /// The ETags that this client last observed, by key.
    pub(super) observed: HashMap<String, (String, Value)>,
    records: Vec<Record>,
}

/// An answer with the times of its request.
pub(super) struct Exchange {
    called: u64,
    returned: u64,
    /// Why there is no answer, as text.
    pub(super) response: Result<Response, String>,
}

/// What an answer means.
pub(super) struct Meaning {
    pub(super) answer: Answer,
    pub(super) effects: Vec<Effect>,
}

impl Client {
    /// A client that has not connected. No two clients of one history have the same number.
    #[must_use]
    pub fn new(number: u32, target: Target) -> Self {
        Self {
            number,
            target,
            signer: root_signer(),
            connection: None,
            values: 0,
            observed: HashMap::new(),
            records: Vec::new(),
        }
    }

    /// All operations of the client.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// A value that no one has written.
    pub(super) fn new_value(&mut self) -> Value {
        (u64::from(self.number) << 32) | u64::from(self.new_number())
    }

    /// Tells all clients of a value that is about to be written. Empty values all have the same ETag.
    pub(super) fn register(&self, etag: &str, value: Value) {
        if content::size(value) > 0 {
            self.target.registry.add(etag, value);
        }
    }

    /// A number that this client has not used, for a key of its own.
    pub(super) fn new_number(&mut self) -> u32 {
        self.values += 1;
        self.values
    }

    pub(super) fn registered(&self, etag: &str) -> Option<Value> {
        self.target.registry.find(etag)
    }

    /// A request on a key of the bucket, or on the bucket, with a query if there is one.
    pub(super) fn request(&self, method: &str, path_and_query: &str) -> Request {
        Request::new(method, &format!("/{}/{path_and_query}", self.target.bucket))
            .header("host", &self.target.address.to_string())
    }

    pub(super) fn bucket(&self) -> &'static str {
        self.target.bucket
    }

    /// Signs and sends the request, over a new connection if the last one broke.
    pub(super) fn exchange(&mut self, request: Request) -> Result<Exchange, HarnessError> {
        let signed = self
            .signer
            .header(request, SystemTime::now(), Payload::Signed)?;
        let called = self.target.clock.now();
        let response = self.send(&signed);
        Ok(Exchange {
            called,
            returned: self.target.clock.now(),
            response: response.map_err(|error| error.to_string()),
        })
    }

    fn send(&mut self, request: &Request) -> Result<Response, HarnessError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open_within(self.target.address, PATIENCE)?,
        };
        let response = connection.exchange(request)?;
        let closes = response
            .find("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !closes {
            self.connection = Some(connection);
        }
        Ok(response)
    }

    pub(super) fn record(&mut self, kind: Kind, exchange: &Exchange, meaning: Meaning) {
        self.records.push(Record {
            kind,
            called: exchange.called,
            returned: exchange.returned,
            answer: meaning.answer,
            node: exchange.node(),
            effects: meaning.effects,
        });
    }
}

impl Exchange {
    fn node(&self) -> Option<String> {
        let response = self.response.as_ref().ok()?;
        response.find(NODE_HEADER).map(str::to_owned)
    }
}

impl Meaning {
    /// Done, without an effect on a key.
    pub(super) fn done() -> Self {
        Self {
            answer: Answer::Done,
            effects: Vec::new(),
        }
    }

    pub(super) fn certain(key: &str, action: Action) -> Self {
        Self {
            answer: Answer::Done,
            effects: vec![Effect {
                key: key.to_owned(),
                action,
                certain: true,
            }],
        }
    }

    pub(super) fn wrong(text: impl Into<String>) -> Self {
        Self {
            answer: Answer::Wrong(text.into()),
            effects: Vec::new(),
        }
    }

    /// Failed or wrong, by what came.
    pub(super) fn of_unexpected(response: &Result<Response, String>) -> Self {
        let answer = match response {
            Err(error) => Answer::Failed(error.clone()),
            Ok(response) => {
                let code = response.element("Code").unwrap_or_default();
                let text = format!("{} {code}", response.status);
                // An answer of 200 that was begun before the operation ended may hold an error.
                let retryable = ["InternalError", "ServiceUnavailable", "SlowDown"];
                if response.status >= 500
                    || response.status == 200 && retryable.contains(&code.as_str())
                {
                    Answer::Failed(text)
                } else {
                    Answer::Wrong(text)
                }
            }
        };
        Self {
            answer,
            effects: Vec::new(),
        }
    }

    /// The write may have happened.
    pub(super) fn perhaps(mut self, key: &str, action: Action) -> Self {
        self.effects.push(Effect {
            key: key.to_owned(),
            action,
            certain: false,
        });
        self
    }
}

/// Whether the answer is a success and no error in the body of one.
pub(super) fn succeeded(response: &Response) -> bool {
    (200..300).contains(&response.status) && response.element("Code").is_none()
}
