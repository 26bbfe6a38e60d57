//! Submits the changes of test cases: by the service itself at [`T0`], unless a case says otherwise.

use crate::mutation::Mutation;
use crate::testing::T0;
use crate::{Catalog, CatalogError, Refusal, TypedChange};

impl<C: TypedChange> From<C> for Mutation<C> {
    fn from(change: C) -> Self {
        Self::by_system(T0, change)
    }
}

impl Catalog {
    pub(crate) async fn make<C: TypedChange>(
        &self,
        change: impl Into<Mutation<C>>,
    ) -> Result<C::Answer, CatalogError> {
        self.submit(change.into()).await
    }
}

/// The refusal that a change met.
pub(super) async fn refusal<C: TypedChange>(
    catalog: &Catalog,
    change: impl Into<Mutation<C>>,
) -> Refusal
where
    C::Answer: std::fmt::Debug,
{
    match catalog.make(change).await {
        Err(CatalogError::Refused(refusal)) => refusal,
        other => panic!("should have been refused: {other:?}"),
    }
}
