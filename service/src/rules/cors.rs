//! Cross-origin rules: validation and matching, as S3 does it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>

use crate::domain::CorsRule;

const MAX_RULES: usize = 100;

/// The most bytes of a configuration, measured as S3 measures it: as the shortest XML document that says the same.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// The most header names that one preflight may ask for. The cost of a preflight is at most the product of this and of
/// the patterns that fit into a configuration.
pub(crate) const MAX_REQUEST_HEADERS: usize = 100;

const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

/// Why a CORS configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CorsError {
    /// No rule, or more than 100.
    #[error("a CORS configuration has 1 to {MAX_RULES} rules, not {count}")]
    RuleCount {
        /// Rules sent.
        count: usize,
    },
    /// More than 64 KiB.
    #[error(
        "the CORS configuration has {bytes} bytes as an XML document; {MAX_DOCUMENT_BYTES} are allowed"
    )]
    Size {
        /// The bytes of the document.
        bytes: usize,
    },
    /// A rule without origins or without methods.
    #[error("CORS rule {rule} needs at least one AllowedOrigin and one AllowedMethod")]
    Empty {
        /// The rule, from 1.
        rule: usize,
    },
    /// A method that CORS rules may not name.
    #[error("Found unsupported HTTP method in CORS config. Unsupported method is {method}")]
    Method {
        /// The rule, from 1.
        rule: usize,
        /// The method.
        method: String,
    },
    /// More than one `*`.
    #[error("{element} \"{pattern}\" can not have more than one wildcard.")]
    Wildcard {
        /// The rule, from 1.
        rule: usize,
        /// The S3 element that holds it.
        element: &'static str,
        /// The pattern.
        pattern: String,
    },
    /// A character that cannot stand in a header (it would let a rule inject one: CVE-2020-10753).
    #[error("CORS rule {rule}: {value:?} has a character that cannot stand in a header")]
    Character {
        /// The rule, from 1.
        rule: usize,
        /// The value.
        value: String,
    },
    /// An expose header may not have wildcards.
    #[error(
        "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
    )]
    ExposeHeader {
        /// The rule, from 1.
        rule: usize,
        /// The header.
        header: String,
    },
    /// An id over 255 characters.
    #[error("CORS rule {rule}: the ID is over 255 characters")]
    IdLength {
        /// The rule, from 1.
        rule: usize,
    },
}

/// Checks a configuration.
pub(crate) fn check(rules: &[CorsRule]) -> Result<(), CorsError> {
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(CorsError::RuleCount { count: rules.len() });
    }
    let bytes = document_bytes(rules);
    if bytes > MAX_DOCUMENT_BYTES {
        return Err(CorsError::Size { bytes });
    }
    rules
        .iter()
        .enumerate()
        .try_for_each(|(index, rule)| check_rule(index + 1, rule))
}

fn check_rule(number: usize, rule: &CorsRule) -> Result<(), CorsError> {
    if rule.allowed_origins.is_empty() || rule.allowed_methods.is_empty() {
        return Err(CorsError::Empty { rule: number });
    }
    if rule.id.as_ref().is_some_and(|id| id.chars().count() > 255) {
        return Err(CorsError::IdLength { rule: number });
    }
    if let Some(method) = rule
        .allowed_methods
        .iter()
        .find(|method| !METHODS.contains(&method.as_str()))
    {
        return Err(CorsError::Method {
            rule: number,
            method: method.clone(),
        });
    }
    let lists = [
        ("AllowedOrigin", &rule.allowed_origins),
        ("AllowedHeader", &rule.allowed_headers),
        ("ExposeHeader", &rule.expose_headers),
    ];
    let values = lists
        .into_iter()
        .flat_map(|(element, values)| values.iter().map(move |value| (element, value)));
    for (element, value) in values {
        if value.is_empty()
            || !value
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b',')
        {
            return Err(CorsError::Character {
                rule: number,
                value: value.clone(),
            });
        }
        if value.matches('*').count() > 1 {
            return Err(CorsError::Wildcard {
                rule: number,
                element,
                pattern: value.clone(),
            });
        }
    }
    if let Some(header) = rule
        .expose_headers
        .iter()
        .find(|header| header.contains('*'))
    {
        return Err(CorsError::ExposeHeader {
            rule: number,
            header: header.clone(),
        });
    }
    Ok(())
}

/// The length of the shortest XML document that holds the rules, without escapes. No document that a client sent for
/// these rules is shorter.
fn document_bytes(rules: &[CorsRule]) -> usize {
    let rules = rules.iter().map(|rule| {
        let lists = [
            ("AllowedOrigin", &rule.allowed_origins),
            ("AllowedMethod", &rule.allowed_methods),
            ("AllowedHeader", &rule.allowed_headers),
            ("ExposeHeader", &rule.expose_headers),
        ];
        let entries = lists
            .into_iter()
            .flat_map(|(name, values)| values.iter().map(|value| element_bytes(name, value.len())));
        let id = rule.id.as_ref().map(|id| element_bytes("ID", id.len()));
        element_bytes("CORSRule", entries.chain(id).sum())
    });
    element_bytes("CORSConfiguration", rules.sum())
}

/// An element's length: `<name>`, the content and `</name>`.
fn element_bytes(name: &str, content: usize) -> usize {
    2 * name.len() + "<></>".len() + content
}

/// The first rule that allows the origin, the method and, in a preflight, every header asked for.
pub(crate) fn first_match<'a>(
    rules: &'a [CorsRule],
    origin: &str,
    method: &str,
    request_headers: &[String],
) -> Option<&'a CorsRule> {
    let names = distinct_lowercase(request_headers);
    rules.iter().find(|rule| {
        rule.allowed_methods.iter().any(|allowed| allowed == method)
            && rule
                .allowed_origins
                .iter()
                .any(|pattern| matches(pattern, origin))
            && allow_all(&rule.allowed_headers, &names)
    })
}

/// Header names in lower case, sorted, each once.
fn distinct_lowercase(names: &[String]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether each of the names, sorted and in lower case, matches a pattern. An exact pattern costs a binary search; one
/// with a wildcard is compared with the names that are still to be allowed. Nothing is allocated per pattern.
fn allow_all(patterns: &[String], names: &[String]) -> bool {
    let mut open: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut lowercase = String::new();
    for pattern in patterns {
        if open.is_empty() {
            break;
        }
        lowercase.clear();
        lowercase.push_str(pattern);
        lowercase.make_ascii_lowercase();
        if lowercase.contains('*') {
            open.retain(|name| !matches(&lowercase, name));
        } else if let Ok(found) = open.binary_search(&lowercase.as_str()) {
            open.remove(found);
        }
    }
    open.is_empty()
}

/// A pattern with at most one `*`, which stands for any characters.
fn matches(pattern: &str, value: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == value,
        Some((head, tail)) => {
            value.len() >= head.len() + tail.len()
                && value.starts_with(head)
                && value.ends_with(tail)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(origins: &[&str], methods: &[&str], headers: &[&str]) -> CorsRule {
        let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        CorsRule {
            allowed_origins: own(origins),
            allowed_methods: own(methods),
            allowed_headers: own(headers),
            ..CorsRule::default()
        }
    }

    #[test]
    fn wildcards_match_as_in_s3() {
        assert!(matches("*", "https://a.example"));
        assert!(matches("https://*.example", "https://a.example"));
        assert!(!matches("https://*.example", "https://.exampl"));
        assert!(!matches("ab*ba", "aba"));
        assert!(!matches("https://a.example", "https://a.example.evil"));
    }

    #[test]
    fn the_first_matching_rule_wins_and_every_header_must_be_allowed() {
        let rules = [
            rule(&["https://a.example"], &["GET"], &[]),
            rule(&["*"], &["GET", "PUT"], &["x-amz-*", "Content-Type"]),
        ];
        let find = |origin: &str, method: &str, headers: &[&str]| {
            let headers: Vec<String> = headers.iter().map(|&header| header.into()).collect();
            first_match(&rules, origin, method, &headers)
                .map(|found| std::ptr::eq(found, &raw const rules[0]))
        };
        assert_eq!(find("https://a.example", "GET", &[]), Some(true));
        assert_eq!(find("https://b.example", "GET", &[]), Some(false));
        let headers = ["X-Amz-Date", "content-type"];
        assert_eq!(find("https://a.example", "PUT", &headers), Some(false));
        assert_eq!(find("https://a.example", "PUT", &["authorization"]), None);
        assert_eq!(find("https://a.example", "DELETE", &[]), None);
    }

    proptest! {
        #[test]
        fn names_are_allowed_exactly_if_each_matches_some_pattern(
            patterns in proptest::collection::vec("[abA]{0,2}[*]?[abB]{0,2}", 0..6),
            names in proptest::collection::vec("[abAB]{0,4}", 0..6),
        ) {
            let each = |name: &String| {
                let name = name.to_ascii_lowercase();
                patterns.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &name))
            };
            prop_assert_eq!(
                allow_all(&patterns, &distinct_lowercase(&names)),
                names.iter().all(each)
            );
        }
    }

    #[test]
    fn a_repeated_name_is_compared_once() {
        let names = vec!["X-A".to_owned(), "x-b".to_owned(), "x-a".to_owned()];
        assert_eq!(
            distinct_lowercase(&vec![names; 5_000].concat()),
            ["x-a", "x-b"]
        );
    }

    #[test]
    fn a_configuration_of_more_than_64_kib_is_refused() {
        let entry = "<AllowedHeader>a</AllowedHeader>".len();
        let frame = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>".len();
        let most = (MAX_DOCUMENT_BYTES - frame) / entry;
        let fits = rule(&["*"], &["GET"], &vec!["a"; most]);
        assert_eq!(check(std::slice::from_ref(&fits)), Ok(()));
        let exceeds = rule(&["*"], &["GET"], &vec!["a"; most + 1]);
        let bytes = frame + (most + 1) * entry;
        assert_eq!(check(&[exceeds]), Err(CorsError::Size { bytes }));
    }

    #[test]
    fn bad_configurations_are_refused() {
        assert_eq!(check(&[]), Err(CorsError::RuleCount { count: 0 }));
        let cases = [
            (rule(&[], &["GET"], &[]), CorsError::Empty { rule: 1 }),
            (
                rule(&["*"], &["PATCH"], &[]),
                CorsError::Method {
                    rule: 1,
                    method: "PATCH".into(),
                },
            ),
            (
                rule(&["*a*"], &["GET"], &[]),
                CorsError::Wildcard {
                    rule: 1,
                    element: "AllowedOrigin",
                    pattern: "*a*".into(),
                },
            ),
            (
                rule(&["a\r\nx: y"], &["GET"], &[]),
                CorsError::Character {
                    rule: 1,
                    value: "a\r\nx: y".into(),
                },
            ),
        ];
        for (rule, error) in cases {
            assert_eq!(check(&[rule]), Err(error));
        }
    }
}
