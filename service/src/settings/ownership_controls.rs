use bucketry_contract::v1;
use serde_json::json;

use super::Definition;
use crate::access::AccessClass;
use crate::domain::{ObjectOwnership, SettingEdit};
use crate::error::Error;

pub(super) const DEFINITION: Definition = Definition {
    readers: &[AccessClass::BucketSetting],
    edit,
    show: |settings, bucket| v1::Bucket {
        ownership_controls: settings.ownership_controls().copied().map(show),
        ..bucket
    },
    record: |settings| json!(settings.ownership_controls()),
};

fn edit(sent: &v1::Bucket) -> Result<SettingEdit, Error> {
    let ownership = sent.ownership_controls.as_ref().map(parse).transpose()?;
    Ok(SettingEdit::OwnershipControls(ownership))
}

/// There are no ACLs, so only `BucketOwnerEnforced` can be honoured.
fn parse(sent: &v1::OwnershipControls) -> Result<ObjectOwnership, Error> {
    let [rule] = sent.rules.as_slice() else {
        return Err(Error::InvalidArgument {
            field: "ownership_controls.rules",
            problem: format!("there must be exactly one rule, not {}", sent.rules.len()),
        });
    };
    match rule.object_ownership() {
        v1::ObjectOwnership::BucketOwnerEnforced => Ok(ObjectOwnership::BucketOwnerEnforced),
        v1::ObjectOwnership::BucketOwnerPreferred | v1::ObjectOwnership::ObjectWriter => Err(
            Error::NotImplemented("object ownership other than BucketOwnerEnforced"),
        ),
        v1::ObjectOwnership::Unspecified => Err(Error::InvalidArgument {
            field: "ownership_controls.rules.object_ownership",
            problem: "must be BucketOwnerEnforced".to_owned(),
        }),
    }
}

fn show(ownership: ObjectOwnership) -> v1::OwnershipControls {
    let ownership = match ownership {
        ObjectOwnership::BucketOwnerEnforced => v1::ObjectOwnership::BucketOwnerEnforced,
        ObjectOwnership::BucketOwnerPreferred => v1::ObjectOwnership::BucketOwnerPreferred,
        ObjectOwnership::ObjectWriter => v1::ObjectOwnership::ObjectWriter,
    };
    v1::OwnershipControls {
        rules: vec![v1::OwnershipControlsRule {
            object_ownership: ownership.into(),
        }],
    }
}
