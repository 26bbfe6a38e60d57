//! A bounded reader into a tree.

use std::str::Utf8Error;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Lifecycle filters and policies nest six deep at most; the rest is hostile.
const MAX_DEPTH: usize = 32;

/// DeleteObjects with 1,000 keys and CompleteMultipartUpload with 10,000 parts of four elements
/// each stay well below.
const MAX_ELEMENTS: usize = 200_000;

/// Namespaces and `xsi:type` are all that S3 documents use.
const MAX_ATTRIBUTES: usize = 16;

/// Why a document was refused. All of them are `MalformedXML` to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The document is longer than the caller allows.
    #[error("document of {actual} bytes is longer than {limit}")]
    TooLarge {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The document is not UTF-8 (UTF-16 is not accepted).
    #[error("not UTF-8: {0}")]
    NotUtf8(#[from] Utf8Error),
    /// Elements nest deeper than 32.
    #[error("nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More than 200,000 elements.
    #[error("more than {MAX_ELEMENTS} elements")]
    TooManyElements,
    /// More than 16 attributes on one element.
    #[error("more than {MAX_ATTRIBUTES} attributes on one element")]
    TooManyAttributes,
    /// A document type definition: never needed, and the door to entity attacks.
    #[error("document type definition")]
    DocumentType,
    /// A reference to an entity other than XML's own five.
    #[error("unknown entity {0:?}")]
    UnknownEntity(String),
    /// A character that XML cannot carry as it is (XML 1.0, 2.2). A key that has one is written as a reference.
    #[error("the control character U+{0:04X}")]
    ControlCharacter(u8),
    /// Text, or a second element, outside the root.
    #[error("content outside the root element")]
    OutsideRoot,
    /// No root element, or one that never ends.
    #[error("the document ends early")]
    UnexpectedEnd,
    /// Anything else that is not well-formed.
    #[error("not well-formed: {0}")]
    Syntax(String),
    /// The root is another element than the operation takes.
    #[error("root is {actual:?}, expected {expected:?}")]
    UnexpectedRoot {
        /// The element found.
        actual: String,
        /// The element of the operation.
        expected: &'static str,
    },
}

/// One element. Names are local names: S3 clients send documents with the namespace, without it,
/// and with prefixes, and S3 takes them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// All text and CDATA directly inside, concatenated and unescaped, white space kept.
    pub text: String,
    /// Attributes by local name, namespace declarations left out.
    pub attributes: Vec<(String, String)>,
    /// Child elements in document order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name, in order.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, white space kept (keys may end in it).
    #[must_use]
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The value of an attribute, by local name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// This element, if it has the name that the operation takes.
    ///
    /// # Errors
    /// [`XmlError::UnexpectedRoot`].
    pub fn expect_name(self, expected: &'static str) -> Result<Self, XmlError> {
        if self.name == expected {
            return Ok(self);
        }
        Err(XmlError::UnexpectedRoot {
            actual: self.name,
            expected,
        })
    }
}

/// Reads a document of at most `limit` bytes. A byte-order mark, comments and processing
/// instructions are skipped.
///
/// # Errors
/// Any [`XmlError`] but `UnexpectedRoot`.
pub fn parse(document: &[u8], limit: usize) -> Result<Element, XmlError> {
    if document.len() > limit {
        return Err(XmlError::TooLarge {
            actual: document.len(),
            limit,
        });
    }
    let text = std::str::from_utf8(document)?;
    // The crate leaves this to its callers.
    if let Some(found) = text.bytes().find(|byte| is_forbidden_control(*byte)) {
        return Err(XmlError::ControlCharacter(found));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut tree = Tree::default();
    loop {
        let event = reader
            .read_event()
            .map_err(|fault| XmlError::Syntax(fault.to_string()))?;
        match event {
            Event::Start(start) => tree.open(&start)?,
            Event::Empty(start) => {
                tree.open(&start)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(data) => tree.text(&data.xml10_content())?,
            Event::GeneralRef(reference) => tree.reference(&reference)?,
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

fn is_forbidden_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

/// The tree under construction: the open elements from the root down, and the root once closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(XmlError::OutsideRoot);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(XmlError::TooManyElements);
        }
        self.open.push(Element {
            name: start.local_name().as_ref().to_owned(),
            attributes: attributes(start)?,
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) {
        // The reader has checked that start and end tags match.
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::OutsideRoot),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlError> {
        let unknown = || XmlError::UnknownEntity(reference.to_string());
        if reference.is_char_ref() {
            let character = reference.resolve_char_ref().map_err(|_| unknown())?;
            let character = character.ok_or_else(unknown)?;
            return self.text(character.encode_utf8(&mut [0; 4]));
        }
        let text = match &**reference {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "apos" => "'",
            _ => return Err(unknown()),
        };
        self.text(text)
    }

    fn finish(self) -> Result<Element, XmlError> {
        if !self.open.is_empty() {
            return Err(XmlError::UnexpectedEnd);
        }
        self.root.ok_or(XmlError::UnexpectedEnd)
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, XmlError> {
    let mut found = Vec::new();
    // The count is ours: the crate's own duplicate check compares each attribute with all before
    // it, so it must never see many.
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|fault| XmlError::Syntax(fault.to_string()))?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        if found.len() >= MAX_ATTRIBUTES {
            return Err(XmlError::TooManyAttributes);
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|fault| XmlError::Syntax(fault.to_string()))?;
        found.push((
            attribute.key.local_name().as_ref().to_owned(),
            value.into_owned(),
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(document: &str) -> Result<Element, XmlError> {
        parse(document.as_bytes(), 1 << 20)
    }

    #[test]
    fn reads_with_bom_namespace_prefix_and_cdata() {
        let document = "\u{feff}<?xml version=\"1.0\"?><!-- c --><s3:Delete xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <s3:Object><s3:Key>a<![CDATA[<&]]>b&#x1;&amp;&#13; </s3:Key></s3:Object><Quiet/></s3:Delete>";
        let root = read(document).unwrap().expect_name("Delete").unwrap();
        let key = root
            .child("Object")
            .and_then(|object| object.child_text("Key"));
        assert_eq!(key, Some("a<&b\u{1}&\r "));
        assert_eq!(root.child_text("Quiet"), Some(""));
    }

    #[test]
    fn reads_attributes_without_namespace_declarations() {
        let root = read("<G xmlns:xsi=\"x\" xsi:type=\"Canonical&amp;User\"/>").unwrap();
        assert_eq!(root.attribute("type"), Some("Canonical&User"));
        assert_eq!(root.attributes.len(), 1);
    }

    #[test]
    fn control_characters_come_as_references_or_not_at_all() {
        for raw in ["<a>\u{0}</a>", "<a b=\"\u{1}\"/>", "<a>\u{1f}</a>"] {
            assert!(
                matches!(read(raw), Err(XmlError::ControlCharacter(_))),
                "{raw:?}"
            );
        }
        assert_eq!(read("<a>\t\n&#1;</a>").unwrap().text, "\t\n\u{1}");
    }

    #[test]
    fn refuses_document_types_and_entities() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        assert_eq!(read(bomb), Err(XmlError::DocumentType));
        assert_eq!(read("<a>&b;</a>"), Err(XmlError::UnknownEntity("b".into())));
        assert!(matches!(
            read("<a>&#0;</a>"),
            Err(XmlError::UnknownEntity(_))
        ));
        assert!(matches!(
            read("<a>&#xD800;</a>"),
            Err(XmlError::UnknownEntity(_))
        ));
        assert!(matches!(read("<a b=\"&c;\"/>"), Err(XmlError::Syntax(_))));
    }

    #[test]
    fn refuses_depth_attributes_and_size() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        assert_eq!(read(&deep), Err(XmlError::TooDeep));
        let wide: String = (0..1000).map(|number| format!(" a{number}=\"\"")).collect();
        assert_eq!(
            read(&format!("<a{wide}/>")),
            Err(XmlError::TooManyAttributes)
        );
        assert_eq!(
            parse(b"<a></a>", 6),
            Err(XmlError::TooLarge {
                actual: 7,
                limit: 6
            })
        );
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert_eq!(read(&many), Err(XmlError::TooManyElements));
    }

    #[test]
    fn refuses_what_is_not_one_document() {
        assert_eq!(read(""), Err(XmlError::UnexpectedEnd));
        assert_eq!(read("<a>"), Err(XmlError::UnexpectedEnd));
        assert_eq!(read("<a/><b/>"), Err(XmlError::OutsideRoot));
        assert_eq!(read("x<a/>"), Err(XmlError::OutsideRoot));
        assert!(matches!(read("<a></b>"), Err(XmlError::Syntax(_))));
        assert!(matches!(
            parse(b"\xff\xfe<\0a\0", 99),
            Err(XmlError::NotUtf8(_))
        ));
        let root = read("<Other/>").unwrap();
        assert!(matches!(
            root.expect_name("Delete"),
            Err(XmlError::UnexpectedRoot { .. })
        ));
    }

    proptest! {
        #[test]
        fn never_panics(document in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&document, 1000);
        }

        #[test]
        fn never_panics_on_markup(document in "[<>&;#x!/\\[\\]\"'= a-c?\\-]{0,80}") {
            let _ = parse(document.as_bytes(), 1000);
        }
    }
}
