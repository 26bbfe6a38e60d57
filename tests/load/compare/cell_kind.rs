//! What is measured.

use clap::ValueEnum;

use crate::report::{Operation, size_name};
use crate::target::Front;

const KIBIBYTE: u64 = 1024;
const MEBIBYTE: u64 = 1024 * KIBIBYTE;
/// One measurement writes no more than this, so that the disk needs only a few GB.
const MOST_WRITTEN: u64 = 512 * MEBIBYTE;

/// A kind of cell: an operation through a front on objects of a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CellKind {
    #[value(name = "get-4k-hot")]
    Get4KiBHot,
    #[value(name = "get-4k-all")]
    Get4KiBAll,
    #[value(name = "head-all")]
    HeadAll,
    #[value(name = "get-1m")]
    Get1MiB,
    #[value(name = "get-64m")]
    Get64MiB,
    #[value(name = "list-1000")]
    List1000,
    #[value(name = "grpc-get-4k")]
    GrpcGet4KiB,
    #[value(name = "grpc-get-1m")]
    GrpcGet1MiB,
    #[value(name = "grpc-get-16m")]
    GrpcGet16MiB,
    #[value(name = "put-4k")]
    Put4KiB,
    #[value(name = "put-64k")]
    Put64KiB,
    #[value(name = "put-1m")]
    Put1MiB,
}

/// Which objects are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRange {
    /// A few that every cache holds.
    Hot,
    /// All of them, with all tokens in turn.
    All,
}

impl CellKind {
    /// Reads come before writes, so that what is written does not slow what is read.
    pub(crate) const ALL: [Self; 12] = [
        Self::Get4KiBHot,
        Self::Get4KiBAll,
        Self::HeadAll,
        Self::Get1MiB,
        Self::Get64MiB,
        Self::List1000,
        Self::GrpcGet4KiB,
        Self::GrpcGet1MiB,
        Self::GrpcGet16MiB,
        Self::Put4KiB,
        Self::Put64KiB,
        Self::Put1MiB,
    ];

    /// Which operation.
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Get4KiBHot
            | Self::Get4KiBAll
            | Self::Get1MiB
            | Self::Get64MiB
            | Self::GrpcGet4KiB
            | Self::GrpcGet1MiB
            | Self::GrpcGet16MiB => Operation::Get,
            Self::HeadAll => Operation::Head,
            Self::List1000 => Operation::List,
            Self::Put4KiB | Self::Put64KiB | Self::Put1MiB => Operation::Put,
        }
    }

    /// Through which front.
    pub(crate) fn front(self) -> Front {
        match self {
            Self::GrpcGet4KiB | Self::GrpcGet1MiB | Self::GrpcGet16MiB => Front::Grpc,
            Self::Get4KiBHot
            | Self::Get4KiBAll
            | Self::HeadAll
            | Self::Get1MiB
            | Self::Get64MiB
            | Self::List1000
            | Self::Put4KiB
            | Self::Put64KiB
            | Self::Put1MiB => Front::S3,
        }
    }

    /// Bytes of an object that is read, written or listed. nginx reads objects of this size for comparison.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::Get4KiBHot
            | Self::Get4KiBAll
            | Self::HeadAll
            | Self::List1000
            | Self::GrpcGet4KiB
            | Self::Put4KiB => 4 * KIBIBYTE,
            Self::Put64KiB => 64 * KIBIBYTE,
            Self::Get1MiB | Self::GrpcGet1MiB | Self::Put1MiB => MEBIBYTE,
            Self::GrpcGet16MiB => 16 * MEBIBYTE,
            Self::Get64MiB => 64 * MEBIBYTE,
        }
    }

    /// Which objects are read.
    pub(crate) fn scope(self) -> KeyRange {
        match self {
            Self::Get4KiBAll | Self::HeadAll | Self::List1000 => KeyRange::All,
            Self::Get4KiBHot
            | Self::Get1MiB
            | Self::Get64MiB
            | Self::GrpcGet4KiB
            | Self::GrpcGet1MiB
            | Self::GrpcGet16MiB
            | Self::Put4KiB
            | Self::Put64KiB
            | Self::Put1MiB => KeyRange::Hot,
        }
    }

    /// No measurement makes more operations than this.
    pub(crate) fn most_operations(self) -> u64 {
        match self.operation() {
            Operation::Put => MOST_WRITTEN / self.size(),
            Operation::Get | Operation::Head | Operation::List => u64::MAX,
        }
    }

    /// The name in the table.
    pub(crate) fn title(self) -> String {
        let front = match self.front() {
            Front::S3 => "S3",
            Front::Grpc => "gRPC",
        };
        let operation = self.operation();
        let size = size_name(self.size());
        let rest = match (operation, self.scope()) {
            (Operation::Get, KeyRange::All) => format!("{size}, all keys"),
            (Operation::Get, KeyRange::Hot) if self == Self::Get4KiBHot => format!("{size}, hot"),
            (Operation::Head, _) => "all keys".to_owned(),
            (Operation::List, _) => "1,000".to_owned(),
            (Operation::Get | Operation::Put, _) => size,
        };
        format!("{front} {} {rest}", operation.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_measured_and_has_a_title_of_its_own() {
        assert_eq!(CellKind::value_variants(), CellKind::ALL);
        let mut titles: Vec<_> = CellKind::ALL.map(CellKind::title).into();
        assert_eq!(titles[1], "S3 GET 4 KiB, all keys");
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), CellKind::ALL.len());
    }

    #[test]
    fn writes_are_bounded() {
        assert_eq!(CellKind::Put1MiB.most_operations(), 512);
        assert_eq!(CellKind::Get1MiB.most_operations(), u64::MAX);
    }
}
