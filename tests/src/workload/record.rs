//! What is known of an operation afterwards.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::linearizability::{Action, Value};

/// What an operation asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GetObject.
    Get,
    /// HeadObject.
    Head,
    /// PutObject.
    Put,
    /// PutObject with `If-None-Match: *` or `If-Match`.
    ConditionalPut,
    /// DeleteObject.
    Delete,
    /// CopyObject.
    Copy,
    /// CreateMultipartUpload.
    CreateUpload,
    /// UploadPart.
    UploadPart,
    /// CompleteMultipartUpload.
    CompleteUpload,
    /// ListObjectsV2.
    List,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Get,
        Self::Head,
        Self::Put,
        Self::ConditionalPut,
        Self::Delete,
        Self::Copy,
        Self::CreateUpload,
        Self::UploadPart,
        Self::CompleteUpload,
        Self::List,
    ];
}

/// How an operation was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// As S3 does, refusals of conditions and missing keys included.
    Done,
    /// With an error that says nothing about the outcome: a status of 500 or more, a broken connection, a time-out.
    Failed(String),
    /// With something that is never right: another status, or content that was not written.
    Wrong(String),
}

/// What an operation did to a key, or observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The key.
    pub key: String,
    /// What was done.
    pub action: Action,
    /// Whether it is known to have happened.
    pub certain: bool,
}

/// One operation. Times are in microseconds of the history's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was asked for.
    pub kind: Kind,
    /// When the request was made.
    pub called: u64,
    /// When the answer was complete, or the client gave up.
    pub returned: u64,
    /// The answer.
    pub answer: Answer,
    /// The node that answered, if the proxy tells.
    pub node: Option<String>,
    /// By key, at most one for each.
    pub effects: Vec<Effect>,
}

/// The clock of a history: this machine's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Default for Clock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock {
    /// Microseconds since the history began.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The values that any client ever wrote or tried to, by ETag. Empty values all have the same and are left out.
#[derive(Debug, Default)]
pub struct Registry(Mutex<HashMap<String, Value>>);

impl Registry {
    /// Adds a value, before it is sent.
    pub(super) fn add(&self, etag: &str, value: Value) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(etag.to_owned(), value);
    }

    pub(super) fn find(&self, etag: &str) -> Option<Value> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(etag)
            .copied()
    }
}
