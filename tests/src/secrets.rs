//! What no log may show. Every server of the harness has its log read when it is stopped for good, at whatever level it
//! logged: `BUCKETRY_LOG_LEVEL=trace tests/run` looks for secrets in all that all tests make it say.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Secrets that the server makes begin with this and go on with 46 letters and digits.
const GENERATED_PREFIX: &str = "bkty_";
const GENERATED_REST: usize = 46;

/// A text shorter than this is not looked for: it may stand in a log for other reasons.
const SHORTEST: usize = 16;

/// What comes before something that must not be seen, and how many letters and digits make it that.
const MARKS: [(&str, usize, &str); 5] = [
    ("X-Amz-Signature=", 40, "the signature of a presigned URL"),
    ("Signature=", 20, "a signature"),
    ("x-amz-signature: ", 40, "a signature"),
    ("Bearer ", 20, "a bearer credential"),
    ("bearer ", 20, "a bearer credential"),
];

static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Remembers a secret that a test uses. Those that servers make are known by their form.
pub fn remember(secret: &str) {
    if secret.len() >= SHORTEST && !secret.contains(GENERATED_PREFIX) {
        KNOWN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(secret.to_owned());
    }
}

/// The first line of a log that shows a secret, and what it shows; none if there is none.
#[must_use]
pub fn find(log: &str) -> Option<String> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let place = log
        .match_indices(GENERATED_PREFIX)
        .find(|(at, prefix)| word(&log[at + prefix.len()..]) >= GENERATED_REST)
        .map(|(at, _)| (at, "a secret access key"));
    let place = place.or_else(|| {
        known
            .iter()
            .find_map(|secret| log.find(secret))
            .map(|at| (at, "a secret that the tests use"))
    });
    let place = place.or_else(|| MARKS.iter().find_map(|mark| marked(log, *mark)));
    place.map(|(at, what)| format!("{what} in the line {}", line(log, at)))
}

fn marked(
    log: &str,
    (mark, least, what): (&str, usize, &'static str),
) -> Option<(usize, &'static str)> {
    log.match_indices(mark)
        .find(|(at, mark)| word(&log[at + mark.len()..]) >= least)
        .map(|(at, _)| (at, what))
}

/// How many characters of base64, in any of its forms, a text begins with.
fn word(text: &str) -> usize {
    text.bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+/-_%.".contains(byte))
        .count()
}

fn line(log: &str, at: usize) -> &str {
    let start = log[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = log[at..].find('\n').map_or(log.len(), |end| at + end);
    &log[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_their_names_are_not() {
        let generated = format!("bkty_{}", "a1".repeat(23));
        remember("test/secret+of+a+test");
        for leak in [
            format!("x\nopened {generated}"),
            "said test/secret+of+a+test.".to_owned(),
            format!("GET /b/k?X-Amz-Signature={}", "0f".repeat(32)),
            format!(
                "AWS4-HMAC-SHA256 Credential=K, Signature={}",
                "0f".repeat(32)
            ),
            "?AWSAccessKeyId=K&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D".to_owned(),
            "authorization: Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ] {
            assert!(find(&leak).is_some(), "{leak}");
        }
        for harmless in [
            "bkty_ begins a secret",
            "the file bkty_short",
            "SignatureDoesNotMatch: Signature=***",
            "Bearer ***",
            "X-Amz-Signature=REDACTED&x",
        ] {
            assert_eq!(find(harmless), None, "{harmless}");
        }
    }

    #[test]
    fn the_line_is_told_alone() {
        let log = format!("first\nsecond bkty_{}\nthird", "z".repeat(46));
        let told = find(&log).unwrap();
        assert!(told.contains("second") && !told.contains("first") && !told.contains("third"));
    }
}
