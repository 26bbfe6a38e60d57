//! Puts, deletes, copies and uploads.

use super::client::{Client, Meaning, VALUE_HEADER, succeeded};
use super::content;
use super::record::Kind;
use crate::error::HarnessError;
use crate::http1::{Request, Response};
use crate::linearizability::{Action, Guard, Value};

/// One upload in so many has two parts.
const UPLOADS_IN_ONE_PART: u64 = 12;

impl Client {
    /// PutObject of a new value.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn put(&mut self, key: &str) -> Result<(), HarnessError> {
        self.put_value(key, Guard::Always, None).map(drop)
    }

    /// PutObject with `If-None-Match: *`.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn put_if_absent(&mut self, key: &str) -> Result<(), HarnessError> {
        let condition = Some(("if-none-match", "*".to_owned()));
        self.put_value(key, Guard::IfAbsent, condition).map(drop)
    }

    /// PutObject with `If-Match` of what this client last observed; without a condition if it has observed nothing.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn put_if_match(&mut self, key: &str) -> Result<(), HarnessError> {
        match self.observed.get(key).cloned() {
            Some((etag, value)) => self
                .put_value(key, Guard::IfValue(value), Some(("if-match", etag)))
                .map(drop),
            None => self.put(key),
        }
    }

    /// The value, if it is known to have been put.
    fn put_value(
        &mut self,
        key: &str,
        guard: Guard,
        condition: Option<(&str, String)>,
    ) -> Result<Option<Value>, HarnessError> {
        let value = self.new_value();
        let content = content::content(value);
        let etag = content::etag(&content);
        self.register(&etag, value);
        let mut request =
            with_body(self.request("PUT", key), content).header(VALUE_HEADER, &value.to_string());
        if let Some((name, condition)) = condition {
            request = request.header(name, &condition);
        }
        let exchange = self.exchange(request)?;
        let action = Action::Write {
            value: Some(value),
            guard,
        };
        let meaning = match &exchange.response {
            Ok(response) if succeeded(response) && response.find("etag") == Some(&etag) => {
                Meaning::certain(key, action)
            }
            Ok(response) => match refusal(response, guard) {
                Some(Refusal::Observed(action)) => Meaning::certain(key, action),
                Some(Refusal::Conflict) => Meaning::done(),
                None => Meaning::of_unexpected(&exchange.response).perhaps(key, action),
            },
            Err(_) => Meaning::of_unexpected(&exchange.response).perhaps(key, action),
        };
        let put = meaning
            .effects
            .iter()
            .any(|effect| effect.certain && effect.action == action);
        if put {
            self.wrote(key, etag, value);
        }
        let kind = match guard {
            Guard::Always => Kind::Put,
            Guard::IfAbsent | Guard::IfValue(_) => Kind::ConditionalPut,
        };
        self.record(kind, &exchange, meaning);
        Ok(put.then_some(value))
    }

    fn wrote(&mut self, key: &str, etag: String, value: Value) {
        if content::size(value) > 0 {
            self.observed.insert(key.to_owned(), (etag, value));
        } else {
            self.observed.remove(key);
        }
    }

    /// DeleteObject.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn delete(&mut self, key: &str) -> Result<(), HarnessError> {
        let action = Action::Write {
            value: None,
            guard: Guard::Always,
        };
        self.observed.remove(key);
        let request = self.request("DELETE", key).header("content-length", "0");
        self.write(Kind::Delete, key, action, request)
    }

    /// PutObject of a new value under a key of its own, CopyObject from there, and in every second case DeleteObject
    /// of the source.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn copy(&mut self, key: &str) -> Result<(), HarnessError> {
        let number = self.new_number();
        let source = format!("sources/{}-{number}", self.number());
        let Some(value) = self.put_value(&source, Guard::Always, None)? else {
            return Ok(());
        };
        let action = Action::Write {
            value: Some(value),
            guard: Guard::Always,
        };
        let from = format!("/{}/{source}", self.bucket());
        let request = self
            .request("PUT", key)
            .header("content-length", "0")
            .header("x-amz-copy-source", &from);
        self.write(Kind::Copy, key, action, request)?;
        if number.is_multiple_of(2) {
            self.delete(&source)?;
        }
        Ok(())
    }

    /// CreateMultipartUpload, UploadPart and CompleteMultipartUpload of a new value: in most cases in one part, in some
    /// in two.
    ///
    /// # Errors
    /// A request could not be made.
    pub fn upload(&mut self, key: &str) -> Result<(), HarnessError> {
        let mut value = self.new_value();
        if value.is_multiple_of(UPLOADS_IN_ONE_PART) {
            value = content::in_two_parts(value);
        }
        let content = content::content(value);
        let parts = content::parts(&content);
        self.register(&content::etag_of_upload(&parts), value);
        let create = self
            .request("POST", &format!("{key}?uploads="))
            .header("content-length", "0")
            .header(VALUE_HEADER, &value.to_string());
        let created = self.step(Kind::CreateUpload, create)?;
        let Some(upload) = created.and_then(|response| response.element("UploadId")) else {
            return Ok(());
        };
        let mut list = String::from("<CompleteMultipartUpload>");
        for (part, number) in parts.iter().zip(1..) {
            let target = format!("{key}?partNumber={number}&uploadId={upload}");
            let request = with_body(self.request("PUT", &target), part.to_vec());
            if self.step(Kind::UploadPart, request)?.is_none() {
                return Ok(());
            }
            let etag = content::etag(part);
            list.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            ));
        }
        list.push_str("</CompleteMultipartUpload>");
        let complete = with_body(
            self.request("POST", &format!("{key}?uploadId={upload}")),
            list.into_bytes(),
        );
        let action = Action::Write {
            value: Some(value),
            guard: Guard::Always,
        };
        self.write(Kind::CompleteUpload, key, action, complete)
    }

    /// An unconditional write of a key.
    fn write(
        &mut self,
        kind: Kind,
        key: &str,
        action: Action,
        request: Request,
    ) -> Result<(), HarnessError> {
        let exchange = self.exchange(request)?;
        let meaning = match &exchange.response {
            Ok(response) if succeeded(response) => Meaning::certain(key, action),
            other => Meaning::of_unexpected(other).perhaps(key, action),
        };
        self.record(kind, &exchange, meaning);
        Ok(())
    }

    /// A request that changes no key; the answer if it succeeded.
    fn step(&mut self, kind: Kind, request: Request) -> Result<Option<Response>, HarnessError> {
        let exchange = self.exchange(request)?;
        match &exchange.response {
            Ok(response) if succeeded(response) => {
                let response = response.clone();
                self.record(kind, &exchange, Meaning::done());
                Ok(Some(response))
            }
            other => {
                let meaning = Meaning::of_unexpected(other);
                self.record(kind, &exchange, meaning);
                Ok(None)
            }
        }
    }
}

/// How a conditional write was refused.
enum Refusal {
    /// By what the key had.
    Observed(Action),
    /// Another conditional write was at it: S3 leaves it to the client to try again.
    Conflict,
}

fn refusal(response: &Response, guard: Guard) -> Option<Refusal> {
    match (response.status, guard) {
        (412, Guard::IfAbsent | Guard::IfValue(_)) => {
            Some(Refusal::Observed(Action::Refused(guard)))
        }
        (404, Guard::IfValue(_)) => Some(Refusal::Observed(Action::Read(None))),
        (409, Guard::IfAbsent | Guard::IfValue(_)) => Some(Refusal::Conflict),
        _ => None,
    }
}

fn with_body(request: Request, body: Vec<u8>) -> Request {
    request
        .header("content-length", &body.len().to_string())
        .body(body)
}
