//! The credential scope: day, region, service and terminator.

use std::fmt;
use std::sync::Arc;

use super::amz_date::{AmzDate, ScopeDate};
use super::error::ScopeProblem;

const SERVICE: &str = "s3";
const TERMINATOR: &str = "aws4_request";

/// Regions accepted besides the configured one: what SDKs send by default.
const ALWAYS_ACCEPTED: [&str; 2] = ["us-east-1", "auto"];

/// A region out of the accepted few. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AcceptedRegion(Arc<str>);

/// The regions that a signature may name. A fixed, short list: it bounds the number of signing keys.
#[derive(Debug, Clone)]
pub struct AcceptedRegions {
    configured: AcceptedRegion,
    others: Vec<AcceptedRegion>,
}

/// The four parts of a credential after the access key id, as given. Nothing in it is trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeClaim {
    /// `20130524`.
    pub date: String,
    /// `us-east-1`.
    pub region: String,
    /// `s3`.
    pub service: String,
    /// `aws4_request`.
    pub terminator: String,
}

/// A scope that names an accepted region, this service, and the day of its own request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialScope {
    date: ScopeDate,
    region: AcceptedRegion,
}

impl AcceptedRegions {
    /// The configured region, and `us-east-1` and `auto`.
    #[must_use]
    pub fn new(configured: &str) -> Self {
        let others = ALWAYS_ACCEPTED
            .into_iter()
            .filter(|name| *name != configured);
        Self {
            configured: AcceptedRegion(configured.into()),
            others: others.map(|name| AcceptedRegion(name.into())).collect(),
        }
    }

    fn find(&self, name: &str) -> Option<&AcceptedRegion> {
        let mut all = [&self.configured].into_iter().chain(&self.others);
        all.find(|region| &*region.0 == name)
    }
}

impl CredentialScope {
    /// Checks the parts of a credential after the access key id against the request's own time.
    ///
    /// # Errors
    /// [`ScopeProblem`] names the first part that is wrong, from the right.
    pub fn check(
        claim: &ScopeClaim,
        amz_date: AmzDate,
        regions: &AcceptedRegions,
    ) -> Result<Self, ScopeProblem> {
        let ScopeClaim {
            date,
            region,
            service,
            terminator,
        } = claim;
        if terminator != TERMINATOR {
            return Err(ScopeProblem::Terminator {
                given: terminator.clone(),
            });
        }
        if service != SERVICE {
            return Err(ScopeProblem::Service {
                given: service.clone(),
            });
        }
        let given = ScopeDate::parse(date).filter(|&day| day == amz_date.day());
        let Some(date) = given else {
            return Err(ScopeProblem::Date {
                given: date.clone(),
                expected: amz_date.day(),
            });
        };
        let Some(region) = regions.find(region) else {
            return Err(ScopeProblem::Region {
                given: region.clone(),
                expected: regions.configured.0.to_string(),
            });
        };
        Ok(Self {
            date,
            region: region.clone(),
        })
    }

    /// The configured region on the day of a request that is signed here.
    #[must_use]
    pub fn own(signed_at: AmzDate, regions: &AcceptedRegions) -> Self {
        Self {
            date: signed_at.day(),
            region: regions.configured.clone(),
        }
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
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date() -> AmzDate {
        AmzDate::parse("20130524T000000Z").unwrap()
    }

    pub(crate) fn scope_claim(date: &str, region: &str) -> ScopeClaim {
        ScopeClaim {
            date: date.into(),
            region: region.into(),
            service: SERVICE.into(),
            terminator: TERMINATOR.into(),
        }
    }

    fn check(claim: &ScopeClaim) -> Result<CredentialScope, ScopeProblem> {
        CredentialScope::check(claim, date(), &AcceptedRegions::new("eu-central-1"))
    }

    #[test]
    fn configured_and_default_regions_are_accepted() {
        for region in ["eu-central-1", "us-east-1", "auto"] {
            let scope = check(&scope_claim("20130524", region)).unwrap();
            assert_eq!(
                scope.to_string(),
                format!("20130524/{region}/s3/aws4_request")
            );
            assert_eq!(scope.region(), region);
        }
    }

    #[test]
    fn regions_and_days_are_taken_literally() {
        for region in ["xx", "", "US-EAST-1", "us-east-1 ", "EU"] {
            assert_eq!(
                check(&scope_claim("20130524", region)),
                Err(ScopeProblem::Region {
                    given: region.into(),
                    expected: "eu-central-1".into(),
                })
            );
        }
        for day in [
            "20130525",
            "20130523",
            "2013524",
            "",
            "x",
            "020130524",
            "２0130524",
        ] {
            assert_eq!(
                check(&scope_claim(day, "auto")),
                Err(ScopeProblem::Date {
                    given: day.into(),
                    expected: date().day(),
                })
            );
        }
    }

    #[test]
    fn service_and_terminator_are_fixed() {
        let right = scope_claim("20130524", "auto");
        for given in ["ec2", "S3", "s3-object-lambda", ""] {
            let claim = ScopeClaim {
                service: given.into(),
                ..right.clone()
            };
            let given = given.to_owned();
            assert_eq!(check(&claim), Err(ScopeProblem::Service { given }));
        }
        for given in ["aws5_request", "AWS4_REQUEST", ""] {
            let claim = ScopeClaim {
                terminator: given.into(),
                ..right.clone()
            };
            let given = given.to_owned();
            assert_eq!(check(&claim), Err(ScopeProblem::Terminator { given }));
        }
    }

    proptest! {
        #[test]
        fn any_parts_are_judged_without_panic(parts: [String; 4]) {
            let [date, region, service, terminator] = parts;
            let _ = check(&ScopeClaim { date, region, service, terminator });
        }
    }
}
