use bucketry_contract::v1;
use serde_json::json;

use super::Definition;
use crate::access::AccessClass;
use crate::domain::{CorsRule, SettingEdit};
use crate::error::Error;
use crate::rules::cors;

pub(super) const DEFINITION: Definition = Definition {
    readers: &[AccessClass::BucketSetting],
    edit,
    show: |settings, bucket| v1::Bucket {
        cors: settings.cors().map(|rules| show(rules)),
        ..bucket
    },
    record: |settings| json!(settings.cors()),
};

fn edit(sent: &v1::Bucket) -> Result<SettingEdit, Error> {
    let rules = sent.cors.clone().map(parse).transpose()?;
    Ok(SettingEdit::Cors(rules))
}

fn parse(sent: v1::CorsConfiguration) -> Result<Vec<CorsRule>, Error> {
    let rules = sent
        .rules
        .into_iter()
        .map(|rule| {
            Ok(CorsRule {
                id: Some(rule.id).filter(|id| !id.is_empty()),
                allowed_origins: rule.allowed_origins,
                allowed_methods: rule.allowed_methods,
                allowed_headers: rule.allowed_headers,
                expose_headers: rule.expose_headers,
                max_age_seconds: rule.max_age_seconds.map(max_age).transpose()?,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    cors::check(&rules)?;
    Ok(rules)
}

fn max_age(seconds: i32) -> Result<u32, Error> {
    u32::try_from(seconds).map_err(|_| Error::InvalidArgument {
        field: "cors.rules.max_age_seconds",
        problem: format!("{seconds} is negative"),
    })
}

fn show(rules: &[CorsRule]) -> v1::CorsConfiguration {
    let show = |rule: &CorsRule| v1::CorsRule {
        id: rule.id.clone().unwrap_or_default(),
        allowed_origins: rule.allowed_origins.clone(),
        allowed_methods: rule.allowed_methods.clone(),
        allowed_headers: rule.allowed_headers.clone(),
        expose_headers: rule.expose_headers.clone(),
        max_age_seconds: rule
            .max_age_seconds
            .map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)),
    };
    v1::CorsConfiguration {
        rules: rules.iter().map(show).collect(),
    }
}
