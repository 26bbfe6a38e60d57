//! The `Authorization` header of SigV4, and the credential, read strictly.

use super::claim::{ClaimedScope, MalformedPart, SigningTime};

/// The three components, well-formed each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Components<'a> {
    pub(super) credential: Credential<'a>,
    pub(super) signed_headers: Vec<&'a str>,
    pub(super) signature: [u8; 32],
}

/// `<access key id>/<date>/<region>/<service>/<terminator>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Credential<'a> {
    pub(super) access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
}

/// Far above any key id; it bounds what is looked up and logged.
const MAX_ACCESS_KEY_ID: usize = 128;

/// Far above what any client signs.
const MAX_SIGNED_HEADERS: usize = 100;

impl<'a> Credential<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, MalformedPart> {
        let mut parts = text.split('/');
        let mut next = || parts.next().ok_or(MalformedPart::Credential);
        let (access_key_id, date, region) = (next()?, next()?, next()?);
        let (service, terminator) = (next()?, next()?);
        if parts.next().is_some() {
            return Err(MalformedPart::Credential);
        }
        let printable = access_key_id.bytes().all(|byte| byte.is_ascii_graphic());
        if access_key_id.is_empty() || access_key_id.len() > MAX_ACCESS_KEY_ID || !printable {
            return Err(MalformedPart::AccessKeyId);
        }
        Ok(Self {
            access_key_id,
            date,
            region,
            service,
            terminator,
        })
    }

    /// The scope, once it is seen to belong to S3 and to the request's own date.
    pub(super) fn scope(&self, signed_at: &SigningTime) -> Result<ClaimedScope, MalformedPart> {
        if self.terminator != "aws4_request" {
            return Err(MalformedPart::Terminator {
                given: self.terminator.to_owned(),
            });
        }
        if self.service != "s3" {
            return Err(MalformedPart::Service {
                given: self.service.to_owned(),
            });
        }
        if self.date != signed_at.date() {
            return Err(MalformedPart::ScopeDate {
                given: self.date.to_owned(),
                expected: signed_at.date().to_owned(),
            });
        }
        Ok(ClaimedScope {
            date: self.date.to_owned(),
            region: self.region.to_owned(),
        })
    }
}

impl<'a> Components<'a> {
    /// Reads what follows `AWS4-HMAC-SHA256`: three components in any order, separated by commas.
    pub(super) fn parse(text: &'a str) -> Result<Self, MalformedPart> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for component in text.split(',') {
            let (name, value) = component
                .trim()
                .split_once('=')
                .ok_or(MalformedPart::Components)?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(MalformedPart::Components),
            };
            if slot.replace(value).is_some() {
                return Err(MalformedPart::Components);
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            return Err(MalformedPart::Components);
        };
        Ok(Self {
            credential: Credential::parse(credential)?,
            signed_headers: parse_signed_headers(signed_headers)?,
            signature: parse_signature(signature)?,
        })
    }
}

/// Sorted, lower case, no repetition: the only spelling that signers produce. Any other could make
/// two lists mean the same headers.
pub(super) fn parse_signed_headers(text: &str) -> Result<Vec<&str>, MalformedPart> {
    let names: Vec<&str> = text.split(';').collect();
    let sorted = names.is_sorted_by(|left, right| left < right);
    let well_formed = names.iter().all(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
    });
    if !sorted || !well_formed || names.len() > MAX_SIGNED_HEADERS {
        return Err(MalformedPart::SignedHeaders);
    }
    Ok(names)
}

pub(super) fn parse_signature(text: &str) -> Result<[u8; 32], MalformedPart> {
    super::hex_signature(text.as_bytes()).ok_or(MalformedPart::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIGNATURE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

    fn header(credential: &str, signed: &str, signature: &str) -> String {
        format!("Credential={credential}, SignedHeaders={signed},Signature={signature}")
    }

    #[test]
    fn reads_components_in_any_order() {
        let text = format!(
            "  Signature={SIGNATURE} ,SignedHeaders=host;x-amz-date,Credential=AK/20130524/us-east-1/s3/aws4_request"
        );
        let components = Components::parse(&text).unwrap();
        assert_eq!(components.credential.access_key_id, "AK");
        assert_eq!(components.signed_headers, ["host", "x-amz-date"]);
        assert_eq!(hex::encode(components.signature), SIGNATURE);
        let date = SigningTime::parse("20130524T000000Z").unwrap();
        let scope = components.credential.scope(&date).unwrap();
        assert_eq!(scope.to_string(), "20130524/us-east-1/s3/aws4_request");
    }

    #[test]
    fn refuses_components() {
        let good = "AK/20130524/us-east-1/s3/aws4_request";
        for text in [
            String::new(),
            header(good, "host", SIGNATURE) + ",Signature=" + SIGNATURE,
            header(good, "host", SIGNATURE) + ",Extra=1",
            header(good, "host", SIGNATURE) + ",",
            format!("Credential={good}, SignedHeaders=host"),
        ] {
            assert_eq!(
                Components::parse(&text),
                Err(MalformedPart::Components),
                "{text}"
            );
        }
        for credential in [
            "AK/20130524/us-east-1/s3",
            "A/K/20130524/us-east-1/s3/aws4_request",
            "",
        ] {
            let text = header(credential, "host", SIGNATURE);
            assert_eq!(
                Components::parse(&text),
                Err(MalformedPart::Credential),
                "{credential}"
            );
        }
        let text = header("/20130524/us-east-1/s3/aws4_request", "host", SIGNATURE);
        assert_eq!(Components::parse(&text), Err(MalformedPart::AccessKeyId));
        for signed in ["", "host;", "x-amz-date;host", "host;host", "Host"] {
            let text = header(good, signed, SIGNATURE);
            assert_eq!(
                Components::parse(&text),
                Err(MalformedPart::SignedHeaders),
                "{signed}"
            );
        }
        let upper = SIGNATURE.to_uppercase();
        for signature in [
            "",
            &SIGNATURE[1..],
            &format!("{SIGNATURE}0"),
            &upper,
            &"g".repeat(64),
            &"0".repeat(1 << 20),
        ] {
            let text = header(good, "host", signature);
            assert_eq!(Components::parse(&text), Err(MalformedPart::Signature));
        }
    }

    #[test]
    fn refuses_foreign_scopes() {
        let date = SigningTime::parse("20130524T000000Z").unwrap();
        let scope = |text: &str| Credential::parse(text).unwrap().scope(&date);
        assert!(matches!(
            scope("AK/20130525/r/s3/aws4_request"),
            Err(MalformedPart::ScopeDate { .. })
        ));
        assert!(matches!(
            scope("AK/20130524/r/ec2/aws4_request"),
            Err(MalformedPart::Service { .. })
        ));
        assert!(matches!(
            scope("AK/20130524/r/s3/aws5_request"),
            Err(MalformedPart::Terminator { .. })
        ));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = Components::parse(&text);
            let _ = SigningTime::parse(&text);
        }
    }
}
