//! The file of a form as the body of an upload.

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;

use super::FormError;
use super::multipart::{MultipartError, Piece, Splitter};
use super::policy::SizeRange;
use crate::body::{BodyError, BodyReader, Decoding};
use crate::intake::{EdgeBody, edge_body};

/// What may follow the file: a button, say.
const MAX_EPILOGUE_BYTES: u64 = 20 * 1024;

/// The file as it comes. Its length is checked as it goes, so that a refused one is never whole. After a refusal it gives
/// what is left of the body, for draining.
pub(super) fn file_content(
    below: BodyReader<EdgeBody>,
    splitter: Splitter,
    range: SizeRange,
) -> BodyReader<EdgeBody> {
    let content = FileContent {
        below,
        splitter,
        range,
        size: 0,
        stage: Stage::File,
    };
    let frames = stream::unfold(content, |mut content| async move {
        let piece = content.next().await.transpose()?;
        Some((piece.map(Frame::data), content))
    });
    // A refused upload is drained even if it was read to its end.
    let frames = frames.fuse();
    let declared_length = None;
    BodyReader::new(
        edge_body(StreamBody::new(frames)),
        Decoding::Plain { declared_length },
    )
    .already_begun()
}

struct FileContent {
    below: BodyReader<EdgeBody>,
    splitter: Splitter,
    range: SizeRange,
    size: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In the file.
    File,
    /// Behind the file, with the bytes that had passed at its end.
    Behind(u64),
    /// Refused: the rest is read and means nothing.
    Refused,
}

impl FileContent {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let next = match self.stage {
            Stage::Refused => self.below.next().await,
            Stage::File | Stage::Behind(_) => self.piece().await,
        };
        if next.is_err() {
            self.stage = Stage::Refused;
        }
        next
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            match self.splitter.next().map_err(FormError::from)? {
                None => match self.below.next().await? {
                    Some(data) => self.splitter.feed(&data),
                    None => return Err(FormError::from(MultipartError::Malformed).into()),
                },
                Some(Piece::Data(data)) if self.stage == Stage::File => {
                    self.count(&data)?;
                    return Ok(Some(data));
                }
                // As in S3, fields behind the file mean nothing.
                Some(Piece::Data(_)) => {}
                Some(Piece::Head(head)) => {
                    self.end_file()?;
                    if head.name.eq_ignore_ascii_case("file") {
                        return Err(FormError::Files { files: 2 }.into());
                    }
                }
                Some(Piece::End) => {
                    self.end_file()?;
                    return self.epilogue().await;
                }
            }
            if let Stage::Behind(end) = self.stage
                && self.splitter.passed() - end > MAX_EPILOGUE_BYTES
            {
                return Err(FormError::FieldsTooLong.into());
            }
        }
    }

    fn count(&mut self, data: &Bytes) -> Result<(), FormError> {
        self.size = self.size.saturating_add(data.len() as u64);
        match self.size > self.range.max {
            true => Err(FormError::FileTooLarge {
                size: self.size,
                max: self.range.max,
            }),
            false => Ok(()),
        }
    }

    fn end_file(&mut self) -> Result<(), FormError> {
        if self.stage != Stage::File {
            return Ok(());
        }
        if self.size < self.range.min {
            return Err(FormError::FileTooSmall {
                size: self.size,
                min: self.range.min,
            });
        }
        self.stage = Stage::Behind(self.splitter.passed());
        Ok(())
    }

    /// Reads to the end of the request, so that the connection can be used again.
    async fn epilogue(&mut self) -> Result<Option<Bytes>, BodyError> {
        let mut passed = 0;
        while let Some(data) = self.below.next().await? {
            passed += data.len() as u64;
            if passed > MAX_EPILOGUE_BYTES {
                return Err(FormError::from(MultipartError::Malformed).into());
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::StreamBody;

    use super::*;
    use crate::body::DrainedBody;

    const HEAD: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";

    /// The file of a form, whose body comes in pieces of a size.
    fn content(form: &str, step: usize, range: SizeRange) -> BodyReader<EdgeBody> {
        let frames: Vec<_> = form
            .as_bytes()
            .chunks(step)
            .map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let declared_length = None;
        let body = edge_body(StreamBody::new(stream::iter(frames)));
        let below = BodyReader::new(body, Decoding::Plain { declared_length });
        let mut splitter = Splitter::new("b");
        splitter.feed(HEAD.as_bytes());
        assert!(matches!(splitter.next(), Ok(Some(Piece::Head(_)))));
        file_content(below, splitter, range)
    }

    async fn read(form: &str, range: SizeRange) -> Result<Bytes, FormError> {
        let mut found = Vec::new();
        for step in [1, 7, 1000] {
            let read = content(form, step, range).collect(1 << 20).await;
            found.push(match read {
                Ok(content) => Ok(content),
                Err(BodyError::Form(fault)) => Err(fault),
                Err(other) => panic!("{other:?}"),
            });
        }
        match found[0] {
            // How much was seen before the refusal depends on the pieces.
            Err(FormError::FileTooLarge { .. }) => {}
            _ => assert!(found.iter().all(|one| *one == found[0]), "{found:?}"),
        }
        found.remove(0)
    }

    #[tokio::test]
    async fn the_file_and_nothing_else() {
        let any = SizeRange::ANY;
        assert_eq!(read("content\r\n--b--", any).await, Ok("content".into()));
        assert_eq!(read("\r\n--b--\r\nepilogue", any).await, Ok("".into()));
        let button =
            "x\r\n--b\r\nContent-Disposition: form-data; name=submit\r\n\r\nUpload\r\n--b--\r\n";
        assert_eq!(read(button, any).await, Ok("x".into()));
    }

    #[tokio::test]
    async fn a_second_file_a_missing_end_and_a_long_rest_are_refused() {
        let any = SizeRange::ANY;
        let second = format!("x\r\n{HEAD}y\r\n--b--");
        assert_eq!(read(&second, any).await, Err(FormError::Files { files: 2 }));
        let malformed = FormError::Multipart(MultipartError::Malformed);
        assert_eq!(read("x\r\n--b", any).await, Err(malformed.clone()));
        let long = format!("x\r\n--b--{}", "y".repeat(30_000));
        assert_eq!(read(&long, any).await, Err(malformed));
        let field = "x\r\n--b\r\nContent-Disposition: form-data; name=submit\r\n\r\n";
        let long = format!("{field}{}\r\n--b--", "y".repeat(30_000));
        assert_eq!(read(&long, any).await, Err(FormError::FieldsTooLong));
    }

    #[tokio::test]
    async fn lengths_to_the_byte() {
        let range = SizeRange { min: 3, max: 5 };
        for (file, expected) in [
            ("ab", Err(FormError::FileTooSmall { size: 2, min: 3 })),
            ("abc", Ok("abc".into())),
            ("abcde", Ok("abcde".into())),
            ("abcdef", Err(FormError::FileTooLarge { size: 6, max: 5 })),
        ] {
            assert_eq!(read(&format!("{file}\r\n--b--"), range).await, expected);
        }
    }

    #[tokio::test]
    async fn after_a_refusal_the_rest_can_be_drained() {
        let range = SizeRange { min: 0, max: 5 };
        let form = format!("{}\r\n--b--", "x".repeat(1000));
        let mut reader = content(&form, 10, range);
        while let Ok(Some(_)) = reader.next().await {}
        assert_eq!(reader.drain(2000).await, DrainedBody::Complete);
        let mut whole = content("x\r\n--b--", 10, range);
        assert_eq!(whole.collect(10).await.unwrap(), "x");
        assert_eq!(whole.drain(0).await, DrainedBody::Complete);
    }
}
