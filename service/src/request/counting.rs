use crate::catalog::model::KeyLimits;

/// Who counts a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Whoever admits it here.
    Here,
    /// The edge's `Authorize`, which it came through.
    AtTheEdge,
    /// The `Authorize` of the edge in this process, by the row that its decision carries.
    ByDecision,
}

impl Counting {
    /// Who counts a request that was presumed by a row with the limits `proved`, now that those are `current`.
    ///
    /// A decision on a key without limits may have been made by an outdated row. A session gives no such row: its edge
    /// counted by the current one.
    pub(super) fn by_limits(self, proved: KeyLimits, current: KeyLimits) -> Self {
        match self {
            Self::ByDecision if proved == KeyLimits::default() && current != proved => Self::Here,
            Self::Here | Self::AtTheEdge | Self::ByDecision => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn only_a_decision_on_a_key_without_limits_is_counted_again() {
        let none = KeyLimits::default();
        let [one, two] = [1, 2].map(|rate| KeyLimits {
            requests_per_second: NonZeroU32::new(rate),
            ..none
        });
        for (counting, proved, current, expected) in [
            (Counting::ByDecision, none, one, Counting::Here),
            (Counting::ByDecision, none, none, Counting::ByDecision),
            (Counting::ByDecision, one, two, Counting::ByDecision),
            (Counting::ByDecision, one, none, Counting::ByDecision),
            (Counting::AtTheEdge, none, one, Counting::AtTheEdge),
            (Counting::AtTheEdge, one, two, Counting::AtTheEdge),
            (Counting::Here, none, one, Counting::Here),
        ] {
            let counted = counting.by_limits(proved, current);
            assert_eq!(counted, expected, "{counting:?}, {proved:?}, {current:?}");
        }
    }
}
