use bucketry_contract::v1::{Bucket, GetBucketRequest, GetBucketResponse};
use tonic::Request;

use crate::access::AccessClass;
use crate::convert::{bucket_to_proto, statistics_to_proto};
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
    let Masked {
        mut bucket,
        settings: wanted,
        statistics,
    } = match asked.read_mask.as_ref().map(|mask| mask.paths.as_slice()) {
        None | Some([]) => Masked {
            bucket,
            settings: BucketSetting::ALL.to_vec(),
            statistics: Statistics::Shown,
        },
        Some(paths) => masked(bucket, paths)?,
    };
    if statistics == Statistics::Shown && grant.classes().contains(&AccessClass::BucketAdmin) {
        let id = grant.bucket.id;
        let found = service.catalog.bucket_statistics(&[id]).await?;
        let found = found.get(&id).copied().unwrap_or_default();
        bucket.statistics = Some(statistics_to_proto(found));
    }
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

/// The parts of a bucket that a mask selects.
struct Masked {
    /// The fields that it names, and those that identify the bucket.
    bucket: Bucket,
    settings: Vec<BucketSetting>,
    statistics: Statistics,
}

/// Whether the statistics are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statistics {
    Shown,
    Hidden,
}

fn masked(bucket: Bucket, paths: &[String]) -> Result<Masked, Error> {
    let mut shown = Bucket {
        name: bucket.name,
        ..Bucket::default()
    };
    let mut settings = Vec::new();
    let mut statistics = Statistics::Hidden;
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
            "statistics" => statistics = Statistics::Shown,
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
    Ok(Masked {
        bucket: shown,
        settings,
        statistics,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let masked = masked(bucket(), &paths).unwrap();
        let admitted = [AccessClass::BucketSetting];
        settings::show(masked.bucket, &settings, &masked.settings, &admitted)
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
        let masked = masked(bucket(), &paths).unwrap();
        assert_eq!(masked.settings, [BucketSetting::Tagging]);
        assert_eq!(masked.statistics, Statistics::Hidden);
    }

    #[test]
    fn unknown_paths_are_refused() {
        for path in ["", "policy", "tagging.tags", "*"] {
            assert!(masked(bucket(), &[path.to_owned()]).is_err(), "{path}");
        }
    }
}
