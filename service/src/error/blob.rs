use super::Error;
use crate::blobs::BlobError;
use crate::telemetry::metrics::count_refusal;

/// Whether the process, or the system, has no file descriptor left.
fn is_want_of_descriptors(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    code.is_some_and(|code| code == Errno::MFILE || code == Errno::NFILE)
}

/// What a blob's failure is to the caller.
pub(crate) fn blob_error(error: BlobError) -> Error {
    match error {
        BlobError::File { ref source, .. } if is_want_of_descriptors(source) => {
            count_refusal("descriptors");
            Error::NoDescriptor
        }
        BlobError::NoSpace { .. } => Error::InsufficientStorage(Box::new(error)),
        BlobError::Corrupt { .. } | BlobError::NotFound { .. } | BlobError::NotAFile { .. } => {
            Error::DataCorrupt(Box::new(error))
        }
        BlobError::TooLong { limit, .. } => Error::EntityTooLarge {
            size: limit.saturating_add(1),
            most: limit,
        },
        BlobError::LengthMismatch {
            expected, actual, ..
        } => Error::IncompleteBody { expected, actual },
        BlobError::Exists { .. }
        | BlobError::Range(_)
        | BlobError::WriterFailed { .. }
        | BlobError::Interrupted { .. }
        | BlobError::Overdue { .. }
        | BlobError::File { .. }
        | BlobError::Store { .. } => Error::Unavailable(Box::new(error)),
    }
}
