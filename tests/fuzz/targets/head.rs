//! A request's head as text: `METHOD target`, then `name: value` a line.

use bucketry_s3_adapter::query::Query;
use bucketry_s3_adapter::sigv4::{
    Authentication, RequestHead, Scheme, SigV4Claim, SignatureMode, authenticate,
};
use bucketry_s3_adapter::target::{Addressed, BaseDomains, parse_target};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// SigV4 bounds the life of a presigned request: 7 days.
const MAX_EXPIRES_SECONDS: u32 = 604_800;

/// A head that is well enough formed to come through HTTP.
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) addressed: Addressed,
}

impl Head {
    pub(super) fn parse(input: &[u8]) -> Option<Self> {
        let mut lines = input.split(|&byte| byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (method, target) = first.split_once(' ')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let name = HeaderName::from_bytes(&line[..colon]);
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        let host = headers.get("host").and_then(|host| host.to_str().ok());
        let host = host.unwrap_or_default().to_owned();
        let addressed = parse_target(&host, path, &BaseDomains::new(["localhost"])).ok()?;
        Some(Self {
            method: method.parse().ok()?,
            path: path.to_owned(),
            query: Query::parse(query).ok()?,
            host,
            headers,
            addressed,
        })
    }

    /// Reads the claim of the head and checks what must hold of any.
    pub(super) fn authenticate(&self) -> Option<Authentication> {
        let found = authenticate(&RequestHead {
            method: self.method.as_str(),
            host: &self.host,
            scheme: Scheme::Http,
            public_hosts: &[],
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            addressed: &self.addressed,
        })
        .ok()?;
        match &found {
            Authentication::SigV4(claim) => self.check(claim),
            Authentication::PresignedV2(claim) => {
                assert!(!claim.access_key_id.is_empty());
                assert!(!claim.strings_to_sign.is_empty());
            }
            _ => {}
        }
        Some(found)
    }

    fn check(&self, claim: &SigV4Claim) {
        assert!(!claim.canonical_requests.is_empty());
        // The last line but one of every canonical request.
        let signed = claim.canonical_requests[0].rsplit('\n').nth(1);
        let signed: Vec<&str> = signed.unwrap_or_default().split(';').collect();
        assert!(signed.is_sorted() && signed.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(signed.iter().all(|name| *name == name.to_ascii_lowercase()));
        assert!(signed.contains(&"host"));
        assert!(!claim.access_key_id.is_empty() && !claim.access_key_id.contains('/'));
        assert!(claim.signed_at.as_str().starts_with(&claim.scope.date));
        let presigned = match claim.mode {
            SignatureMode::Presigned { expires_seconds } => {
                assert!((1..=MAX_EXPIRES_SECONDS).contains(&expires_seconds));
                true
            }
            SignatureMode::Header => false,
        };
        for name in self.headers.keys().map(HeaderName::as_str) {
            let excepted = presigned && name == "x-amz-content-sha256";
            if name.starts_with("x-amz-") && !excepted {
                assert!(signed.contains(&name), "{name} is not signed");
            }
        }
        for canonical in &claim.canonical_requests {
            assert!(canonical.starts_with(self.method.as_str()));
            assert!(canonical.contains(&signed.join(";")));
        }
    }
}
