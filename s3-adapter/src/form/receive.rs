//! Reads a form up to its file.

use std::time::Duration;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use super::content::file_content;
use super::multipart::{MultipartError, Piece, Splitter};
use super::part::boundary;
use super::policy::{Policy, SizeRange};
use super::{Fields, FormError, MAX_FIELD_BYTES, Wishes};
use crate::body::Decoding;
use crate::error::S3Error;
use crate::intake::{Intake, request_timeout};
use crate::length::data_length;
use crate::sigv4::PayloadHash;

/// Fields with their heads and boundaries: bounds also how many there are.
const MAX_PRELUDE_BYTES: u64 = 64 * 1024;

/// A form whose fields have been read, and whose file has not.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) fields: Fields,
    splitter: Splitter,
}

/// Reads the fields before the file, within `limit`. What is left of the body stays in `intake`, however this ends.
///
/// # Errors
/// A [`FormError`], a fault of the body, `RequestTimeout`.
pub(crate) async fn receive(
    intake: &mut Intake,
    headers: &HeaderMap,
    limit: Duration,
) -> Result<Form, S3Error> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let content_type = types.next().and_then(|value| value.to_str().ok());
    let boundary = content_type
        .and_then(boundary)
        .filter(|_| types.next().is_none())
        .ok_or(FormError::ContentType)?;
    intake.open(Decoding::Plain {
        declared_length: data_length(headers, &PayloadHash::Unsigned)?,
    });
    let mut form = Form {
        fields: Fields::default(),
        splitter: Splitter::new(&boundary),
    };
    // All of it together, not each piece: nobody is known yet, and who sends a byte a minute must not keep a request of
    // those that can run at once for days.
    let deadline = Instant::now() + limit;
    let mut field: Option<(String, Vec<u8>)> = None;
    let mut total = 0;
    loop {
        let piece = form.splitter.next().map_err(FormError::from)?;
        if form.splitter.passed() > MAX_PRELUDE_BYTES || total > MAX_FIELD_BYTES {
            return Err(FormError::FieldsTooLong.into());
        }
        match piece {
            Some(Piece::Data(data)) => {
                total += data.len();
                // Content stands behind a head only.
                if let Some((_, value)) = &mut field {
                    value.extend_from_slice(&data);
                }
            }
            Some(Piece::Head(head)) => {
                form.finish(field.take())?;
                total += head.name.len();
                if head.name.eq_ignore_ascii_case("file") {
                    form.put_file_name(head.file_name.as_deref().unwrap_or_default())?;
                    return Ok(form);
                }
                field = Some((head.name, Vec::new()));
            }
            Some(Piece::End) => return Err(FormError::Files { files: 0 }.into()),
            None => match timeout_at(deadline, intake.reader()?.next()).await {
                Ok(Ok(Some(data))) => form.splitter.feed(&data),
                Ok(Ok(None)) => return Err(FormError::from(MultipartError::Malformed).into()),
                Ok(Err(fault)) => return Err(fault.into()),
                Err(_) => return Err(request_timeout()),
            },
        }
    }
}

impl Form {
    fn finish(&mut self, field: Option<(String, Vec<u8>)>) -> Result<(), FormError> {
        if let Some((name, value)) = field {
            self.fields.add(&name, value)?;
        }
        Ok(())
    }

    fn put_file_name(&mut self, file_name: &str) -> Result<(), FormError> {
        self.fields
            .put_file_name(file_name)
            .map_err(|_| FormError::FieldsTooLong)
    }

    /// Judges the form by its policy, and makes the file the content of `intake`. A form without a policy is anonymous:
    /// the service has decided on that.
    ///
    /// # Errors
    /// `PolicyError` and `FieldError`.
    pub(crate) fn admit(
        self,
        intake: &mut Intake,
        bucket: &str,
        now: OffsetDateTime,
    ) -> Result<Wishes, S3Error> {
        let fields = self.fields.judged(bucket).map_err(FormError::from)?;
        let range = match self.fields.get("policy") {
            Some(policy) => {
                let policy = Policy::parse(policy).map_err(FormError::from)?;
                if self.fields.get("awsaccesskeyid").is_some() {
                    policy.check_life_of_v2(now).map_err(FormError::from)?;
                }
                policy.judge(&fields, now).map_err(FormError::from)?
            }
            None => SizeRange::ANY,
        };
        let wishes = Wishes::of(&self.fields).map_err(FormError::from)?;
        *intake = Intake::Open(file_content(intake.take()?, self.splitter, range));
        Ok(wishes)
    }
}
