//! The credential scope: day, region, service and terminator.

use std::fmt;
use std::sync::Arc;

use super::amz_date::{AmzDate, ScopeDate};
use super::error::ScopeProblem;

const SERVICE: &str = "s3";
const TERMINATOR: &str = "aws4_request";

/// Regions accepted besides the configured one: what SDKs send when they were told nothing.
const ALWAYS_ACCEPTED: [&str; 2] = ["us-east-1", "auto"];

/// A region out of the accepted few. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region(Arc<str>);

/// The regions that a signature may name. A fixed, short list: it bounds the number of signing keys.
#[derive(Debug, Clone)]
pub struct AcceptedRegions(Vec<Region>);

/// A scope that names an accepted region, this service, and the day of its own request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialScope {
    date: ScopeDate,
    region: Region,
}

impl AcceptedRegions {
    /// The configured region, and `us-east-1` and `auto`.
    #[must_use]
    pub fn new(configured: &str) -> Self {
        let mut regions = vec![Region(configured.into())];
        for name in ALWAYS_ACCEPTED {
            if name != configured {
                regions.push(Region(name.into()));
            }
        }
        Self(regions)
    }

    fn find(&self, name: &str) -> Option<&Region> {
        self.0.iter().find(|region| &*region.0 == name)
    }

    /// The region to tell a client that named another one.
    fn configured(&self) -> String {
        self.0
            .first()
            .map(|region| region.0.to_string())
            .unwrap_or_default()
    }
}

impl CredentialScope {
    /// Reads `20130524/us-east-1/s3/aws4_request`, the part of a credential after the access key id.
    ///
    /// # Errors
    /// [`ScopeProblem`] names the first part that is wrong.
    pub fn parse(
        text: &str,
        amz_date: AmzDate,
        regions: &AcceptedRegions,
    ) -> Result<Self, ScopeProblem> {
        let parts: Vec<&str> = text.splitn(6, '/').collect();
        let [date, region, service, terminator] = parts[..] else {
            return Err(ScopeProblem::Parts {
                scope: text.to_owned(),
            });
        };
        if terminator != TERMINATOR {
            return Err(ScopeProblem::Terminator {
                given: terminator.to_owned(),
            });
        }
        if service != SERVICE {
            return Err(ScopeProblem::Service {
                given: service.to_owned(),
            });
        }
        let given = ScopeDate::parse(date).filter(|&day| day == amz_date.day());
        let Some(date) = given else {
            return Err(ScopeProblem::Date {
                given: date.to_owned(),
                expected: amz_date.day(),
            });
        };
        let Some(region) = regions.find(region) else {
            return Err(ScopeProblem::Region {
                given: region.to_owned(),
                expected: regions.configured(),
            });
        };
        Ok(Self {
            date,
            region: region.clone(),
        })
    }

    /// The day.
    #[must_use]
    pub fn date(&self) -> ScopeDate {
        self.date
    }

    /// The region that the client signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region.0
    }

    pub(super) const fn service() -> &'static str {
        SERVICE
    }

    pub(super) const fn terminator() -> &'static str {
        TERMINATOR
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{SERVICE}/{TERMINATOR}", self.date, self.region.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn date() -> AmzDate {
        AmzDate::parse("20130524T000000Z").unwrap()
    }

    fn parse(text: &str) -> Result<CredentialScope, ScopeProblem> {
        CredentialScope::parse(text, date(), &AcceptedRegions::new("eu-central-1"))
    }

    #[test]
    fn configured_and_default_regions_are_accepted() {
        for region in ["eu-central-1", "us-east-1", "auto"] {
            let text = format!("20130524/{region}/s3/aws4_request");
            let scope = parse(&text).unwrap();
            assert_eq!(scope.to_string(), text);
            assert_eq!(scope.region(), region);
        }
    }

    #[test]
    fn each_wrong_part_is_named() {
        let parts = |scope: &str| ScopeProblem::Parts {
            scope: scope.to_owned(),
        };
        for (scope, expected) in [
            ("", parts("")),
            ("20130524/us-east-1/s3", parts("20130524/us-east-1/s3")),
            (
                "a/20130524/us-east-1/s3/aws4_request",
                parts("a/20130524/us-east-1/s3/aws4_request"),
            ),
            (
                "20130524/us-east-1/s3/aws4_request/",
                parts("20130524/us-east-1/s3/aws4_request/"),
            ),
            (
                "20130524/us-east-1/s3/aws5_request",
                ScopeProblem::Terminator {
                    given: "aws5_request".into(),
                },
            ),
            (
                "20130524/us-east-1/ec2/aws4_request",
                ScopeProblem::Service {
                    given: "ec2".into(),
                },
            ),
            (
                "20130525/us-east-1/s3/aws4_request",
                ScopeProblem::Date {
                    given: "20130525".into(),
                    expected: date().day(),
                },
            ),
            (
                "x/us-east-1/s3/aws4_request",
                ScopeProblem::Date {
                    given: "x".into(),
                    expected: date().day(),
                },
            ),
            (
                "20130524/xx/s3/aws4_request",
                ScopeProblem::Region {
                    given: "xx".into(),
                    expected: "eu-central-1".into(),
                },
            ),
            (
                "20130524//s3/aws4_request",
                ScopeProblem::Region {
                    given: String::new(),
                    expected: "eu-central-1".into(),
                },
            ),
            (
                "20130524/US-EAST-1/s3/aws4_request",
                ScopeProblem::Region {
                    given: "US-EAST-1".into(),
                    expected: "eu-central-1".into(),
                },
            ),
        ] {
            assert_eq!(parse(scope), Err(expected), "{scope}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[\\PC/]{0,60}") {
            let _ = parse(&text);
        }
    }
}
