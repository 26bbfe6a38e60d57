//! What is read with the current rows of a request's key and bucket.

use std::sync::Arc;

use crate::catalog::model::{ObjectRow, StoredObject};
use crate::catalog::{AccessRows, Catalog, CatalogError, ObjectRead};
use crate::domain::ObjectKey;

/// Reads the current rows of those that were seen, and an object or what is needed of it.
pub(super) trait CurrentRead: Sync {
    type Object: Send;

    fn read(
        &self,
        catalog: &Catalog,
        seen: &AccessRows,
    ) -> impl Future<Output = Result<ObjectRead<Self::Object>, CatalogError>> + Send;
}

/// Nothing but the rows.
pub(super) struct NoObject;

/// The object of a key.
pub(super) struct WholeObject<'k>(pub(super) &'k ObjectKey);

/// The object of a key without its data.
pub(super) struct ObjectRowOf<'k>(pub(super) &'k ObjectKey);

impl CurrentRead for NoObject {
    type Object = ();

    async fn read(
        &self,
        catalog: &Catalog,
        seen: &AccessRows,
    ) -> Result<ObjectRead<()>, CatalogError> {
        let rows = catalog.current_rows(seen).await?;
        Ok(ObjectRead { rows, object: () })
    }
}

impl CurrentRead for WholeObject<'_> {
    type Object = Option<Arc<StoredObject>>;

    async fn read(
        &self,
        catalog: &Catalog,
        seen: &AccessRows,
    ) -> Result<ObjectRead<Self::Object>, CatalogError> {
        catalog.read_object(seen, self.0).await
    }
}

impl CurrentRead for ObjectRowOf<'_> {
    type Object = Option<Arc<ObjectRow>>;

    async fn read(
        &self,
        catalog: &Catalog,
        seen: &AccessRows,
    ) -> Result<ObjectRead<Self::Object>, CatalogError> {
        catalog.read_object_row(seen, self.0).await
    }
}
