use std::borrow::Cow;

/// A value as one word of a POSIX shell: as it is if no character of it means anything there, else in single quotes.
pub(super) fn shell_quote(value: &str) -> Cow<'_, str> {
    let plain = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'_' | b'-' | b'.' | b'/' | b':' | b'@' | b'%' | b'+' | b','
            )
    };
    if !value.is_empty() && value.bytes().all(plain) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(format!("'{}'", value.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_words_stay() {
        for word in ["http://localhost:9000", "my-bucket", "BKTY0123", "bkty_aZ9"] {
            assert_eq!(shell_quote(word), word);
        }
        assert_eq!(shell_quote(""), "''");
        assert_eq!(shell_quote("it's"), r"'it'\''s'");
        assert_eq!(shell_quote("Team A"), "'Team A'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_shell_reads_back_what_was_quoted(value in "[^\\x00]{0,40}") {
            let script = format!("printf %s {}", shell_quote(&value));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(output.stdout, value.as_bytes());
        }
    }
}
