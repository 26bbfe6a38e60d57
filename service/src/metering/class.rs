use crate::access::AccessClass;

/// The kinds of request that usage tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RequestClass {
    /// Reads an object, its metadata or its tags.
    Read,
    /// Lists objects, uploads or parts.
    List,
    /// Stores an object or part, copies, sets tags, ends an upload.
    Write,
    /// Deletes.
    Delete,
    /// All else: probes, ListBuckets, sessions, administration.
    Other,
}

impl RequestClass {
    /// All of them; each is at the place of its number.
    pub(crate) const ALL: [Self; 5] = [
        Self::Read,
        Self::List,
        Self::Write,
        Self::Delete,
        Self::Other,
    ];

    /// The class of a request that needs all of `classes`; `rpc` is what its RPC needs whatever is in it. A field that
    /// only administrators may set makes an upload no less of an upload.
    pub(crate) fn of(classes: &[AccessClass], rpc: impl FnOnce() -> Option<AccessClass>) -> Self {
        let all = || classes.iter().copied().map(Self::of_one);
        [Self::Delete, Self::Write, Self::Read, Self::List]
            .into_iter()
            .find(|&class| all().any(|one| one == class))
            .or_else(|| rpc().map(Self::of_one))
            .unwrap_or(Self::Other)
    }

    fn of_one(class: AccessClass) -> Self {
        match class {
            AccessClass::Read => Self::Read,
            AccessClass::List | AccessClass::ListParts => Self::List,
            AccessClass::Write | AccessClass::ReadWrite | AccessClass::Copy => Self::Write,
            AccessClass::Delete => Self::Delete,
            AccessClass::Public
            | AccessClass::Authenticated
            | AccessClass::BucketProbe
            | AccessClass::CreateBucket
            | AccessClass::BucketSetting
            | AccessClass::BucketAdmin
            | AccessClass::AccountAdmin
            | AccessClass::Operator
            | AccessClass::Edge => Self::Other,
        }
    }

    /// Its name in the catalog.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Other => "other",
        }
    }

    /// The class of a name in the catalog. One of a later version counts as other.
    pub(crate) fn named(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|class| class.name() == name)
            .unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for (number, class) in RequestClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, number);
            assert_eq!(RequestClass::named(class.name()), class);
        }
        assert_eq!(RequestClass::named("of-next-year"), RequestClass::Other);
    }

    #[test]
    fn the_strongest_need_names_the_class() {
        let of = |classes: &[AccessClass], rpc| RequestClass::of(classes, || Some(rpc));
        use AccessClass::{BucketAdmin, BucketProbe, Copy, Delete, ListParts, Read, Write};
        assert_eq!(of(&[Write, Delete], Write), RequestClass::Delete);
        assert_eq!(of(&[Copy], Copy), RequestClass::Write);
        assert_eq!(of(&[ListParts], ListParts), RequestClass::List);
        assert_eq!(of(&[BucketProbe], BucketProbe), RequestClass::Other);
        assert_eq!(of(&[Read], Read), RequestClass::Read);
        // An upload with an ACL, which administrators alone may set.
        assert_eq!(of(&[BucketAdmin], Write), RequestClass::Write);
        assert_eq!(of(&[BucketAdmin], BucketAdmin), RequestClass::Other);
    }
}
