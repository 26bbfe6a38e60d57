//! What is looked for: a secret in every form in which it could slip into a text.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of a secret that must not be found anywhere.
#[derive(Debug)]
pub(super) struct Needles(Vec<(String, Vec<u8>)>);

impl Needles {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// A text as it is, and what may stand for it.
    pub(super) fn text(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 16, "{name} is too short to be looked for");
        self.0.push((name.to_owned(), secret.as_bytes().to_vec()));
        self.bytes(name, secret.as_bytes());
    }

    /// Bytes in hexadecimal, in base64 and as `Debug` shows them.
    pub(super) fn bytes(&mut self, name: &str, secret: &[u8]) {
        let hex = hex::encode(secret);
        let debug = format!("{secret:?}");
        let forms = [
            STANDARD.encode(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            hex.to_ascii_uppercase(),
            hex,
            // A part of it would do: twelve bytes are no accident.
            debug
                .trim_matches(['[', ']'])
                .split(", ")
                .take(12)
                .collect::<Vec<_>>()
                .join(", "),
        ];
        for form in forms {
            self.0.push((name.to_owned(), form.into_bytes()));
        }
    }

    /// The raw bytes of a key: looked for in files.
    pub(super) fn raw(&mut self, name: &str, secret: &[u8]) {
        self.0.push((name.to_owned(), secret.to_vec()));
        self.bytes(name, secret);
    }

    /// The master keys of a keyring's text, and the keys that are derived of them (RFC 5869, one block).
    pub(super) fn keyring(&mut self, text: &str) {
        let keys = text.split('"').filter(|part| part.len() == 64);
        let keys: Vec<Vec<u8>> = keys.filter_map(|part| hex::decode(part).ok()).collect();
        assert!(!keys.is_empty(), "the keyring has keys");
        for key in keys {
            self.raw("a key of the keyring", &key);
            let extracted = mac(&[0; 32], &[&key]);
            for purpose in ["token-seal", "session-mac", "page-token-mac", "canary"] {
                let label = format!("bucketry/v1/{purpose}");
                let derived = mac(&extracted, &[label.as_bytes(), &[1]]);
                self.raw(&format!("the key for {purpose}"), &derived);
            }
        }
    }

    /// What is found of them, by name.
    pub(super) fn found_in(&self, hay: &[u8]) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(_, needle)| contains(hay, needle))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// By the first byte, then by comparison: files of some megabytes, hundreds of needles.
fn contains(hay: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(hay, needle).is_some()
}

#[test]
fn every_form_of_a_secret_is_found() {
    let mut needles = Needles::new();
    needles.text("secret", "bkty_0123456789abcdef");
    let raw = b"bkty_0123456789abcdef";
    for form in [
        "x bkty_0123456789abcdef x".to_owned(),
        hex::encode(raw),
        STANDARD.encode(raw),
        format!("{raw:?}"),
    ] {
        assert!(!needles.found_in(form.as_bytes()).is_empty(), "{form}");
    }
    assert!(needles.found_in(b"bkty_0123456789abcdeX").is_empty());
}
