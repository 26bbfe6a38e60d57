//! A writer into one buffer.

use std::borrow::Cow;

use bytes::Bytes;

/// The namespace on the root of every S3 document but `<Error>`.
pub const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The namespace of `xsi:type`, which ACL grantees carry.
pub const XSI_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The digits of `i64::MIN`.
const MAX_NUMBER_DIGITS: usize = 19;

/// What a small document takes.
const DOCUMENT_BYTES: usize = 512;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The tags of an element without attributes, each as one text.
#[derive(Debug, Clone, Copy)]
pub struct ElementTags {
    /// `<Name>`.
    pub open: &'static str,
    /// `</Name>`.
    pub close: &'static str,
}

/// The [`ElementTags`] of a name.
macro_rules! tag {
    ($name:literal) => {
        $crate::xml::ElementTags {
            open: concat!("<", $name, ">"),
            close: concat!("</", $name, ">"),
        }
    };
}
pub(crate) use tag;

/// Writes elements in order; [`XmlWriter::close`] closes the innermost open one.
#[derive(Debug, Default)]
pub struct XmlWriter {
    buffer: String,
    open: Vec<Cow<'static, str>>,
}

impl XmlWriter {
    /// A writer that starts with the XML declaration.
    #[must_use]
    pub fn document() -> Self {
        let mut buffer = String::with_capacity(DOCUMENT_BYTES);
        buffer.push_str(DECLARATION);
        Self {
            buffer,
            open: Vec::new(),
        }
    }

    /// Makes room for a document of about this many bytes, so that it is not copied while it grows.
    pub fn reserve(&mut self, bytes: usize) {
        self.buffer.reserve(bytes);
    }

    /// A writer without the declaration: for the rest of a document whose declaration has already
    /// been sent, with keep-alive spaces after it.
    #[must_use]
    pub fn fragment() -> Self {
        Self::default()
    }

    /// Opens the root element with S3's namespace.
    pub fn open_root(&mut self, name: impl Into<Cow<'static, str>>) {
        self.open_with(name, &[("xmlns", S3_NAMESPACE)]);
    }

    /// Opens an element.
    pub fn open(&mut self, name: impl Into<Cow<'static, str>>) {
        self.open_with(name, &[]);
    }

    /// Opens an element with attributes. Names are trusted, values are escaped.
    pub fn open_with(&mut self, name: impl Into<Cow<'static, str>>, attributes: &[(&str, &str)]) {
        let name = name.into();
        self.start(&name, attributes);
        self.open.push(name);
    }

    /// Closes the innermost open element. Without one this does nothing.
    pub fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.end(&name);
        }
    }

    /// Writes `<name>text</name>`, escaped.
    pub fn text_element(&mut self, name: &str, text: &str) {
        self.start(name, &[]);
        escape_into(&mut self.buffer, text);
        self.end(name);
    }

    /// Writes an element whose content `write` writes.
    pub fn tagged(&mut self, tag: ElementTags, write: impl FnOnce(&mut Self)) {
        self.buffer.push_str(tag.open);
        write(self);
        self.buffer.push_str(tag.close);
    }

    /// Writes a number into the innermost open element.
    pub fn number(&mut self, number: i64) {
        // Digits come from the right.
        let mut digits = [0_u8; MAX_NUMBER_DIGITS];
        let mut start = digits.len();
        let mut rest = number.unsigned_abs();
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            self.buffer.push('-');
        }
        let text = std::str::from_utf8(&digits[start..]);
        self.buffer.push_str(text.unwrap_or_default());
    }

    /// Writes an element without content, as S3 does: `<name></name>`.
    pub fn empty_element(&mut self, name: &str) {
        self.text_element(name, "");
    }

    /// Writes text into the innermost open element, escaped.
    pub fn text(&mut self, text: &str) {
        escape_into(&mut self.buffer, text);
    }

    /// The number of bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing has been written, the declaration included.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Closes what is still open and hands out the document.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        while !self.open.is_empty() {
            self.close();
        }
        Bytes::from(self.buffer)
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.buffer.push('<');
        self.buffer.push_str(name);
        for (key, value) in attributes {
            self.buffer.push(' ');
            self.buffer.push_str(key);
            self.buffer.push_str("=\"");
            escape_into(&mut self.buffer, value);
            self.buffer.push('"');
        }
        self.buffer.push('>');
    }

    fn end(&mut self, name: &str) {
        self.buffer.push_str("</");
        self.buffer.push_str(name);
        self.buffer.push('>');
    }
}

/// Escapes as S3 does: markup, quotes, carriage return (which parsers would turn into a newline)
/// and every control character, which XML 1.0 forbids raw. S3 sends the latter as references all
/// the same, so that any key can be listed; strict parsers need `encoding-type=url` for them.
fn escape_into(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(begins_escaped) {
        let (clean, from) = rest.split_at(at);
        out.push_str(clean);
        let mut characters = from.chars();
        if let Some(character) = characters.next() {
            escape_character(out, character);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// Whether a character that begins with this byte may have to be escaped.
fn begins_escaped(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = match byte as u8 {
                b'\n' | b'\t' => false,
                b'&' | b'<' | b'>' | b'"' | b'\'' => true,
                0..=0x1f | 0x7f => true,
                // U+0080 to U+009F, and U+FFFE and U+FFFF, in UTF-8.
                0xc2 | 0xef => true,
                _ => false,
            };
            byte += 1;
        }
        table
    };
    TABLE[usize::from(byte)]
}

fn escape_character(out: &mut String, character: char) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&apos;"),
        '\n' | '\t' => out.push(character),
        _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
            out.push_str(&format!("&#x{:X};", u32::from(character)));
        }
        _ => out.push(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;
    use proptest::prelude::*;

    fn text(xml: XmlWriter) -> String {
        String::from_utf8(xml.finish().to_vec()).unwrap()
    }

    #[test]
    fn writes_nested_elements_and_closes_the_rest() {
        let mut xml = XmlWriter::document();
        xml.open_root("A");
        xml.open_with("B", &[("xmlns:xsi", XSI_NAMESPACE), ("xsi:type", "a\"b")]);
        xml.text_element("C", "1 < 2 & 'x'");
        xml.close();
        xml.empty_element("D");
        let expected = format!(
            "{DECLARATION}<A xmlns=\"{S3_NAMESPACE}\"><B xmlns:xsi=\"{XSI_NAMESPACE}\" xsi:type=\"a&quot;b\">\
             <C>1 &lt; 2 &amp; &apos;x&apos;</C></B><D></D></A>"
        );
        assert_eq!(text(xml), expected);
    }

    #[test]
    fn control_characters_become_references() {
        let mut xml = XmlWriter::fragment();
        xml.text_element("K", "a\u{0}\u{1}\r\n\t\u{7f}\u{85}é");
        assert_eq!(text(xml), "<K>a&#x0;&#x1;&#xD;\n\t&#x7F;&#x85;é</K>");
    }

    #[test]
    fn closing_too_often_is_harmless() {
        let mut xml = XmlWriter::fragment();
        xml.close();
        assert!(xml.is_empty());
    }

    /// The rules, one character at a time.
    fn escaped(text: &str) -> String {
        let each = |character: char| match character {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&apos;".to_owned(),
            '\n' | '\t' => character.to_string(),
            _ if character.is_control() || ['\u{fffe}', '\u{ffff}'].contains(&character) => {
                format!("&#x{:X};", u32::from(character))
            }
            _ => character.to_string(),
        };
        text.chars().map(each).collect()
    }

    #[test]
    fn every_character_of_the_first_planes_is_escaped_by_the_rules() {
        for character in (0..=0x1_ffff).filter_map(char::from_u32) {
            let around = format!("a{character}b{character}");
            let mut xml = XmlWriter::fragment();
            xml.text(&around);
            assert_eq!(text(xml), escaped(&around), "{character:?}");
        }
    }

    proptest! {
        // NUL is the one character that no XML reader takes, not even as a reference.
        #[test]
        fn what_is_written_is_read(value in "[^\u{0}]*") {
            let mut xml = XmlWriter::document();
            xml.open_root("R");
            xml.text_element("K", &value);
            let root = parse(&xml.finish(), 1 << 20).unwrap();
            prop_assert_eq!(root.child_text("K"), Some(value.as_str()));
        }
    }
}
