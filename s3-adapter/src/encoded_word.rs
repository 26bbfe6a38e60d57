//! Encoded words (RFC 2047): how S3 writes user metadata that is not ASCII, which headers cannot carry.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest content of one word: 75 characters (RFC 2047, section 2) without `=?UTF-8?Q?` and `?=`.
const MAX_CONTENT: usize = 63;

/// The bytes of UTF-8 that fit into one word of base64.
const MAX_BASE64_BYTES: usize = MAX_CONTENT / 4 * 3;

/// Text that is ASCII as it is; any other as one or more words. As S3 does: `Q` if most characters are ASCII, else `B`.
pub(crate) fn encoded_words(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let ascii = text.chars().filter(char::is_ascii).count();
    let words = if ascii > text.chars().count() - ascii {
        words(text, MAX_CONTENT, quoted_length)
            .map(|part| format!("=?UTF-8?Q?{}?=", quoted(part)))
            .collect::<Vec<_>>()
    } else {
        words(text, MAX_BASE64_BYTES, char::len_utf8)
            .map(|part| format!("=?UTF-8?B?{}?=", STANDARD.encode(part)))
            .collect()
    };
    // Decoders drop the space between two words.
    Cow::Owned(words.join(" "))
}

/// Parts of the text that are at most `most` long by the given measure; no character is cut.
fn words(text: &str, most: usize, length: impl Fn(char) -> usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut used = 0;
        let end = rest.char_indices().find_map(|(at, character)| {
            used += length(character);
            (used > most).then_some(at)
        });
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(part)
    })
}

/// Printable ASCII that the `Q` encoding leaves as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"=?_".contains(&byte)
}

fn quoted_length(character: char) -> usize {
    match character {
        ' ' => 1,
        plain if u8::try_from(plain).is_ok_and(is_plain) => 1,
        other => 3 * other.len_utf8(),
    }
}

fn quoted(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b' ' => out.push('_'),
            plain if is_plain(plain) => out.push(char::from(plain)),
            other => out.push_str(&format!("={other:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ascii_and_words_of_clients_stay() {
        for text in ["", "plain text", "=?UTF-8?B?w6Q=?="] {
            assert_eq!(encoded_words(text), text);
        }
    }

    #[test]
    fn the_encoding_depends_on_what_most_characters_are() {
        assert_eq!(
            encoded_words("J\u{fc}rgen \u{5009}"),
            "=?UTF-8?Q?J=C3=BCrgen_=E5=80=89?="
        );
        assert_eq!(encoded_words("\u{c4}\u{d6}"), "=?UTF-8?B?w4TDlg==?=");
        assert_eq!(encoded_words("a_b=c\u{fc}"), "=?UTF-8?Q?a=5Fb=3Dc=C3=BC?=");
    }

    #[test]
    fn long_text_becomes_several_words() {
        let words = encoded_words(&"\u{5009}".repeat(50)).into_owned();
        assert_eq!(words.split(' ').count(), 4, "{words}");
    }

    /// An independent decoder.
    fn decoded(words: &str) -> String {
        let mut bytes = Vec::new();
        for word in words.split(' ') {
            let content = &word[10..word.len() - 2];
            if word.starts_with("=?UTF-8?B?") {
                bytes.extend(STANDARD.decode(content).unwrap());
                continue;
            }
            let spaced = content
                .replace('_', " ")
                .replace('%', "%25")
                .replace('=', "%");
            bytes.extend(percent_encoding::percent_decode_str(&spaced));
        }
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn words_are_short_ascii_and_mean_the_same(text in "\\PC{0,80}") {
            let words = encoded_words(&text);
            prop_assert!(words.is_ascii());
            if !text.is_ascii() {
                prop_assert!(words.split(' ').all(|word| word.len() <= 75));
                prop_assert_eq!(decoded(&words), text);
            }
        }
    }
}
