//! GET, HEAD and lists: what they observe is checked against what was written.

use super::client::{Client, Meaning, VALUE_HEADER};
use super::content;
use super::record::{Answer, Effect, Kind};
use crate::error::HarnessError;
use crate::http1::Response;
use crate::linearizability::{Action, Value};

impl Client {
    /// GetObject.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn get(&mut self, key: &str) -> Result<(), HarnessError> {
        self.read(Kind::Get, key)
    }

    /// HeadObject.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn head(&mut self, key: &str) -> Result<(), HarnessError> {
        self.read(Kind::Head, key)
    }

    fn read(&mut self, kind: Kind, key: &str) -> Result<(), HarnessError> {
        let method = if kind == Kind::Head { "HEAD" } else { "GET" };
        let exchange = self.exchange(self.request(method, key))?;
        let meaning = match &exchange.response {
            Ok(response) if response.status == 200 => self.observe(kind, key, response),
            Ok(response) if is_missing_key(kind, response) => {
                self.observed.remove(key);
                Meaning::certain(key, Action::Read(None))
            }
            other => Meaning::of_unexpected(other),
        };
        self.record(kind, &exchange, meaning);
        Ok(())
    }

    fn observe(&mut self, kind: Kind, key: &str, response: &Response) -> Meaning {
        let value = response
            .find(VALUE_HEADER)
            .and_then(|value| value.parse::<Value>().ok());
        let (Some(value), Some(etag)) = (value, response.find("etag")) else {
            return Meaning::wrong(format!("{key}: an object without value or ETag"));
        };
        let size = content::size(value);
        if response.find("content-length") != Some(size.to_string().as_str()) {
            return Meaning::wrong(format!("{key}: value {value:x} with another length"));
        }
        if kind == Kind::Get && response.body != content::content(value) {
            return Meaning::wrong(format!("{key}: value {value:x} with other content"));
        }
        if size > 0 {
            if self.registered(etag) != Some(value) {
                return Meaning::wrong(format!("{key}: value {value:x} with ETag {etag}"));
            }
            self.observed
                .insert(key.to_owned(), (etag.to_owned(), value));
        }
        Meaning::certain(key, Action::Read(Some(value)))
    }

    /// ListObjectsV2 of a prefix, below which `count` keys may be: `name` makes the rest of each from its number.
    ///
    /// # Errors
    /// The request could not be made.
    pub fn list(
        &mut self,
        prefix: &str,
        name: impl Fn(u64) -> String,
        count: u64,
    ) -> Result<(), HarnessError> {
        let encoded = prefix.replace('/', "%2F");
        let request = self.request("GET", &format!("?list-type=2&prefix={encoded}"));
        let exchange = self.exchange(request)?;
        let keys: Vec<String> = (0..count)
            .map(|number| format!("{prefix}{}", name(number)))
            .collect();
        let meaning = match &exchange.response {
            Ok(response) if response.status == 200 => self.listed(&keys, response),
            other => Meaning::of_unexpected(other),
        };
        self.record(Kind::List, &exchange, meaning);
        Ok(())
    }

    fn listed(&self, keys: &[String], response: &Response) -> Meaning {
        let text = response.text();
        let mut entries = Vec::new();
        for entry in text.split("<Contents>").skip(1) {
            let (Some(key), Some(etag), Some(size)) = (
                element(entry, "Key"),
                element(entry, "ETag"),
                element(entry, "Size"),
            ) else {
                return Meaning::wrong("an entry of a list without key, ETag or size");
            };
            entries.push((key.to_owned(), etag.replace("&quot;", "\""), size == "0"));
        }
        if let Some((key, ..)) = entries.iter().find(|(key, ..)| !keys.contains(key)) {
            return Meaning::wrong(format!("a list with {key}, which no one wrote"));
        }
        let mut effects = Vec::new();
        for key in keys {
            let value = match entries.iter().find(|(listed, ..)| listed == key) {
                None => None,
                // All empty values have the same ETag.
                Some((_, _, true)) => continue,
                Some((_, etag, false)) => match self.registered(etag) {
                    Some(value) => Some(value),
                    None => return Meaning::wrong(format!("a list with {key}, ETag {etag}")),
                },
            };
            effects.push(Effect {
                key: key.clone(),
                action: Action::Read(value),
                certain: true,
            });
        }
        Meaning {
            answer: Answer::Done,
            effects,
        }
    }
}

/// An answer to HEAD has no body that says what is missing.
fn is_missing_key(kind: Kind, response: &Response) -> bool {
    let code = response.element("Code");
    response.status == 404 && (kind == Kind::Head || code.as_deref() == Some("NoSuchKey"))
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(value)
}
