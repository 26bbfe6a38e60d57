//! The values of `x-amz-content-sha256`.

use super::claim::SignatureError;

/// How the body is covered by the signature, and how it is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadHash {
    /// The SHA-256 of the body.
    Hex([u8; 32]),
    /// `UNSIGNED-PAYLOAD`, or nothing said (anonymous and presigned requests).
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: aws-chunked, every chunk signed.
    StreamingSigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: the same with a signed trailer.
    StreamingSignedTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: aws-chunked with a trailer, nothing in it signed. The
    /// head of the request is signed all the same.
    StreamingUnsignedTrailer,
}

impl PayloadHash {
    /// Reads a value.
    ///
    /// # Errors
    /// `UnsupportedAlgorithm` for the SigV4A forms, `InvalidContentSha256` for anything unknown.
    pub fn parse(value: &str) -> Result<Self, SignatureError> {
        match value {
            "UNSIGNED-PAYLOAD" => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::StreamingSigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::StreamingSignedTrailer),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::StreamingUnsignedTrailer),
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
            | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                Err(SignatureError::UnsupportedAlgorithm(value.to_owned()))
            }
            _ => {
                let mut hash = [0; 32];
                hex::decode_to_slice(value, &mut hash)
                    .map_err(|_| SignatureError::InvalidContentSha256(value.to_owned()))?;
                Ok(Self::Hex(hash))
            }
        }
    }

    /// Whether the body is framed as aws-chunked.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        match self {
            Self::Hex(_) | Self::Unsigned => false,
            Self::StreamingSigned
            | Self::StreamingSignedTrailer
            | Self::StreamingUnsignedTrailer => true,
        }
    }

    /// Whether a trailer follows the last chunk.
    #[must_use]
    pub fn has_trailer(&self) -> bool {
        match self {
            Self::Hex(_) | Self::Unsigned | Self::StreamingSigned => false,
            Self::StreamingSignedTrailer | Self::StreamingUnsignedTrailer => true,
        }
    }

    /// Whether every chunk is signed, so that the day's derived key is needed.
    #[must_use]
    pub fn has_signed_chunks(&self) -> bool {
        match self {
            Self::Hex(_) | Self::Unsigned | Self::StreamingUnsignedTrailer => false,
            Self::StreamingSigned | Self::StreamingSignedTrailer => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_mode() {
        assert_eq!(
            PayloadHash::parse(&"aB".repeat(32)),
            Ok(PayloadHash::Hex([0xab; 32]))
        );
        assert_eq!(
            PayloadHash::parse("UNSIGNED-PAYLOAD"),
            Ok(PayloadHash::Unsigned)
        );
        for (value, signed, trailer) in [
            ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true, false),
            ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true, true),
            ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", false, true),
        ] {
            let payload = PayloadHash::parse(value).unwrap();
            assert!(payload.is_streaming());
            assert_eq!(
                (payload.has_signed_chunks(), payload.has_trailer()),
                (signed, trailer)
            );
        }
    }

    #[test]
    fn refuses_the_rest() {
        let asymmetric = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD";
        assert!(matches!(
            PayloadHash::parse(asymmetric),
            Err(SignatureError::UnsupportedAlgorithm(_))
        ));
        for value in [
            "",
            "unsigned-payload",
            "ab",
            "UNSIGNED-PAYLOAD-TRAILER",
            &"0".repeat(63),
            &"g".repeat(64),
        ] {
            assert!(matches!(
                PayloadHash::parse(value),
                Err(SignatureError::InvalidContentSha256(_))
            ));
        }
    }
}
