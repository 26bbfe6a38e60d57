//! A writer into one buffer.

use std::borrow::Cow;

use bytes::Bytes;

/// The namespace on the root of every S3 document but `<Error>`.
pub const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The namespace of `xsi:type`, which ACL grantees carry.
pub const XSI_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

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
        let mut buffer = String::with_capacity(512);
        buffer.push_str(DECLARATION);
        Self {
            buffer,
            open: Vec::new(),
        }
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
    let mut clean_from = 0;
    for (at, character) in text.char_indices() {
        let escaped: Cow<'static, str> = match character {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\'' => "&apos;".into(),
            '\n' | '\t' => continue,
            '\u{fffe}' | '\u{ffff}' => format!("&#x{:X};", u32::from(character)).into(),
            _ if character.is_control() => format!("&#x{:X};", u32::from(character)).into(),
            _ => continue,
        };
        out.push_str(text.get(clean_from..at).unwrap_or_default());
        out.push_str(&escaped);
        clean_from = at + character.len_utf8();
    }
    out.push_str(text.get(clean_from..).unwrap_or_default());
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
