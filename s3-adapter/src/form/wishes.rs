//! How a form wants to be answered.

use http::{HeaderValue, StatusCode, Uri};

use super::fields::{FieldError, Fields};

/// The answer to a form that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Success {
    /// Nothing but headers: 200 or 204.
    Empty(StatusCode),
    /// 201 and a document.
    Document,
    /// 303 to this URL, to which bucket, key and ETag are added.
    Redirect(String),
}

/// What a form says besides the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) success: Success,
    /// An XML document, as PutObjectTagging takes it.
    pub(crate) tagging: Option<String>,
}

impl Wishes {
    /// Reads them.
    ///
    /// # Errors
    /// `Twice` for a redirection under both of its names; `Invalid` for one that is not an http or https URL.
    pub(crate) fn of(fields: &Fields) -> Result<Self, FieldError> {
        let redirect = match (
            fields.get("success_action_redirect"),
            fields.get("redirect"),
        ) {
            (Some(_), Some(_)) => return Err(FieldError::Twice("redirect".to_owned())),
            (Some(url), None) => Some(("success_action_redirect", url)),
            (None, Some(url)) => Some(("redirect", url)),
            (None, None) => None,
        };
        let success = match (redirect, fields.get("success_action_status")) {
            (Some((name, url)), _) => Success::Redirect(checked(name, url)?),
            (None, Some("200")) => Success::Empty(StatusCode::OK),
            (None, Some("201")) => Success::Document,
            // As in S3, any other value means nothing.
            (None, Some(_) | None) => Success::Empty(StatusCode::NO_CONTENT),
        };
        Ok(Self {
            success,
            tagging: fields.get("tagging").map(str::to_owned),
        })
    }
}

/// The browser goes where this says, so that it must be an address and nothing that runs.
fn checked(name: &str, url: &str) -> Result<String, FieldError> {
    let (address, _) = url.split_once('#').unwrap_or((url, ""));
    let uri: Option<Uri> = address.parse().ok();
    let is_web = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    });
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    match is_web && is_plain {
        true => Ok(url.to_owned()),
        false => Err(FieldError::Invalid {
            name: name.to_owned(),
            value: url.to_owned(),
            problem: "must be an http or https URL.",
        }),
    }
}

/// The URL with what was stored added to its query.
pub(super) fn with_object(url: &str, bucket: &str, key: &str, etag: &str) -> Option<HeaderValue> {
    use aws_smithy_http::query::fmt_string as encode;
    let (address, fragment) = match url.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let separator = if address.contains('?') { '&' } else { '?' };
    let quoted = format!("\"{etag}\"");
    let (bucket, key, etag) = (encode(bucket), encode(key), encode(&quoted));
    let location = format!("{address}{separator}bucket={bucket}&key={key}&etag={etag}{fragment}");
    HeaderValue::try_from(location).ok()
}

impl Success {
    /// Where the browser is sent: nothing if it stays.
    pub(crate) fn location(&self, bucket: &str, key: &str, etag: &str) -> Option<HeaderValue> {
        match self {
            Self::Redirect(url) => with_object(url, bucket, key, etag),
            Self::Empty(_) | Self::Document => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(pairs: &[(&str, &str)]) -> Result<Success, FieldError> {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.add(name, value.as_bytes().to_vec()).unwrap();
        }
        Wishes::of(&fields).map(|wishes| wishes.success)
    }

    #[test]
    fn the_status_is_one_of_three() {
        for (value, expected) in [
            ("200", Success::Empty(StatusCode::OK)),
            ("201", Success::Document),
            ("204", Success::Empty(StatusCode::NO_CONTENT)),
            ("404", Success::Empty(StatusCode::NO_CONTENT)),
            ("", Success::Empty(StatusCode::NO_CONTENT)),
        ] {
            assert_eq!(success(&[("success_action_status", value)]), Ok(expected));
        }
        assert_eq!(success(&[]), Ok(Success::Empty(StatusCode::NO_CONTENT)));
    }

    #[test]
    fn redirections_are_addresses() {
        let good = "https://example.com/done?x=1#top";
        let redirect = Ok(Success::Redirect(good.to_owned()));
        let both = [
            ("success_action_redirect", good),
            ("success_action_status", "201"),
        ];
        assert_eq!(success(&both), redirect);
        assert_eq!(success(&[("redirect", good)]), redirect);
        assert!(matches!(
            success(&[("redirect", good), ("success_action_redirect", good)]),
            Err(FieldError::Twice(_))
        ));
        for bad in [
            "",
            "/done",
            "//example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.com/",
            "http://",
            "http:///path",
            "http://example.com/\r\nset-cookie: a=b",
            "http://example.com/a b",
            "http://example.com/\u{e9}",
        ] {
            let refused = success(&[("success_action_redirect", bad)]);
            assert!(
                matches!(refused, Err(FieldError::Invalid { .. })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn what_was_stored_is_added() {
        for (url, expected) in [
            (
                "http://h/p",
                "http://h/p?bucket=b&key=a%20%26%2Fc&etag=%22e%22",
            ),
            (
                "http://h?x=1#f",
                "http://h?x=1&bucket=b&key=a%20%26%2Fc&etag=%22e%22#f",
            ),
        ] {
            assert_eq!(with_object(url, "b", "a &/c", "e").unwrap(), expected);
        }
    }
}
