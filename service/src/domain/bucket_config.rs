use serde::{Deserialize, Serialize};

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

/// The settings of a bucket, each absent until somebody sets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketConfig {
    /// The bucket's tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tagging: Option<Vec<Tag>>,
    /// Cross-origin rules, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<Vec<CorsRule>>,
    /// Object ownership.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership: Option<ObjectOwnership>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_an_older_version_reads_as_absent_settings() {
        assert_eq!(
            serde_json::from_str::<BucketConfig>("{}").ok(),
            Some(BucketConfig::default())
        );
        let set = BucketConfig {
            ownership: Some(ObjectOwnership::ObjectWriter),
            ..BucketConfig::default()
        };
        let text = serde_json::to_string(&set).unwrap_or_default();
        assert_eq!(serde_json::from_str::<BucketConfig>(&text).ok(), Some(set));
    }
}
