//! ACLs where they are off, as under S3's ownership `BucketOwnerEnforced`: the owner may do everything, and an ACL that
//! says exactly that is accepted.

use bucketry_contract::v1::{
    AccessControlPolicy, AclGrant, AclGrantee, AclGranteeType, AclOwner, AclPermission, AclUpdate,
    CannedAcl,
};

use crate::convert::Owner;
use crate::error::Error;

/// What an ACL belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AclOf {
    Bucket,
    Object,
}

/// The ACL of everything that this account owns.
pub(crate) fn policy(owner: &Owner) -> AccessControlPolicy {
    let grantee = AclGrantee {
        r#type: AclGranteeType::CanonicalUser.into(),
        id: owner.id.clone(),
        display_name: owner.display_name.clone(),
        ..AclGrantee::default()
    };
    AccessControlPolicy {
        owner: Some(AclOwner {
            id: owner.id.clone(),
            display_name: owner.display_name.clone(),
        }),
        grants: vec![AclGrant {
            grantee: Some(grantee),
            permission: AclPermission::FullControl.into(),
        }],
    }
}

/// Checks that an ACL is the one already in force.
///
/// # Errors
/// `MissingAcl`, `AclNotSupported`; `InvalidRequest` if it is given in several ways.
pub(crate) fn check(update: &AclUpdate, of: AclOf, owner: &Owner) -> Result<(), Error> {
    let canned = (update.canned != 0).then(|| update.canned());
    let same = match (canned, has_no_lists(update), &update.policy) {
        (None, true, None) => return Err(Error::MissingAcl),
        (Some(_), false, _) => {
            return Err(Error::InvalidRequest(
                "Specifying both Canned ACLs and Header Grants is not allowed",
            ));
        }
        (Some(_), _, Some(_)) | (None, false, Some(_)) => {
            return Err(Error::InvalidRequest(
                "This request does not support content",
            ));
        }
        (Some(canned), true, None) => is_owners(canned, of),
        (None, false, None) => false,
        (None, true, Some(policy)) => is_policy_of(policy, owner),
    };
    match same {
        true => Ok(()),
        false => Err(Error::AclNotSupported),
    }
}

fn has_no_lists(update: &AclUpdate) -> bool {
    [
        &update.grant_full_control,
        &update.grant_read,
        &update.grant_read_acp,
        &update.grant_write,
        &update.grant_write_acp,
    ]
    .iter()
    .all(|grantees| grantees.is_empty())
}

fn is_owners(canned: CannedAcl, of: AclOf) -> bool {
    match canned {
        CannedAcl::Private => true,
        CannedAcl::BucketOwnerFullControl => of == AclOf::Object,
        CannedAcl::Unspecified
        | CannedAcl::PublicRead
        | CannedAcl::PublicReadWrite
        | CannedAcl::AuthenticatedRead
        | CannedAcl::AwsExecRead
        | CannedAcl::BucketOwnerRead
        | CannedAcl::LogDeliveryWrite => false,
    }
}

/// As S3 does, by ids: display names are for people.
fn is_policy_of(policy: &AccessControlPolicy, owner: &Owner) -> bool {
    let owned = policy
        .owner
        .as_ref()
        .is_some_and(|given| given.id == owner.id);
    let [grant] = policy.grants.as_slice() else {
        return false;
    };
    let to_owner = grant.grantee.as_ref().is_some_and(|grantee| {
        let by_id = matches!(
            grantee.r#type(),
            AclGranteeType::CanonicalUser | AclGranteeType::Unspecified
        );
        by_id
            && grantee.id == owner.id
            && grantee.email_address.is_empty()
            && grantee.uri.is_empty()
    });
    owned && to_owner && grant.permission() == AclPermission::FullControl
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            id: "75aa57f0".to_owned(),
            display_name: "somebody".to_owned(),
        }
    }

    fn canned(canned: CannedAcl) -> AclUpdate {
        AclUpdate {
            canned: canned.into(),
            ..AclUpdate::default()
        }
    }

    fn full(change: impl Fn(&mut AccessControlPolicy)) -> AclUpdate {
        let mut policy = policy(&owner());
        change(&mut policy);
        AclUpdate {
            policy: Some(policy),
            ..AclUpdate::default()
        }
    }

    fn is_refused(update: &AclUpdate, of: AclOf) -> bool {
        matches!(check(update, of, &owner()), Err(Error::AclNotSupported))
    }

    #[test]
    fn the_acl_in_force_is_accepted() {
        for of in [AclOf::Bucket, AclOf::Object] {
            assert!(check(&canned(CannedAcl::Private), of, &owner()).is_ok());
            assert!(check(&full(|_| {}), of, &owner()).is_ok());
            let untyped = full(|policy| {
                let grantee = policy.grants[0].grantee.as_mut().unwrap();
                grantee.r#type = 0;
                grantee.display_name.clear();
            });
            assert!(check(&untyped, of, &owner()).is_ok());
        }
        let full_control = canned(CannedAcl::BucketOwnerFullControl);
        assert!(check(&full_control, AclOf::Object, &owner()).is_ok());
        assert!(is_refused(&full_control, AclOf::Bucket));
    }

    #[test]
    fn everything_else_is_not_supported() {
        for name in [
            CannedAcl::PublicRead,
            CannedAcl::PublicReadWrite,
            CannedAcl::AuthenticatedRead,
            CannedAcl::AwsExecRead,
            CannedAcl::BucketOwnerRead,
            CannedAcl::LogDeliveryWrite,
        ] {
            assert!(is_refused(&canned(name), AclOf::Object), "{name:?}");
        }
        let by_header = AclUpdate {
            grant_full_control: "id=75aa57f0".to_owned(),
            ..AclUpdate::default()
        };
        assert!(is_refused(&by_header, AclOf::Object));
        type Edit = fn(&mut AccessControlPolicy);
        let edits: [Edit; 8] = [
            |policy| policy.owner = None,
            |policy| policy.owner.as_mut().unwrap().id.push('0'),
            |policy| policy.grants.clear(),
            |policy| policy.grants.push(policy.grants[0].clone()),
            |policy| policy.grants[0].permission = AclPermission::Read.into(),
            |policy| policy.grants[0].grantee = None,
            |policy| policy.grants[0].grantee.as_mut().unwrap().id.push('0'),
            |policy| policy.grants[0].grantee.as_mut().unwrap().uri = "all".to_owned(),
        ];
        for edit in edits {
            assert!(is_refused(&full(edit), AclOf::Bucket));
        }
    }

    #[test]
    fn exactly_one_way() {
        let none = check(&AclUpdate::default(), AclOf::Bucket, &owner());
        assert!(matches!(none, Err(Error::MissingAcl)));
        let mut both = full(|_| {});
        both.canned = CannedAcl::Private.into();
        let refused = check(&both, AclOf::Bucket, &owner());
        assert!(matches!(refused, Err(Error::InvalidRequest(_))));
        let mut both = canned(CannedAcl::Private);
        both.grant_read = "id=1".to_owned();
        let refused = check(&both, AclOf::Bucket, &owner());
        assert!(matches!(refused, Err(Error::InvalidRequest(_))));
    }
}
