//! The process's environment, and unknown names of settings in it: mostly misspellings, which would otherwise be ignored
//! silently.

#![expect(
    clippy::disallowed_methods,
    reason = "the one module that reads the environment"
)]

use std::ffi::OsString;
use std::fmt;

/// The prefix of every variable that bucketry reads.
pub const PREFIX: &str = "BUCKETRY_";

/// Names with a lower similarity (Jaro-Winkler, 0 to 1) are not suggested.
const MIN_SIMILARITY: f64 = 0.85;

/// The value of a variable of the process. Functions that read variables without a flag take it as an argument, so that
/// tests need not change the process.
#[must_use]
pub fn process_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The names of the variables of the process.
pub fn process_variable_names() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

/// The variables of the process that are text, for the settings of a cloud store.
#[must_use]
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// A variable with [`PREFIX`] that is not a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub name: String,
    /// The most similar setting.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown variable {} is ignored", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

/// The variables of `present` that begin with [`PREFIX`] and are not in `known`, in order of their names.
#[must_use]
pub fn unknown_variables(
    present: impl IntoIterator<Item = String>,
    known: &[String],
) -> Vec<UnknownVariable> {
    let mut unknown: Vec<_> = present
        .into_iter()
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name))
        .map(|name| UnknownVariable {
            nearest: nearest(&name, known).map(str::to_owned),
            name,
        })
        .collect();
    unknown.sort_by(|one, other| one.name.cmp(&other.name));
    unknown
}

/// The known name that is most similar to `name`.
#[must_use]
pub fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    // The common prefix would make all names similar.
    let own = |name: &str| {
        let spelled = name.to_lowercase().replace('_', "-");
        spelled
            .strip_prefix("bucketry-")
            .map(str::to_owned)
            .unwrap_or(spelled)
    };
    let name = own(name);
    let similarity = |known: &str| strsim::jaro_winkler(&own(known), &name);
    known
        .iter()
        .map(|known| (similarity(known), known.as_str()))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<String> {
        ["BUCKETRY_LISTEN", "BUCKETRY_DATA_DIR", "BUCKETRY_STORE"]
            .map(str::to_owned)
            .into()
    }

    fn shown(present: &[&str]) -> Vec<String> {
        let present = present.iter().map(|name| (*name).to_owned());
        unknown_variables(present, &known())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn slips_are_named_with_what_was_meant() {
        assert_eq!(
            shown(&[
                "BUCKETRY_LISTN",
                "PATH",
                "BUCKETRY_STORE",
                "BUCKETRY_DATADIR"
            ]),
            [
                "unknown variable BUCKETRY_DATADIR is ignored; did you mean BUCKETRY_DATA_DIR?",
                "unknown variable BUCKETRY_LISTN is ignored; did you mean BUCKETRY_LISTEN?",
            ]
        );
    }

    #[test]
    fn a_name_like_no_other_has_no_proposal() {
        assert_eq!(
            shown(&["BUCKETRY_COLOUR"]),
            ["unknown variable BUCKETRY_COLOUR is ignored"]
        );
    }

    #[test]
    fn keys_of_files_are_matched_too() {
        let known = ["listen", "data-dir"].map(str::to_owned);
        assert_eq!(nearest("data_dir", &known), Some("data-dir"));
        assert_eq!(nearest("BUCKETRY_LISTEN", &known), Some("listen"));
        assert_eq!(nearest("x", &known), None);
    }
}
