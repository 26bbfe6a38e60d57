//! Splits a `multipart/form-data` body into its parts as it comes.
//!
//! Own code, because the crate that does this for hyper (`multer`) reads on while the consumer is slow, without a bound.
//! This one holds what it was fed and has not given yet: never more than one piece and a head of a part.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use super::part::PartHead;

/// The header lines of one part.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Why the body is no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// The framing or the head of a part is broken, or the end is missing.
    #[error("not well-formed multipart/form-data")]
    Malformed,
    /// The head of a part exceeds 8 KiB.
    #[error("head of a part of more than {MAX_HEAD_BYTES} bytes")]
    HeadTooLong,
    /// A part is in base64 or quoted-printable.
    #[error("a part has a transfer encoding")]
    TransferEncoding,
}

/// A piece of the body.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A part begins.
    Head(PartHead),
    /// Content of the part, never empty.
    Data(Bytes),
    /// The last part has ended; what follows means nothing.
    End,
}

/// Splits one body.
#[derive(Debug)]
pub struct Splitter {
    /// The boundary with the end of line that belongs to it.
    delimiter: Vec<u8>,
    pending: BytesMut,
    stage: Stage,
    passed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Preamble,
    Delimited,
    Head,
    Data,
    Ended,
}

impl Splitter {
    /// A body with that boundary.
    #[must_use]
    pub fn new(boundary: &str) -> Self {
        // The first boundary needs no line before it.
        Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            pending: BytesMut::from(&b"\r\n"[..]),
            stage: Stage::Preamble,
            passed: 0,
        }
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, data: &[u8]) {
        self.pending.extend_from_slice(data);
    }

    /// Bytes of the body that have been given out or passed over.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// The next piece; nothing if more must be fed first.
    ///
    /// # Errors
    /// Any [`MultipartError`]; the splitter must not be used afterwards.
    #[allow(
        clippy::should_implement_trait,
        reason = "nothing means more must be fed, not the end"
    )]
    pub fn next(&mut self) -> Result<Option<Piece>, MultipartError> {
        loop {
            match self.stage {
                Stage::Preamble => {
                    let Some(at) = memmem::find(&self.pending, &self.delimiter) else {
                        let kept = self.delimiter.len() - 1;
                        self.pass(self.pending.len().saturating_sub(kept));
                        return Ok(None);
                    };
                    self.pass(at + self.delimiter.len());
                    self.stage = Stage::Delimited;
                }
                Stage::Delimited => match (self.pending.first(), self.pending.get(1)) {
                    (Some(b' ' | b'\t'), _) => self.pass(1),
                    (Some(b'-'), Some(b'-')) => {
                        self.pass(2);
                        self.stage = Stage::Ended;
                    }
                    // The end of line stays: it may be the first half of the empty line that ends the head.
                    (Some(b'\r'), Some(b'\n')) => self.stage = Stage::Head,
                    (None, _) | (Some(b'-' | b'\r'), None) => return Ok(None),
                    (Some(_), _) => return Err(MultipartError::Malformed),
                },
                Stage::Head => return self.head(),
                Stage::Data => match memmem::find(&self.pending, &self.delimiter) {
                    Some(0) => {
                        self.pass(self.delimiter.len());
                        self.stage = Stage::Delimited;
                    }
                    Some(end) => return Ok(Some(self.data(end))),
                    None => {
                        // The beginning of a delimiter may be at the end.
                        let end = (self.pending.len() + 1).saturating_sub(self.delimiter.len());
                        return Ok((end > 0).then(|| self.data(end)));
                    }
                },
                Stage::Ended => {
                    self.pass(self.pending.len());
                    return Ok(Some(Piece::End));
                }
            }
        }
    }

    fn head(&mut self) -> Result<Option<Piece>, MultipartError> {
        const EMPTY_LINE: &[u8] = b"\r\n\r\n";
        let end = memmem::find(&self.pending, EMPTY_LINE);
        if end.unwrap_or(self.pending.len()) > MAX_HEAD_BYTES {
            return Err(MultipartError::HeadTooLong);
        }
        let Some(end) = end else { return Ok(None) };
        let head = PartHead::parse(self.pending.get(..end).unwrap_or_default())?;
        self.pass(end + EMPTY_LINE.len());
        self.stage = Stage::Data;
        Ok(Some(Piece::Head(head)))
    }

    fn data(&mut self, length: usize) -> Piece {
        self.passed = self.passed.saturating_add(length as u64);
        Piece::Data(self.pending.split_to(length).freeze())
    }

    fn pass(&mut self, length: usize) {
        self.passed = self.passed.saturating_add(length as u64);
        drop(self.pending.split_to(length));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Name, file name and content.
    type Part = (String, Option<String>, Vec<u8>);

    /// The parts of a body that is fed in pieces of a size.
    fn split(body: &[u8], step: usize) -> Result<Vec<Part>, MultipartError> {
        let mut splitter = Splitter::new("b0");
        let mut parts: Vec<Part> = Vec::new();
        let mut fed = body.chunks(step);
        loop {
            match splitter.next()? {
                Some(Piece::Head(head)) => parts.push((head.name, head.file_name, Vec::new())),
                Some(Piece::Data(data)) => parts.last_mut().unwrap().2.extend_from_slice(&data),
                Some(Piece::End) => return Ok(parts),
                None => match fed.next() {
                    Some(data) => splitter.feed(data),
                    None => return Err(MultipartError::Malformed),
                },
            }
        }
    }

    fn part(name: &str, content: &[u8]) -> Part {
        (name.to_owned(), None, content.to_vec())
    }

    const FORM: &[u8] = b"preamble\r\n--b0 \t\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b\r\nx-\r\n--b0\r\n\
        content-disposition: form-data; name=\"e\"\r\n\r\n\r\n--b0--\r\nepilogue --b0";

    #[test]
    fn parts_come_whole_however_they_are_fed() {
        for step in 1..FORM.len() {
            let parts = split(FORM, step).unwrap();
            assert_eq!(
                parts,
                [part("a", b"\r\n--b\r\nx-"), part("e", b"")],
                "{step}"
            );
        }
    }

    #[test]
    fn a_body_cut_anywhere_before_its_end_is_refused() {
        let end = memmem::find(FORM, b"--b0--").unwrap() + b"--b0--".len();
        for cut in 0..end {
            assert!(split(&FORM[..cut], 7).is_err(), "{cut}");
        }
        assert!(split(&FORM[..end], 7).is_ok());
    }

    #[test]
    fn broken_framing_is_refused() {
        for body in [
            &b"--b0x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b0--"[..],
            b"--b0\nContent-Disposition: form-data; name=a\n\n\n--b0--",
            b"--b0-x",
            b"--b0\r\n\r\nno head\r\n--b0--",
        ] {
            assert_eq!(split(body, 3), Err(MultipartError::Malformed));
        }
        let long = format!(
            "--b0\r\nContent-Disposition: form-data; name=a\r\nx: {}",
            "y".repeat(9000)
        );
        assert_eq!(
            split(long.as_bytes(), 100),
            Err(MultipartError::HeadTooLong)
        );
        assert_eq!(split(&[b'x'; 100], 3), Err(MultipartError::Malformed));
    }

    #[test]
    fn what_is_held_is_bounded_by_what_was_fed() {
        let mut splitter = Splitter::new("b0");
        splitter.feed(b"--b0\r\nContent-Disposition: form-data; name=a\r\n\r\n");
        assert!(matches!(splitter.next(), Ok(Some(Piece::Head(_)))));
        for _ in 0..1000 {
            splitter.feed(&[b'\r'; 1000]);
            while splitter.next().unwrap().is_some() {}
            assert!(splitter.pending.len() < splitter.delimiter.len());
        }
    }

    proptest! {
        #[test]
        fn any_content_round_trips(content in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), any::<u8>()], 0..200), step in 1_usize..64) {
            let mut body = b"--b0\r\nContent-Disposition: form-data; name=a\r\n\r\n".to_vec();
            body.extend_from_slice(&content);
            body.extend_from_slice(b"\r\n--b0--\r\n");
            prop_assume!(memmem::find(&content, b"--b0").is_none());
            prop_assert_eq!(split(&body, step).unwrap(), [part("a", &content)]);
        }

        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), step in 1_usize..64) {
            let _ = split(&body, step);
        }
    }
}
