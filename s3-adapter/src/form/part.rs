//! The heads of the parts of a form, and the boundary between them.

use super::multipart::MultipartError;

/// RFC 2046, 5.1.1.
const MAX_BOUNDARY_BYTES: usize = 70;

/// What the head of a part says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHead {
    /// The name of the field, as written.
    pub name: String,
    /// The name of the file, without the folders that some browsers tell.
    pub file_name: Option<String>,
}

/// The boundary of a `Content-Type: multipart/form-data`.
#[must_use]
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = parameters(content_type)?;
    let boundary = value(&parameters, "boundary")?;
    let fits = (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len());
    let is_plain = boundary
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    (kind == "multipart/form-data" && fits && is_plain && !boundary.ends_with(' '))
        .then_some(boundary)
}

impl PartHead {
    /// Reads the header lines of a part, without the empty line behind them.
    ///
    /// # Errors
    /// `Malformed`, `TransferEncoding`.
    pub fn parse(head: &[u8]) -> Result<Self, MultipartError> {
        let text = std::str::from_utf8(head).map_err(|_| MultipartError::Malformed)?;
        let mut found = None;
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(MultipartError::Malformed)?;
            if name.eq_ignore_ascii_case("content-transfer-encoding") && !is_identity(value) {
                return Err(MultipartError::TransferEncoding);
            }
            if name.eq_ignore_ascii_case("content-disposition")
                && found.replace(disposition(value)?).is_some()
            {
                return Err(MultipartError::Malformed);
            }
        }
        found.ok_or(MultipartError::Malformed)
    }
}

/// RFC 7578, 4.7: encodings other than these are not sent in forms any more.
fn is_identity(encoding: &str) -> bool {
    ["binary", "8bit", "7bit"]
        .iter()
        .any(|known| encoding.trim().eq_ignore_ascii_case(known))
}

fn disposition(text: &str) -> Result<PartHead, MultipartError> {
    let (kind, parameters) = parameters(text).ok_or(MultipartError::Malformed)?;
    let name = value(&parameters, "name").filter(|_| kind == "form-data");
    let last_segment = |path: String| match path.rfind(['/', '\\']) {
        Some(end) => path.get(end + 1..).unwrap_or_default().to_owned(),
        None => path,
    };
    Ok(PartHead {
        name: name.ok_or(MultipartError::Malformed)?,
        file_name: value(&parameters, "filename").map(last_segment),
    })
}

fn value(parameters: &[(String, String)], name: &str) -> Option<String> {
    let mut values = parameters.iter().filter(|(known, _)| known == name);
    let (_, value) = values.next()?;
    values.next().is_none().then(|| value.clone())
}

/// The parameters behind a value: names in lower case.
type Parameters = Vec<(String, String)>;

/// Reads `value; name=token; name="quoted"`. A backslash escapes a quote only: old browsers send whole Windows paths.
fn parameters(text: &str) -> Option<(String, Parameters)> {
    let (kind, mut rest) = text.split_once(';').unwrap_or((text, ""));
    let mut found = Vec::new();
    while !rest.trim().is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (token, after) = after.split_at(end);
                (token.trim_end().to_owned(), after)
            }
        };
        found.push((name.trim().to_ascii_lowercase(), value));
        let after = after.trim_start();
        rest = match after.strip_prefix(';') {
            Some(after) => after,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some((kind.trim().to_ascii_lowercase(), found))
}

/// What stands before the closing quote, and what behind it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match (character, characters.peek()) {
            ('"', _) => return Some((value, text.get(at + 1..)?)),
            ('\\', Some((_, '"'))) => {
                value.push('"');
                characters.next();
            }
            (other, _) => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(text: &str) -> Result<PartHead, MultipartError> {
        PartHead::parse(text.as_bytes())
    }

    fn part(name: &str, file_name: Option<&str>) -> Result<PartHead, MultipartError> {
        Ok(PartHead {
            name: name.to_owned(),
            file_name: file_name.map(str::to_owned),
        })
    }

    #[test]
    fn boundaries() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data;Boundary=\"a b'()+_,-./:=?\"; charset=utf-8",
                Some("a b'()+_,-./:=?"),
            ),
            (
                "multipart/form-data; charset=utf-8; boundary=abc ",
                Some("abc"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=\"a \"", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/mixed; boundary=a", None),
            ("application/x-www-form-urlencoded", None),
        ] {
            assert_eq!(
                boundary(content_type).as_deref(),
                expected,
                "{content_type}"
            );
        }
        assert_eq!(
            boundary(&format!("multipart/form-data; boundary={}", "a".repeat(70)))
                .map(|text| text.len()),
            Some(70)
        );
        assert_eq!(
            boundary(&format!("multipart/form-data; boundary={}", "a".repeat(71))),
            None
        );
    }

    #[test]
    fn names_and_file_names() {
        let disposition = |rest: &str| head(&format!("\r\nContent-Disposition: form-data; {rest}"));
        assert_eq!(disposition("name=key"), part("key", None));
        assert_eq!(
            disposition("name=\"a;b\"; filename=\"x.txt\""),
            part("a;b", Some("x.txt"))
        );
        assert_eq!(
            disposition("name=\"file\"; filename=\"a\\\"b\""),
            part("file", Some("a\"b"))
        );
        assert_eq!(
            disposition("name=file; filename=\"C:\\dir\\x.txt\""),
            part("file", Some("x.txt"))
        );
        assert_eq!(
            disposition("name=file; filename=\"../../x\""),
            part("file", Some("x"))
        );
        assert_eq!(
            disposition("name=file; filename=\"\""),
            part("file", Some(""))
        );
        assert_eq!(
            disposition("name=file; filename=\"\u{e9}\u{1f600}\""),
            part("file", Some("\u{e9}\u{1f600}"))
        );
    }

    #[test]
    fn malformed_heads_are_refused() {
        for text in [
            "",
            "\r\nContent-Type: text/plain",
            "\r\nContent-Disposition: form-data",
            "\r\nContent-Disposition: attachment; name=a",
            "\r\nContent-Disposition: form-data; name=\"a",
            "\r\nContent-Disposition: form-data; name=\"a\"b",
            "\r\nContent-Disposition: form-data; name=a; name=b",
            "\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
            "\r\nno colon",
        ] {
            assert_eq!(head(text), Err(MultipartError::Malformed), "{text}");
        }
        assert_eq!(
            PartHead::parse(b"Content-Disposition: form-data; name=\"\xff\""),
            Err(MultipartError::Malformed)
        );
        let encoded =
            "\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64";
        assert_eq!(head(encoded), Err(MultipartError::TransferEncoding));
        assert!(head(&encoded.replace("base64", "Binary")).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,80}", quoted in "[\"\\\\;= a-c]{0,40}") {
            let _ = boundary(&text);
            let _ = boundary(&format!("multipart/form-data;{quoted}"));
            let _ = head(&text);
            let _ = head(&format!("content-disposition: form-data; {quoted}"));
        }
    }
}
