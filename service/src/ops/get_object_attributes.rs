use bucketry_contract::v1::{
    GetObjectAttributesRequest, GetObjectAttributesResponse, ObjectAttribute, ObjectPart,
    ObjectParts,
};
use tonic::Request;

use crate::catalog::model::{ObjectData, PartLayout, StoredObject};
use crate::convert::{
    checksum_to_proto, no_version, object_key, page_size, part_marker, timestamp_to_proto,
};
use crate::domain::ObjectKey;
use crate::error::Error;
use crate::limits::MAX_PAGE;
use crate::request::{Resource, Service};

/// S3 knows more; here all is kept alike.
const STORAGE_CLASS: &str = "STANDARD";

pub(crate) async fn get_object_attributes(
    service: &Service,
    request: Request<GetObjectAttributesRequest>,
) -> Result<GetObjectAttributesResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let resource = Resource::object(&asked.bucket, &asked.key);
    let (key, wanted, page) = match arguments(&asked) {
        Ok(arguments) => arguments,
        Err(error) => {
            service.admit(caller, &asked, resource).await?;
            return Err(error);
        }
    };
    let (_, stored) = service
        .admit_to_object(caller, &asked, resource, &key)
        .await?;
    let stored = stored.ok_or(Error::NoSuchKey { key: asked.key })?;
    Ok(answer(&stored, &wanted, page))
}

fn arguments(
    asked: &GetObjectAttributesRequest,
) -> Result<(ObjectKey, Vec<ObjectAttribute>, PartsPage), Error> {
    let key = object_key(&asked.key)?;
    no_version(&asked.key, &asked.version_id)?;
    let wanted = wanted(asked)?;
    let page = PartsPage {
        after: part_marker(asked.part_number_marker)?,
        max: page_size(asked.page_size, MAX_PAGE, MAX_PAGE)?,
    };
    Ok((key, wanted, page))
}

fn wanted(asked: &GetObjectAttributesRequest) -> Result<Vec<ObjectAttribute>, Error> {
    let refused = |problem: &str| Error::InvalidArgument {
        field: "attributes",
        problem: problem.to_owned(),
    };
    let known = |&sent: &i32| match ObjectAttribute::try_from(sent) {
        Ok(ObjectAttribute::Unspecified) | Err(_) => Err(refused("there is no such attribute")),
        Ok(attribute) => Ok(attribute),
    };
    let wanted: Vec<_> = asked
        .attributes
        .iter()
        .map(known)
        .collect::<Result<_, _>>()?;
    if wanted.is_empty() {
        return Err(refused("at least one must be asked for"));
    }
    Ok(wanted)
}

/// Which parts are shown.
#[derive(Clone, Copy)]
struct PartsPage {
    after: u16,
    max: u32,
}

fn answer(
    stored: &StoredObject,
    wanted: &[ObjectAttribute],
    page: PartsPage,
) -> GetObjectAttributesResponse {
    let row = &stored.row;
    let meta = &row.meta;
    let mut answer = GetObjectAttributesResponse {
        modify_time: Some(timestamp_to_proto(row.modified)),
        ..GetObjectAttributesResponse::default()
    };
    for attribute in wanted {
        match attribute {
            ObjectAttribute::Unspecified => {}
            ObjectAttribute::Etag => answer.etag = meta.etag.to_string(),
            ObjectAttribute::Checksum => {
                let checksum = meta.checksum.as_ref();
                answer.checksum = checksum.map(|sum| checksum_to_proto(sum, 0));
            }
            ObjectAttribute::Parts => answer.parts = parts(&stored.data, page),
            ObjectAttribute::StorageClass => STORAGE_CLASS.clone_into(&mut answer.storage_class),
            ObjectAttribute::Size => {
                answer.size = Some(i64::try_from(meta.size).unwrap_or(i64::MAX));
            }
        }
    }
    answer
}

/// A page of the parts; none if the object was sent whole.
fn parts(data: &ObjectData, page: PartsPage) -> Option<ObjectParts> {
    let all = match data {
        ObjectData::Extents(layout) if !layout.parts.is_empty() => &layout.parts,
        ObjectData::Extents(_) | ObjectData::Inline(_) | ObjectData::Empty => return None,
    };
    let max = usize::try_from(page.max).unwrap_or(usize::MAX);
    let mut after = all.iter().filter(|part| part.number > page.after);
    let shown: Vec<&PartLayout> = after.by_ref().take(max).collect();
    let truncated = after.next().is_some();
    let last = shown.last().map_or(page.after, |part| part.number);
    Some(ObjectParts {
        part_count: i32::try_from(all.len()).unwrap_or(i32::MAX),
        part_number_marker: page.after.into(),
        next_part_number_marker: if truncated { last.into() } else { 0 },
        page_size: i32::try_from(page.max).unwrap_or(i32::MAX),
        truncated,
        parts: shown.into_iter().map(part_to_proto).collect(),
    })
}

fn part_to_proto(part: &PartLayout) -> ObjectPart {
    ObjectPart {
        part_number: part.number.into(),
        size: i64::try_from(part.size).unwrap_or(i64::MAX),
        checksum: part
            .checksum
            .as_ref()
            .map(|checksum| checksum_to_proto(checksum, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::model::Layout;

    fn of_parts(numbers: &[u16]) -> ObjectData {
        let part = |&number: &u16| PartLayout {
            number,
            size: u64::from(number) * 10,
            checksum: None,
        };
        ObjectData::Extents(Layout {
            extents: Vec::new(),
            parts: numbers.iter().map(part).collect(),
        })
    }

    /// Numbers shown, whether there are more, where they begin.
    fn page(after: u16, max: u32) -> (Vec<i32>, bool, i32) {
        let found = parts(&of_parts(&[1, 3, 10_000]), PartsPage { after, max }).unwrap();
        assert_eq!(found.part_count, 3);
        let numbers = found.parts.iter().map(|part| part.part_number).collect();
        (numbers, found.truncated, found.next_part_number_marker)
    }

    #[test]
    fn pages_of_parts() {
        assert_eq!(page(0, 1000), (vec![1, 3, 10_000], false, 0));
        assert_eq!(page(0, 3), (vec![1, 3, 10_000], false, 0));
        assert_eq!(page(0, 2), (vec![1, 3], true, 3));
        assert_eq!(page(3, 2), (vec![10_000], false, 0));
        assert_eq!(page(2, 1), (vec![3], true, 3));
        assert_eq!(page(10_000, 2), (vec![], false, 0));
        // Nothing is shown, but there is something.
        assert_eq!(page(1, 0), (vec![], true, 1));
    }

    #[test]
    fn what_was_sent_whole_has_no_parts() {
        let page = PartsPage { after: 0, max: 10 };
        for data in [
            ObjectData::Empty,
            ObjectData::Inline(bytes::Bytes::from_static(b"x")),
            of_parts(&[]),
        ] {
            assert_eq!(parts(&data, page), None);
        }
    }

    #[test]
    fn something_known_must_be_asked_for() {
        let asking = |attributes: &[i32]| {
            wanted(&GetObjectAttributesRequest {
                attributes: attributes.to_vec(),
                ..Default::default()
            })
        };
        assert!(asking(&[]).is_err() && asking(&[0]).is_err() && asking(&[1, 99]).is_err());
        assert_eq!(
            asking(&[5, 1]).unwrap(),
            [ObjectAttribute::Size, ObjectAttribute::Etag]
        );
    }
}
