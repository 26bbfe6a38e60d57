//! The fields of a form before its file.

use http::{HeaderMap, HeaderName, HeaderValue};

/// All names and values together, as in S3.
pub const MAX_FIELD_BYTES: usize = 20 * 1024;

/// The most fields of one form. S3's own limit is that of their bytes; each field is compared with the others and with
/// the conditions of the policy.
const MAX_FIELDS: usize = 256;

/// The variable that stands for the name of the file.
const FILE_NAME: &str = "${filename}";

/// The fields would be longer than they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// Why a field was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A field that there must be is not there, or comes after the file.
    #[error("the form has no field {0}")]
    Missing(&'static str),
    /// More than 256 fields.
    #[error("the form has more than {MAX_FIELDS} fields")]
    TooMany,
    /// A field came twice, in whatever case, or under both of its names.
    #[error("the form has the field {0:?} twice")]
    Twice(String),
    /// The value is not what the field takes.
    #[error("the field {name:?} {problem}")]
    Invalid {
        /// The field.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Fields that describe the object, by the header that means the same.
const HEADERS: [(&str, &str); 12] = [
    ("acl", "x-amz-acl"),
    ("cache-control", "cache-control"),
    ("content-disposition", "content-disposition"),
    ("content-encoding", "content-encoding"),
    ("content-language", "content-language"),
    ("content-md5", "content-md5"),
    ("content-type", "content-type"),
    ("expires", "expires"),
    ("if-match", "if-match"),
    ("if-none-match", "if-none-match"),
    ("if-modified-since", "if-modified-since"),
    ("if-unmodified-since", "if-unmodified-since"),
];

/// Fields of the signature, of either version.
const MECHANISM: [&str; 6] = [
    "awsaccesskeyid",
    "signature",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-signature",
];

/// Headers that say how a body is framed and hashed: of a form they could mean nothing.
const NOT_FIELDS: [&str; 3] = [
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-trailer",
];

/// Names in lower case, each once, in the order of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    #[cfg(test)]
    pub(crate) fn of_test(pairs: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(owned).collect())
    }

    /// Adds a field.
    ///
    /// # Errors
    /// `TooMany`; `Twice`; `Invalid` if it is not text.
    pub fn add(&mut self, name: &str, value: Vec<u8>) -> Result<(), FieldError> {
        if self.0.len() >= MAX_FIELDS {
            return Err(FieldError::TooMany);
        }
        let name = name.to_ascii_lowercase();
        let value = String::from_utf8(value).map_err(|_| FieldError::Invalid {
            name: name.clone(),
            value: String::new(),
            problem: "is not UTF-8.",
        })?;
        if self.get(&name).is_some() {
            return Err(FieldError::Twice(name));
        }
        self.0.push((name, value));
        Ok(())
    }

    /// The value of a field, by its name in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Puts the name of the file where `${filename}` stands: in any field but those that were signed as they are. Does
    /// nothing and says so if that would make the fields longer than they may be.
    pub fn put_file_name(&mut self, file_name: &str) -> Result<(), TooLong> {
        let is_open = |name: &str| name != "policy" && !MECHANISM.contains(&name);
        let places: usize = self
            .0
            .iter()
            .filter(|(name, _)| is_open(name))
            .map(|(_, value)| value.matches(FILE_NAME).count())
            .sum();
        if places.saturating_mul(file_name.len()) > MAX_FIELD_BYTES {
            return Err(TooLong);
        }
        for (name, value) in &mut self.0 {
            if is_open(name) {
                *value = value.replace(FILE_NAME, file_name);
            }
        }
        Ok(())
    }

    /// The key of the object.
    ///
    /// # Errors
    /// `Missing`; `Invalid` if it is empty.
    pub fn key(&self) -> Result<&str, FieldError> {
        match self.get("key") {
            None => Err(FieldError::Missing("key")),
            Some("") => Err(FieldError::Invalid {
                name: "key".to_owned(),
                value: String::new(),
                problem: "must have a length greater than 0.",
            }),
            Some(key) => Ok(key),
        }
    }

    /// The fields as a policy judges them. The bucket is that of the URL, whether the form names it or not.
    ///
    /// # Errors
    /// `Invalid` if the form names another bucket.
    pub fn judged(&self, bucket: &str) -> Result<Vec<(String, String)>, FieldError> {
        let mut all = self.0.clone();
        match self.get("bucket") {
            Some(named) if named == bucket => {}
            Some(named) => {
                return Err(FieldError::Invalid {
                    name: "bucket".to_owned(),
                    value: named.to_owned(),
                    problem: "is not the bucket of the URL.",
                });
            }
            None => all.push(("bucket".to_owned(), bucket.to_owned())),
        }
        Ok(all)
    }

    /// What the fields say of the object, as the headers of a PUT would. Other fields are for whoever reads the form.
    ///
    /// # Errors
    /// `Twice`, `Invalid`.
    pub fn headers(&self) -> Result<HeaderMap, FieldError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.0 {
            let invalid = |problem| FieldError::Invalid {
                name: name.clone(),
                value: value.clone(),
                problem,
            };
            if NOT_FIELDS.contains(&name.as_str()) {
                return Err(invalid("is a header and means nothing in a form."));
            }
            let known = HEADERS.iter().find(|(field, _)| field == name);
            let header = match known {
                Some((_, header)) => header,
                None if MECHANISM.contains(&name.as_str()) => continue,
                None if name.starts_with("x-amz-") => name.as_str(),
                None => continue,
            };
            let header =
                HeaderName::try_from(header).map_err(|_| invalid("has no name of a header."))?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| invalid("holds control characters."))?;
            if headers.insert(header, value).is_some() {
                return Err(FieldError::Twice(name.clone()));
            }
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.add(name, value.as_bytes().to_vec()).unwrap();
        }
        fields
    }

    #[test]
    fn names_are_the_same_in_any_case() {
        let mut fields = fields(&[("Key", "k")]);
        assert_eq!(fields.get("key"), Some("k"));
        assert_eq!(
            fields.add("kEY", b"k".to_vec()),
            Err(FieldError::Twice("key".into()))
        );
        assert!(matches!(
            fields.add("x", vec![0xff]),
            Err(FieldError::Invalid { .. })
        ));
    }

    #[test]
    fn the_file_name_goes_where_it_is_asked_for() {
        let mut fields = fields(&[
            ("key", "u/${filename}-${filename}"),
            ("x-amz-meta-name", "${filename}"),
            ("policy", "${filename}"),
            ("x-amz-signature", "${filename}"),
        ]);
        assert_eq!(
            fields.put_file_name(&"x".repeat(MAX_FIELD_BYTES / 3 + 1)),
            Err(TooLong)
        );
        assert_eq!(fields.put_file_name("${filename}.txt"), Ok(()));
        assert_eq!(fields.key(), Ok("u/${filename}.txt-${filename}.txt"));
        assert_eq!(fields.get("x-amz-meta-name"), Some("${filename}.txt"));
        assert_eq!(fields.get("policy"), Some("${filename}"));
        assert_eq!(fields.get("x-amz-signature"), Some("${filename}"));
    }

    #[test]
    fn a_key_is_needed() {
        assert_eq!(fields(&[]).key(), Err(FieldError::Missing("key")));
        assert!(matches!(
            fields(&[("key", "")]).key(),
            Err(FieldError::Invalid { .. })
        ));
    }

    #[test]
    fn the_bucket_is_that_of_the_url() {
        let judged = |pairs: &[(&str, &str)]| fields(pairs).judged("b");
        let implied = vec![("bucket".to_owned(), "b".to_owned())];
        assert_eq!(judged(&[]), Ok(implied.clone()));
        assert_eq!(judged(&[("bucket", "b")]), Ok(implied));
        assert!(judged(&[("bucket", "c")]).is_err());
    }

    #[test]
    fn what_describes_the_object_becomes_headers() {
        let headers = fields(&[
            ("acl", "private"),
            ("Content-Type", "text/plain"),
            ("x-amz-meta-ü", "1"),
        ])
        .headers();
        assert!(matches!(headers, Err(FieldError::Invalid { .. })));
        let headers = fields(&[
            ("acl", "private"),
            ("Content-Type", "text/plain"),
            ("x-amz-meta-a", "é"),
            ("x-amz-date", "20130524T000000Z"),
            ("submit", "Upload"),
            ("content-length", "7"),
        ])
        .headers()
        .unwrap();
        assert_eq!(headers.len(), 3);
        assert_eq!(headers["x-amz-acl"], "private");
        assert_eq!(headers["content-type"], "text/plain");
        assert_eq!(headers["x-amz-meta-a"].as_bytes(), "é".as_bytes());
    }

    #[test]
    fn what_cannot_be_a_header_is_refused() {
        for pairs in [
            &[("acl", "private"), ("x-amz-acl", "private")][..],
            &[("x-amz-meta-a", "1\r\nx: y")],
            &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")],
            &[("x-amz-trailer", "x-amz-checksum-crc32")],
        ] {
            assert!(fields(pairs).headers().is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn a_form_has_at_most_256_fields() {
        let mut fields = Fields::default();
        for n in 0..MAX_FIELDS {
            fields.add(&format!("x-ignore-{n}"), Vec::new()).unwrap();
        }
        assert_eq!(fields.add("key", Vec::new()), Err(FieldError::TooMany));
    }
}
