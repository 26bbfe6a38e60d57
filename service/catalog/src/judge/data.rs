use super::State;
use crate::Refusal;
use crate::model::{DataPlace, Extent, NewData, ObjectData, PartData};
use crate::rows::StoredData;
use bucketry_domain::DataId;

/// Whether the blobs of new data are safe from the collector.
pub(super) fn check_data(state: &State, data: &NewData) -> Result<(), Refusal> {
    match data {
        NewData::Empty | NewData::Inline(_) => Ok(()),
        NewData::Extents(layout) => check_intents(state, &layout.extents),
        NewData::Shared { source, .. } => check_source(state, *source),
    }
}

/// Whether the blobs of a new part are safe from the collector.
pub(super) fn check_part_data(state: &State, data: &PartData) -> Result<(), Refusal> {
    match data {
        PartData::Extents(extents) => check_intents(state, extents),
        PartData::Shared { source, .. } => check_source(state, *source),
    }
}

fn check_intents(state: &State, extents: &[Extent]) -> Result<(), Refusal> {
    let lost = extents
        .iter()
        .map(|extent| extent.blob)
        .find(|blob| !state.batches.contains(&blob.batch) && !state.reclaimable.contains(blob));
    lost.map_or(Ok(()), |blob| Err(Refusal::IntentLost(blob.batch)))
}

fn check_source(state: &State, source: DataId) -> Result<(), Refusal> {
    if state.sources.contains(&source) {
        Ok(())
    } else {
        Err(Refusal::SourceGone)
    }
}

/// Plans the data row of a new version.
pub(super) fn store_data(state: &mut State, data: &NewData) -> (DataPlace, ObjectData) {
    match data {
        NewData::Empty => (DataPlace::Empty, ObjectData::Empty),
        NewData::Inline(bytes) => {
            let id = state.add_data(StoredData::Inline(bytes.clone()));
            (DataPlace::Inline(id), ObjectData::Inline(bytes.clone()))
        }
        NewData::Extents(layout) | NewData::Shared { layout, .. } => {
            let id = state.add_data(StoredData::Layout(layout.clone()));
            (DataPlace::Extents(id), ObjectData::Extents(layout.clone()))
        }
    }
}
