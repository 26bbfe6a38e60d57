//! The verifiers: the only way from a claim to an authenticated [`Caller`].
//!
//! Each takes the facts of the key that the claim names, as read now, and a way to its secret. Whether the key is still
//! usable, and from where, is not asked here: the evaluator asks it of every caller, so that no front door can forget.

use std::sync::Arc;

use bucketry_sign_in::{ProofKey, Transcript};

use super::caller::{Caller, Origin};
use super::key_facts::KeyFacts;
use super::secret::{SecretKey, SecretShape};
use super::sigv2::{CheckedV2Claim, SigV2Error};
use super::sigv4::{CheckedClaim, SealedSigningKeys, SigV4Error, SigningKey};
use bucketry_domain::AccessKeyId;

/// Why authentication failed. `S` is how the secret can fail to open: an outage, never a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticateError<C, S> {
    /// The claim is wrong.
    #[error("the claim is wrong")]
    Claim(C),
    /// The secret cannot be had: to be answered as unavailable.
    #[error("the secret key cannot be opened")]
    Secret(S),
    /// The facts given are of another key than the claim names.
    #[error("the facts are of another key than the claim")]
    OtherKey,
}

/// Why a bearer credential is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// A secret made here, with a typing or pasting fault: prefix, length and checksum do not agree.
    #[error("the secret key is mistyped: its checksum does not agree")]
    Mistyped,
    /// Another secret than the key's.
    #[error("the secret key is wrong")]
    Wrong,
}

/// A caller who signed with version 4, and the day's signing key for the chunks of the body.
#[derive(Debug, Clone)]
pub struct V4Authenticated {
    /// The caller.
    pub caller: Caller,
    /// The key that the claim was verified with.
    pub signing_key: Arc<SigningKey>,
}

/// Authenticates a SigV4 claim. `secret` is asked only when the signing key is not cached.
///
/// # Errors
/// [`AuthenticateError`] with the claim's [`SigV4Error`], or the failure to open the secret.
pub fn authenticate_v4<S>(
    claim: &CheckedClaim,
    facts: Arc<KeyFacts>,
    signing_keys: SealedSigningKeys<'_>,
    secret: impl FnOnce() -> Result<SecretKey, S>,
    origin: Origin,
) -> Result<V4Authenticated, AuthenticateError<SigV4Error, S>> {
    same_key(claim.access_key_id(), &facts)?;
    let signing_key = signing_keys
        .get_or_derive(facts.pk, claim.scope(), secret)
        .map_err(AuthenticateError::Secret)?;
    claim
        .verify(&signing_key)
        .map_err(AuthenticateError::Claim)?;
    Ok(V4Authenticated {
        caller: Caller::proven(facts, origin),
        signing_key,
    })
}

/// Authenticates a SigV2 claim.
///
/// # Errors
/// [`AuthenticateError`] with the claim's [`SigV2Error`], or the failure to open the secret.
pub fn authenticate_v2<S>(
    claim: &CheckedV2Claim,
    facts: Arc<KeyFacts>,
    secret: impl FnOnce() -> Result<SecretKey, S>,
    origin: Origin,
) -> Result<Caller, AuthenticateError<SigV2Error, S>> {
    same_key(claim.access_key_id(), &facts)?;
    let secret = secret().map_err(AuthenticateError::Secret)?;
    claim.verify(&secret).map_err(AuthenticateError::Claim)?;
    Ok(Caller::proven(facts, origin))
}

/// Authenticates the two halves of `Bearer <access key id>.<secret>`.
///
/// # Errors
/// [`AuthenticateError`] with a [`BearerError`], or the failure to open the secret.
pub fn authenticate_bearer<S>(
    access_key_id: &AccessKeyId,
    claimed_secret: &str,
    facts: Arc<KeyFacts>,
    secret: impl FnOnce() -> Result<SecretKey, S>,
    origin: Origin,
) -> Result<Caller, AuthenticateError<BearerError, S>> {
    same_key(access_key_id, &facts)?;
    let secret = secret().map_err(AuthenticateError::Secret)?;
    if secret.matches(claimed_secret) {
        return Ok(Caller::proven(facts, origin));
    }
    Err(AuthenticateError::Claim(
        match SecretShape::of(claimed_secret) {
            SecretShape::Mistyped => BearerError::Mistyped,
            SecretShape::Generated | SecretShape::Foreign => BearerError::Wrong,
        },
    ))
}

/// Authenticates the answer to a challenge. `key` is the one of the secret that belongs to `facts`.
#[must_use]
pub fn authenticate_challenge(
    transcript: &Transcript<'_>,
    signature: &[u8],
    facts: Arc<KeyFacts>,
    key: &ProofKey,
    origin: Origin,
) -> Option<Caller> {
    let same_key = transcript.access_key_id == facts.access_key_id.as_str();
    (same_key && key.verify(transcript, signature)).then(|| Caller::proven(facts, origin))
}

fn same_key<C, S>(claimed: &AccessKeyId, facts: &KeyFacts) -> Result<(), AuthenticateError<C, S>> {
    if *claimed == facts.access_key_id {
        Ok(())
    } else {
        Err(AuthenticateError::OtherKey)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::client_address::ClientAddress;
    use super::super::key_facts::tests::facts;
    use super::super::seal::NONCE_LENGTH;
    use super::super::sigv2::{V2Claim, V2Placement};
    use super::super::sigv4::scope::tests::scope_claim;
    use super::super::sigv4::{
        AcceptedRegions, SignaturePlacement, SignedContent, SigningKeyCache, V4Claim,
    };
    use super::*;
    use bucketry_catalog::model::KeyScope;
    use bucketry_domain::{AccessKeyPk, Timestamp};

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn secret() -> Result<SecretKey, Infallible> {
        Ok(SecretKey::parse(SECRET.into()).unwrap())
    }

    fn key() -> Arc<KeyFacts> {
        Arc::new(facts(KeyScope::Everything))
    }

    fn other_key() -> Arc<KeyFacts> {
        Arc::new(KeyFacts {
            pk: AccessKeyPk(8),
            access_key_id: "BKTYOTHER".parse().unwrap(),
            ..facts(KeyScope::Everything)
        })
    }

    fn origin() -> Origin {
        Origin {
            address: ClientAddress::UNKNOWN,
            request_id: "R".into(),
            operation: "GetObject".into(),
            user_agent: None,
        }
    }

    /// The presigned example of the S3 API reference.
    fn claim() -> CheckedClaim {
        let canonical = "GET\n/test.txt\nX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE\
            %2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&\
            X-Amz-SignedHeaders=host\nhost:examplebucket.s3.amazonaws.com\n\nhost\nUNSIGNED-PAYLOAD";
        let claim = V4Claim {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            scope: scope_claim("20130524", "us-east-1"),
            amz_date: "20130524T000000Z".into(),
            placement: SignaturePlacement::Query { expires: 86_400 },
            signed: SignedContent::CanonicalRequests(vec![canonical.into()]),
            signature: "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404".into(),
        };
        claim
            .check(
                &AcceptedRegions::new("us-east-1"),
                Timestamp::from_seconds(1_369_353_600),
            )
            .unwrap()
    }

    #[test]
    fn v4_gives_a_caller_and_the_chunk_key() {
        let cache = SigningKeyCache::new(10);
        let first = authenticate_v4(
            &claim(),
            key(),
            cache.under([7; NONCE_LENGTH]),
            secret,
            origin(),
        )
        .unwrap();
        assert_eq!(first.caller.key().unwrap().pk, AccessKeyPk(7));
        // The second time the secret is not needed.
        let second = authenticate_v4(
            &claim(),
            key(),
            cache.under([7; NONCE_LENGTH]),
            || Err("closed"),
            origin(),
        )
        .unwrap();
        assert_eq!(first.signing_key.expose(), second.signing_key.expose());
    }

    #[test]
    fn v4_with_another_keys_secret_or_facts_is_refused() {
        let cache = SigningKeyCache::new(10);
        let other = || Ok::<_, Infallible>(SecretKey::parse("bPxRfiCYEXAMPLEKEY".into()).unwrap());
        let refused = authenticate_v4(
            &claim(),
            key(),
            cache.under([7; NONCE_LENGTH]),
            other,
            origin(),
        );
        assert!(matches!(
            refused,
            Err(AuthenticateError::Claim(SigV4Error::SignatureDoesNotMatch(
                _
            )))
        ));
        let refused = authenticate_v4(
            &claim(),
            other_key(),
            cache.under([7; NONCE_LENGTH]),
            secret,
            origin(),
        );
        assert!(matches!(refused, Err(AuthenticateError::OtherKey)));
    }

    #[test]
    fn an_unavailable_secret_is_an_outage_not_a_refusal() {
        let cache = SigningKeyCache::new(10);
        let refused = authenticate_v4(
            &claim(),
            key(),
            cache.under([7; NONCE_LENGTH]),
            || Err("key missing"),
            origin(),
        );
        assert!(matches!(
            refused,
            Err(AuthenticateError::Secret("key missing"))
        ));
        let refused = authenticate_bearer(
            &key().access_key_id,
            SECRET,
            key(),
            || Err("key missing"),
            origin(),
        );
        assert!(matches!(
            refused,
            Err(AuthenticateError::Secret("key missing"))
        ));
    }

    #[test]
    fn v2_published_example() {
        let claim = |signature: &str| {
            let claim = V2Claim {
                access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
                placement: V2Placement::Query {
                    expires_seconds: 1_175_139_620,
                },
                signature: signature.into(),
                strings_to_sign: vec!["GET\n\n\n1175139620\n/johnsmith/photos/puppy.jpg".into()],
            };
            claim.check(Timestamp::from_seconds(1_175_139_000)).unwrap()
        };
        let right = claim("NpgCjnDzrM+WFzoENXmpNDUsSn8=");
        assert!(authenticate_v2(&right, key(), secret, origin()).is_ok());
        assert!(matches!(
            authenticate_v2(&right, other_key(), secret, origin()),
            Err(AuthenticateError::OtherKey)
        ));
        assert!(matches!(
            authenticate_v2(
                &claim("MpgCjnDzrM+WFzoENXmpNDUsSn8="),
                key(),
                secret,
                origin()
            ),
            Err(AuthenticateError::Claim(
                SigV2Error::SignatureDoesNotMatch { .. }
            ))
        ));
    }

    #[test]
    fn bearer_tells_typing_faults_from_wrong_secrets() {
        let made = SecretKey::generate().unwrap();
        let id = key().access_key_id.clone();
        let check = |claimed: &str| {
            let made = made.clone();
            authenticate_bearer(
                &id,
                claimed,
                key(),
                move || Ok::<_, Infallible>(made),
                origin(),
            )
        };
        assert!(check(made.expose()).is_ok());
        let another = SecretKey::generate().unwrap();
        for (claimed, expected) in [
            (another.expose(), BearerError::Wrong),
            (SECRET, BearerError::Wrong),
            ("", BearerError::Wrong),
            (&made.expose()[..50], BearerError::Mistyped),
            ("bkty_", BearerError::Mistyped),
        ] {
            let Err(AuthenticateError::Claim(refused)) = check(claimed) else {
                panic!("accepted");
            };
            assert_eq!(refused, expected);
        }
    }
}
