use bucketry_contract::v1::{Bucket, GetBucketRequest, GetBucketResponse};
use tonic::Request;

use crate::convert::bucket_to_proto;
use crate::error::Error;
use crate::service::Service;

pub(crate) async fn get_bucket(
    service: &Service,
    request: Request<GetBucketRequest>,
) -> Result<GetBucketResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref();
    let grant = service.admit(caller, asked, &asked.bucket, "").await?;
    let owner = service.owner(grant.bucket.account).await?;
    let bucket = bucket_to_proto(&grant.bucket, &owner);
    let bucket = match asked.read_mask.as_ref().map(|mask| mask.paths.as_slice()) {
        None | Some([]) => bucket,
        Some(paths) => masked(bucket, paths)?,
    };
    Ok(GetBucketResponse {
        bucket: Some(bucket),
    })
}

/// The fields of a bucket that a mask names, and those that identify it.
fn masked(bucket: Bucket, paths: &[String]) -> Result<Bucket, Error> {
    let mut shown = Bucket {
        name: bucket.name,
        ..Bucket::default()
    };
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
            "tagging" => shown.tagging.clone_from(&bucket.tagging),
            "cors" => shown.cors.clone_from(&bucket.cors),
            "ownership_controls" => shown
                .ownership_controls
                .clone_from(&bucket.ownership_controls),
            _ => {
                return Err(Error::InvalidArgument {
                    field: "read_mask",
                    problem: format!("{path:?} is not a field of Bucket"),
                });
            }
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::TagSet;

    use super::*;

    fn bucket() -> Bucket {
        Bucket {
            name: "b".to_owned(),
            region: "r".to_owned(),
            owner_id: "o".to_owned(),
            tagging: Some(TagSet::default()),
            ..Bucket::default()
        }
    }

    #[test]
    fn only_what_the_mask_names() {
        let shown = masked(bucket(), &["region".to_owned(), "cors".to_owned()]).unwrap();
        let expected = Bucket {
            name: "b".to_owned(),
            region: "r".to_owned(),
            ..Bucket::default()
        };
        assert_eq!(shown, expected);
        let shown = masked(bucket(), &["tagging".to_owned()]).unwrap();
        assert!(shown.tagging.is_some() && shown.region.is_empty());
    }

    #[test]
    fn unknown_paths_are_refused() {
        for path in ["", "policy", "tagging.tags", "*"] {
            assert!(masked(bucket(), &[path.to_owned()]).is_err(), "{path}");
        }
    }
}
