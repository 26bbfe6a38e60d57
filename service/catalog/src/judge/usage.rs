use super::State;
use crate::mutation::RecordUsage;
use crate::rows::StoredDenial;
use crate::{Outcome, Verdict};
use bucketry_domain::AccessKeyPk;

impl RecordUsage {
    /// The keys that it is about.
    pub(crate) fn keys(&self) -> impl Iterator<Item = AccessKeyPk> {
        let counted = self.usage.iter().map(|row| row.access_key);
        let used = self.last_uses.iter().map(|used| used.access_key);
        let denied = self.denials.iter().map(|denial| denial.access_key);
        counted.chain(used).chain(denied)
    }
}

pub(super) fn record_usage(state: &mut State, change: &RecordUsage) -> Verdict {
    for row in &change.usage {
        if state.access_keys.get(&row.access_key).is_some() {
            state.usage.push(row.clone());
        }
    }
    for used in &change.last_uses {
        if state.access_keys.get(&used.access_key).is_some() {
            state.last_uses.push(used.clone());
        }
    }
    for denial in &change.denials {
        if state.access_keys.get(&denial.access_key).is_some() {
            let id = state.take_id();
            state.denials.push(StoredDenial {
                id,
                denial: denial.clone(),
            });
        }
    }
    Ok(Outcome::Done)
}
