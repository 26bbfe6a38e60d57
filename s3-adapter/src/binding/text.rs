//! A value of an answer, before it is written into a header or an element.

use std::borrow::Cow;

use http::HeaderValue;

use crate::dates::DateText;
use crate::headers::header_value;
use crate::xml::XmlWriter;

/// A value in S3's spelling. What is not text in the message becomes text only where it is written.
pub enum Text<'v> {
    /// Text of the message.
    Borrowed(&'v str),
    /// Text made for the answer.
    Owned(String),
    /// Text in quotes.
    Quoted(&'v str),
    /// A number.
    Number(i64),
    /// A date.
    Date(DateText),
}

impl<'v> From<&'v str> for Text<'v> {
    fn from(text: &'v str) -> Self {
        Self::Borrowed(text)
    }
}

impl<'v> Text<'v> {
    /// The value as one text.
    #[must_use]
    pub fn into_text(self) -> Cow<'v, str> {
        match self {
            Self::Borrowed(text) => Cow::Borrowed(text),
            Self::Owned(text) => Cow::Owned(text),
            Self::Quoted(text) => Cow::Owned(quoted(text)),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Date(date) => Cow::Owned(date.to_owned()),
        }
    }

    /// Writes the value into the innermost open element.
    pub fn write(&self, xml: &mut XmlWriter) {
        match self {
            Self::Borrowed(text) => xml.text(text),
            Self::Owned(text) => xml.text(text),
            Self::Quoted(text) => {
                xml.text("\"");
                xml.text(text);
                xml.text("\"");
            }
            Self::Number(number) => xml.number(*number),
            Self::Date(date) => xml.text(date),
        }
    }

    /// The value of a header; nothing if it holds control characters.
    #[must_use]
    pub fn header_value(&self) -> Option<HeaderValue> {
        match self {
            Self::Borrowed(text) => header_value(text),
            Self::Owned(text) => header_value(text),
            Self::Quoted(text) => HeaderValue::try_from(quoted(text).into_bytes()).ok(),
            Self::Number(number) => Some(HeaderValue::from(*number)),
            Self::Date(date) => header_value(date),
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    quoted.push_str(text);
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::iso8601;

    #[test]
    fn a_value_is_the_same_wherever_it_is_written() {
        for (value, expected, escaped) in [
            (Text::Borrowed("a&b"), "a&b", "a&amp;b"),
            (Text::Owned("x".to_owned()), "x", "x"),
            (Text::Quoted("e<"), "\"e<\"", "&quot;e&lt;&quot;"),
            (
                Text::Number(i64::MIN),
                "-9223372036854775808",
                "-9223372036854775808",
            ),
            (Text::Number(0), "0", "0"),
            (
                Text::Date(iso8601(0, 0)),
                "1970-01-01T00:00:00.000Z",
                "1970-01-01T00:00:00.000Z",
            ),
        ] {
            let mut xml = XmlWriter::fragment();
            value.write(&mut xml);
            assert_eq!(xml.finish(), escaped);
            assert_eq!(value.header_value().unwrap(), expected);
            assert_eq!(value.into_text(), expected);
        }
        assert!(Text::Quoted("a\r\nb").header_value().is_none());
    }
}
