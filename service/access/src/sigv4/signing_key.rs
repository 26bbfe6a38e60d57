//! Signing keys: derived from a secret for one day and region, and kept instead of the secret.

use std::fmt;
use std::sync::Arc;

use quick_cache::sync::Cache;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::super::mac::sha256_mac;
use super::super::seal::NONCE_LENGTH;
use super::super::secret::SecretKey;
use super::scope::CredentialScope;
use bucketry_domain::AccessKeyPk;

/// A signing key: good for one key, day, region and service. The only key material that may leave the service, and
/// only for chunk-signed bodies.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key of a scope: HMAC-SHA256 over day, region, service and terminator in turn, beginning with
    /// `AWS4` and the secret.
    #[must_use]
    pub fn derive(secret: &SecretKey, scope: &CredentialScope) -> Self {
        let mut seed = Zeroizing::new(Vec::with_capacity(4 + secret.expose().len()));
        seed.extend_from_slice(b"AWS4");
        seed.extend_from_slice(secret.expose().as_bytes());
        let date = Zeroizing::new(sha256_mac(&seed, scope.date().to_string().as_bytes()));
        let region = Zeroizing::new(sha256_mac(&*date, scope.region().as_bytes()));
        let service = Zeroizing::new(sha256_mac(&*region, CredentialScope::service().as_bytes()));
        Self(sha256_mac(
            &*service,
            CredentialScope::terminator().as_bytes(),
        ))
    }

    /// The key bytes. Named so that every place which sees them is found by one search.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// Signing keys by access key, seal, day and region: bounded, so that presigned requests of many days cannot grow it.
///
/// Holds no facts about keys: revocation and edits are seen where the facts are read, on every request. An entry never
/// goes stale: another secret, as another node gives the operator's key of the environment, is another seal.
#[derive(Debug, Clone)]
pub struct SigningKeyCache(Arc<Cache<Entry, Arc<SigningKey>>>);

type Entry = (AccessKeyPk, SealNonce, CredentialScope);

/// The nonce that a secret was sealed with: another one each time.
type SealNonce = [u8; NONCE_LENGTH];

/// The signing keys of a secret as it is sealed now.
#[derive(Debug, Clone, Copy)]
pub struct SealedSigningKeys<'a> {
    cache: &'a SigningKeyCache,
    nonce: SealNonce,
}

impl SigningKeyCache {
    /// A cache of at most `capacity` signing keys (about 200 bytes each).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Cache::new(capacity)))
    }

    /// Those of the secret that is sealed with this nonce.
    #[must_use]
    pub fn under(&self, nonce: SealNonce) -> SealedSigningKeys<'_> {
        SealedSigningKeys { cache: self, nonce }
    }
}

impl SealedSigningKeys<'_> {
    /// The signing key, derived from the secret on a miss only.
    ///
    /// # Errors
    /// What `secret` answers; a failure is not remembered.
    pub fn get_or_derive<E>(
        &self,
        key: AccessKeyPk,
        scope: &CredentialScope,
        secret: impl FnOnce() -> Result<SecretKey, E>,
    ) -> Result<Arc<SigningKey>, E> {
        let entry = (key, self.nonce, scope.clone());
        if let Some(found) = self.cache.0.get(&entry) {
            return Ok(found);
        }
        let derived = Arc::new(SigningKey::derive(&secret()?, scope));
        self.cache.0.insert(entry, Arc::clone(&derived));
        Ok(derived)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::{Duration, SystemTime};

    use aws_sigv4::sign::v4::generate_signing_key;
    use proptest::prelude::*;

    use super::super::amz_date::AmzDate;
    use super::super::scope::AcceptedRegions;
    use super::super::scope::tests::scope_claim;
    use super::*;
    use bucketry_domain::Timestamp;

    fn scope(date: AmzDate, region: &str) -> CredentialScope {
        let claim = scope_claim(&date.day().to_string(), region);
        CredentialScope::check(&claim, date, &AcceptedRegions::new(region)).unwrap()
    }

    fn secret(text: &str) -> SecretKey {
        SecretKey::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn debug_shows_nothing() {
        let date = AmzDate::parse("20130524T000000Z").unwrap();
        assert_eq!(
            format!(
                "{:?}",
                SigningKey::derive(&secret("password1"), &scope(date, "auto"))
            ),
            "SigningKey(***)"
        );
    }

    #[test]
    fn the_secret_is_asked_for_once_per_key_day_and_region() {
        let cache = SigningKeyCache::new(100);
        let (first, second) = (
            AmzDate::parse("20130524T000000Z").unwrap(),
            AmzDate::parse("20130525T000000Z").unwrap(),
        );
        let mut asked = 0;
        for (pk, scope) in [
            (1, scope(first, "auto")),
            (1, scope(first, "auto")),
            (1, scope(second, "auto")),
            (1, scope(first, "eu-1")),
            (2, scope(first, "auto")),
            (2, scope(first, "auto")),
        ] {
            let own = secret(&format!("password{pk}"));
            let key = cache
                .under([1; NONCE_LENGTH])
                .get_or_derive(AccessKeyPk(pk), &scope, || {
                    asked += 1;
                    Ok::<_, Infallible>(own.clone())
                })
                .unwrap();
            assert_eq!(key.expose(), SigningKey::derive(&own, &scope).expose());
        }
        assert_eq!(asked, 4);
    }

    #[test]
    fn a_replaced_secret_is_asked_for_again() {
        let cache = SigningKeyCache::new(100);
        let scope = scope(AmzDate::parse("20130524T000000Z").unwrap(), "auto");
        for (nonce, text) in [(1, "former-secret"), (2, "present-secret")] {
            let own = secret(text);
            let key = cache
                .under([nonce; NONCE_LENGTH])
                .get_or_derive(AccessKeyPk(1), &scope, || Ok::<_, Infallible>(own.clone()))
                .unwrap();
            assert_eq!(key.expose(), SigningKey::derive(&own, &scope).expose());
        }
    }

    #[test]
    fn a_failure_is_not_remembered() {
        let cache = SigningKeyCache::new(100);
        let scope = scope(AmzDate::parse("20130524T000000Z").unwrap(), "auto");
        assert_eq!(
            cache
                .under([1; NONCE_LENGTH])
                .get_or_derive(AccessKeyPk(1), &scope, || Err("sealed"))
                .err(),
            Some("sealed")
        );
        assert!(
            cache
                .under([1; NONCE_LENGTH])
                .get_or_derive(AccessKeyPk(1), &scope, || Ok::<_, Infallible>(secret(
                    "password1"
                )))
                .is_ok()
        );
    }

    proptest! {
        #[test]
        fn equal_to_the_official_signer(
            text in "[!-~]{8,256}",
            region in "[a-z0-9-]{1,20}",
            seconds in 0_u32..4_000_000_000,
        ) {
            let date = AmzDate::at(Timestamp::from_seconds(seconds.into())).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
            let official = generate_signing_key(&text, time, &region, "s3");
            let ours = SigningKey::derive(&secret(&text), &scope(date, &region));
            prop_assert_eq!(&ours.expose()[..], official.as_ref());
        }
    }
}
