//! Bucket settings as values. The service's module `settings` defines how each is sent, checked, shown and recorded.

use serde::{Deserialize, Serialize};

use super::Generation;

/// A key and a value that somebody put on a bucket or an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The key, unique among the tags of one thing.
    pub key: String,
    /// The value, possibly empty.
    pub value: String,
}

/// One rule of a bucket's cross-origin configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CorsRule {
    /// The rule's own name.
    pub id: Option<String>,
    /// Origins with at most one `*` each.
    pub allowed_origins: Vec<String>,
    /// HTTP methods.
    pub allowed_methods: Vec<String>,
    /// Request headers with at most one `*` each.
    pub allowed_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the preflight's answer.
    pub max_age_seconds: Option<u32>,
}

/// Who owns uploaded objects, and whether ACLs count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObjectOwnership {
    /// The bucket's owner owns all; ACLs are off.
    BucketOwnerEnforced,
    /// The bucket's owner owns what was uploaded with `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// The uploader owns.
    ObjectWriter,
}

/// The value of a setting, and the number of the change that set it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Versioned<T> {
    value: T,
    version: Generation,
}

impl<T: Serialize> Versioned<T> {
    fn stored(&self) -> (String, Generation) {
        // Structs of strings and numbers have no way to fail.
        let json = serde_json::to_string(&self.value).unwrap_or_default();
        (json, self.version)
    }
}

/// Declares every setting once: the field of the contract's `Bucket`, which is also the name under which it is stored,
/// and the type of its value.
macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $setting:ident($value:ty)),* $(,)?) => {
        /// A setting of a bucket.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum BucketSetting {
            $($(#[$doc])* $setting),*
        }

        impl BucketSetting {
            /// Every setting.
            pub const ALL: &[Self] = &[$(Self::$setting),*];

            /// The name of its field in the contract's `Bucket`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$setting => stringify!($field)),*
                }
            }
        }

        /// A change of one setting; `None` removes it.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum SettingEdit {
            $($(#[$doc])* $setting(Option<$value>)),*
        }

        impl SettingEdit {
            /// The setting that changes.
            #[must_use]
            pub const fn setting(&self) -> BucketSetting {
                match self {
                    $(Self::$setting(_) => BucketSetting::$setting),*
                }
            }
        }

        /// The settings of a bucket. A new bucket has none.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct BucketSettings {
            $($field: Option<Versioned<$value>>),*
        }

        impl BucketSettings {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $field(&self) -> Option<&$value> {
                    self.$field.as_ref().map(|set| &set.value)
                }
            )*

            /// Applies a change with the number `version`.
            pub fn apply(&mut self, edit: SettingEdit, version: Generation) {
                match edit {
                    $(SettingEdit::$setting(value) => {
                        self.$field = value.map(|value| Versioned { value, version });
                    })*
                }
            }

            /// The stored form of a setting: its value as JSON, and the number of the change that set it. `None` if it
            /// is not set.
            #[must_use]
            pub fn stored(&self, setting: BucketSetting) -> Option<(String, Generation)> {
                match setting {
                    $(BucketSetting::$setting => self.$field.as_ref().map(Versioned::stored)),*
                }
            }

            /// Restores a value from its stored form.
            ///
            /// # Errors
            /// If the text is not the JSON of such a value.
            pub fn restore(
                &mut self,
                setting: BucketSetting,
                text: &str,
                version: Generation,
            ) -> serde_json::Result<()> {
                let edit = match setting {
                    $(BucketSetting::$setting => {
                        SettingEdit::$setting(Some(serde_json::from_str(text)?))
                    })*
                };
                self.apply(edit, version);
                Ok(())
            }
        }
    };
}

settings! {
    /// The tags of the bucket.
    tagging: Tagging(Vec<Tag>),
    /// Cross-origin rules, in order.
    cors: Cors(Vec<CorsRule>),
    /// Who owns uploaded objects.
    ownership_controls: OwnershipControls(ObjectOwnership),
}

impl BucketSetting {
    /// Whether the setting has a bearing on who may do what. A change of such a setting advances the bucket's policy
    /// epoch, so that requests that were decided before it are decided again.
    #[must_use]
    pub const fn bears_on_access(self) -> bool {
        match self {
            Self::OwnershipControls => true,
            Self::Tagging | Self::Cors => false,
        }
    }

    /// The setting of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|setting| setting.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits() -> [SettingEdit; 3] {
        let tag = Tag {
            key: "k".to_owned(),
            value: "\u{0}\"\\u0000".to_owned(),
        };
        [
            SettingEdit::Tagging(Some(vec![tag])),
            SettingEdit::Cors(Some(vec![CorsRule::default()])),
            SettingEdit::OwnershipControls(Some(ObjectOwnership::ObjectWriter)),
        ]
    }

    #[test]
    fn settings_have_names_of_their_own() {
        for setting in BucketSetting::ALL {
            assert_eq!(BucketSetting::named(setting.name()), Some(*setting));
        }
        for name in ["", "name", "Tagging", "ownership"] {
            assert_eq!(BucketSetting::named(name), None, "{name}");
        }
    }

    #[test]
    fn each_setting_is_its_own_json() {
        let (mut settings, mut read) = (BucketSettings::default(), BucketSettings::default());
        for edit in edits() {
            let setting = edit.setting();
            assert_eq!(settings.stored(setting), None);
            settings.apply(edit, Generation(7));
            let (text, version) = settings.stored(setting).unwrap();
            assert_eq!(version, Generation(7));
            assert!(read.restore(setting, "{}", version).is_err());
            read.restore(setting, &text, version).unwrap();
            assert_eq!(read, settings, "{setting:?}");
        }
        assert_eq!(edits().map(|edit| edit.setting()), BucketSetting::ALL);
        settings.apply(SettingEdit::Cors(None), Generation(8));
        assert_eq!(settings.cors(), None);
        assert!(settings.tagging().is_some() && settings.ownership_controls().is_some());
    }

    #[test]
    fn json_of_an_older_version_reads_as_absent_members() {
        let mut settings = BucketSettings::default();
        let read = settings.restore(BucketSetting::Cors, "[{}]", Generation(1));
        assert!(read.is_ok());
        assert_eq!(settings.cors(), Some(&vec![CorsRule::default()]));
    }
}
