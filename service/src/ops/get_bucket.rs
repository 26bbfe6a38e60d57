use bucketry_contract::v1::{Bucket, GetBucketRequest, GetBucketResponse};
use tonic::Request;

use crate::convert::bucket_to_proto;
use crate::domain::BucketSetting;
use crate::error::Error;
use crate::request::{Grant, Resource, Service};
use crate::settings;

pub(crate) async fn get_bucket(
    service: &Service,
    request: Request<GetBucketRequest>,
) -> Result<GetBucketResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref();
    let grant = service
        .admit(caller, asked, Resource::bucket(&asked.bucket))
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    let bucket = bucket_to_proto(&grant.bucket, &owner);
    let (bucket, wanted) = match asked.read_mask.as_ref().map(|mask| mask.paths.as_slice()) {
        None | Some([]) => (bucket, BucketSetting::ALL.to_vec()),
        Some(paths) => masked(bucket, paths)?,
    };
    let bucket = match wanted.as_slice() {
        [] => bucket,
        wanted => {
            let settings = service.catalog.bucket_settings(grant.bucket.id).await?;
            settings::show(bucket, &settings, wanted, grant.classes())
        }
    };
    Ok(GetBucketResponse {
        bucket: Some(bucket),
    })
}

/// The fields of a bucket that a mask names and those that identify it, and the settings that it names.
fn masked(bucket: Bucket, paths: &[String]) -> Result<(Bucket, Vec<BucketSetting>), Error> {
    let mut shown = Bucket {
        name: bucket.name,
        ..Bucket::default()
    };
    let mut settings = Vec::new();
    for path in paths {
        match path.as_str() {
            "name" => {}
            "region" => shown.region.clone_from(&bucket.region),
            "account_id" => shown.account_id.clone_from(&bucket.account_id),
            "owner_id" => shown.owner_id.clone_from(&bucket.owner_id),
            "owner_display_name" => shown
                .owner_display_name
                .clone_from(&bucket.owner_display_name),
            "create_time" => shown.create_time = bucket.create_time,
            path => {
                let setting = BucketSetting::named(path);
                let setting = setting.ok_or_else(|| Error::InvalidArgument {
                    field: "read_mask",
                    problem: format!("{path:?} is not a field of Bucket"),
                })?;
                if !settings.contains(&setting) {
                    settings.push(setting);
                }
            }
        }
    }
    Ok((shown, settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessClass;
    use crate::domain::{BucketSettings, Generation, SettingEdit};

    fn bucket() -> Bucket {
        Bucket {
            name: "b".to_owned(),
            region: "r".to_owned(),
            owner_id: "o".to_owned(),
            ..Bucket::default()
        }
    }

    fn shown(paths: &[&str]) -> Bucket {
        let mut settings = BucketSettings::default();
        settings.apply(SettingEdit::Tagging(Some(Vec::new())), Generation(1));
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        let (bucket, wanted) = masked(bucket(), &paths).unwrap();
        settings::show(bucket, &settings, &wanted, &[AccessClass::BucketSetting])
    }

    #[test]
    fn only_what_the_mask_names() {
        let expected = Bucket {
            name: "b".to_owned(),
            region: "r".to_owned(),
            ..Bucket::default()
        };
        assert_eq!(shown(&["region", "cors"]), expected);
        let shown = shown(&["tagging"]);
        assert!(shown.tagging.is_some() && shown.region.is_empty());
    }

    #[test]
    fn a_setting_that_is_named_again_is_shown_once() {
        let paths = vec!["tagging".to_owned(); 10_000];
        assert_eq!(
            masked(bucket(), &paths).unwrap().1,
            [BucketSetting::Tagging]
        );
    }

    #[test]
    fn unknown_paths_are_refused() {
        for path in ["", "policy", "tagging.tags", "*"] {
            assert!(masked(bucket(), &[path.to_owned()]).is_err(), "{path}");
        }
    }
}
