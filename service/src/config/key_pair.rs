use std::ffi::OsString;

use super::{ConfigError, Secret};

const ACCESS_KEY_ID: &str = "BUCKETRY_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "BUCKETRY_SECRET_ACCESS_KEY";
const ROOT_ACCESS_KEY_ID: &str = "BUCKETRY_ROOT_ACCESS_KEY_ID";
const ROOT_SECRET_ACCESS_KEY: &str = "BUCKETRY_ROOT_SECRET_ACCESS_KEY";
/// The text of the keyring.
pub(super) const KEYRING: &str = "BUCKETRY_KEYRING";

/// The variables that have no flag: a flag would show its value to every user of the machine.
pub(crate) const VARIABLES_WITHOUT_FLAG: [&str; 5] = [
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    ROOT_ACCESS_KEY_ID,
    ROOT_SECRET_ACCESS_KEY,
    KEYRING,
];

/// An access key id with its secret. Comes from variables alone: a flag would show it to every user of the machine.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
}

impl KeyPair {
    /// The operator's credentials of a server: `BUCKETRY_ROOT_ACCESS_KEY_ID` and `BUCKETRY_ROOT_SECRET_ACCESS_KEY`.
    ///
    /// # Errors
    /// [`ConfigError::HalfKeyPair`] if only one is set, [`ConfigError::NotText`].
    pub fn root(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, ConfigError> {
        Self::read(&variable, ROOT_ACCESS_KEY_ID, ROOT_SECRET_ACCESS_KEY)
    }

    /// The credentials of a client: `BUCKETRY_ACCESS_KEY_ID` and `BUCKETRY_SECRET_ACCESS_KEY`, else those of
    /// [`Self::root`].
    ///
    /// # Errors
    /// As [`Self::root`].
    pub fn client(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Self>, ConfigError> {
        match Self::read(&variable, ACCESS_KEY_ID, SECRET_ACCESS_KEY)? {
            Some(pair) => Ok(Some(pair)),
            None => Self::root(variable),
        }
    }

    fn read(
        variable: &impl Fn(&str) -> Option<OsString>,
        id: &'static str,
        secret: &'static str,
    ) -> Result<Option<Self>, ConfigError> {
        match (text(variable, id)?, text(variable, secret)?) {
            (None, None) => Ok(None),
            (Some(access_key_id), Some(secret_access_key)) => Ok(Some(Self {
                access_key_id,
                secret_access_key: Secret::new(secret_access_key),
            })),
            (Some(_), None) => Err(ConfigError::HalfKeyPair {
                present: id,
                missing: secret,
            }),
            (None, Some(_)) => Err(ConfigError::HalfKeyPair {
                present: secret,
                missing: id,
            }),
        }
    }
}

/// A variable as text; an empty one counts as not set, as `docker compose` passes an undefined one.
pub(super) fn text(
    variable: &impl Fn(&str) -> Option<OsString>,
    name: &'static str,
) -> Result<Option<String>, ConfigError> {
    variable(name)
        .filter(|value| !value.is_empty())
        .map(|value| {
            value
                .into_string()
                .map_err(|_| ConfigError::NotText { variable: name })
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        let pairs: Vec<(String, String)> = pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        move |name| {
            pairs
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into())
        }
    }

    #[test]
    fn a_clients_own_key_beats_the_root_key() {
        let both = of(&[
            (ACCESS_KEY_ID, "own"),
            (SECRET_ACCESS_KEY, "own-secret"),
            (ROOT_ACCESS_KEY_ID, "root"),
            (ROOT_SECRET_ACCESS_KEY, "root-secret"),
        ]);
        let pair = KeyPair::client(&both).unwrap().unwrap();
        assert_eq!(
            (pair.access_key_id.as_str(), pair.secret_access_key.expose()),
            ("own", "own-secret")
        );
        assert_eq!(KeyPair::root(&both).unwrap().unwrap().access_key_id, "root");
        let root = of(&[
            (ROOT_ACCESS_KEY_ID, "root"),
            (ROOT_SECRET_ACCESS_KEY, "root-secret"),
        ]);
        assert_eq!(
            KeyPair::client(root).unwrap().unwrap().access_key_id,
            "root"
        );
    }

    #[test]
    fn half_a_pair_is_refused_by_name() {
        let half = of(&[(SECRET_ACCESS_KEY, "hunter2hunter2")]);
        let refused = KeyPair::client(half).unwrap_err().to_string();
        assert_eq!(
            refused,
            "BUCKETRY_SECRET_ACCESS_KEY is set but BUCKETRY_ACCESS_KEY_ID is not"
        );
        let empty = of(&[(ACCESS_KEY_ID, ""), (SECRET_ACCESS_KEY, "")]);
        assert!(KeyPair::client(empty).unwrap().is_none());
    }
}
