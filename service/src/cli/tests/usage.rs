//! The command line itself: options, examples, wrong usage.

use clap::CommandFactory;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_examples_of_the_help_are_command_lines() {
    let joined = EXAMPLES.replace("\\\n", " ");
    let examples: Vec<&str> = joined
        .lines()
        .filter(|line| line.starts_with("  bucketry "))
        .collect();
    assert_eq!(examples.len(), 9);
    for example in examples {
        let parsed = Cli::try_parse_from(example.split_whitespace());
        assert!(parsed.is_ok(), "{example}: {:?}", parsed.err());
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for line in [
        &["bucketry"][..],
        &["bucketry", "bucket", "create"],
        &[
            "bucketry", "token", "create", "--bucket", "b", "--name", "n",
        ],
        &[
            "bucketry",
            "token",
            "create",
            "--bucket",
            "b",
            "--name",
            "n",
            "--permission",
            "all",
        ],
        &[
            "bucketry",
            "token",
            "create",
            "--bucket",
            "b",
            "--name",
            "n",
            "--permission",
            "read-only",
            "--expires-in",
            "3",
        ],
        &[
            "bucketry",
            "token",
            "edit",
            "--bucket",
            "b",
            "t",
            "--permission",
            "read-write",
        ],
        &["bucketry", "bucket", "list", "--output", "env"],
        &["bucketry", "serve", "--trusted-proxy", "a-host"],
        &["bucketry", "serve", "--drain-deadline", "30"],
    ] {
        assert_eq!(
            Cli::try_parse_from(line).unwrap_err().exit_code(),
            2,
            "{line:?}"
        );
    }
}

#[test]
fn a_command_has_no_option_that_it_would_ignore() {
    for line in [
        &["bucketry", "fsck", "--disk-reserve", "1"][..],
        &["bucketry", "fsck", "--keyring-file", "k"],
        &["bucketry", "doctor", "--ca-file", "ca.pem"],
        &["bucketry", "doctor", "--endpoint", "http://localhost"],
        &[
            "bucketry",
            "doctor",
            "ip",
            "--plaintext-credentials",
            "anywhere",
        ],
    ] {
        let refused = Cli::try_parse_from(line).unwrap_err();
        assert_eq!(
            refused.kind(),
            clap::error::ErrorKind::UnknownArgument,
            "{line:?}"
        );
    }
    for line in [
        &["bucketry", "fsck", "--store-timeout", "2s"][..],
        &["bucketry", "doctor", "ip", "--endpoint", "http://localhost"],
    ] {
        assert!(Cli::try_parse_from(line).is_ok(), "{line:?}");
    }
}

#[test]
fn a_refused_url_is_not_repeated() {
    for (command, url, reason) in [
        ("serve", "s3://key:hunter2@b", "credentials are given by"),
        ("fsck", "s3://b/p?x=hunter2", "credentials are given by"),
        ("serve", "s3://hunter2:hunter2", "the bucket has characters"),
    ] {
        let refused = Cli::try_parse_from(["bucketry", command, "--store", url]);
        let refused = refused.unwrap_err();
        let text = refused.to_string();
        assert!(!format!("{text} {refused:?}").contains("hunter2"), "{text}");
        let expected = "error: invalid value for '--store <URL>': ";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains(reason), "{text}");
        assert_eq!(refused.exit_code(), 2);
    }
    // Whether it is one of a database is looked at later, with a message of ours.
    for command in ["serve", "fsck", "doctor"] {
        let url = "mysql://key:hunter2@h";
        let line = ["bucketry", command, "--database-url", url];
        if let Err(refused) = Cli::try_parse_from(line) {
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }
}
