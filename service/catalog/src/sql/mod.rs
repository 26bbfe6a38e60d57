//! One way to speak SQL to two engines: statements as text with `$n` placeholders and typed arguments. The few places
//! where the engines need different text are in [`Dialect`] and in the listing queries.

mod checks;
mod connection;
mod dialect;
mod durability;
mod error;
mod link;
mod locks;
mod migrations;
mod pools;
mod postgres;
mod postgres_lease;
mod record;
mod row;
mod select;
mod sqlite;
mod start;
mod statement;
mod table;
mod take_locks;
mod texts;
mod watchdog;

pub use checks::{CheckFailure, DatabaseCheck, check_database};
pub(crate) use connection::{Connection, Unfinished};
pub(crate) use dialect::{Dialect, MarkTime};
pub use error::DatabaseError;
pub(crate) use error::Fault;
pub(crate) use pools::Pools;
pub(crate) use record::{Column, Columns, Stores, columns, excerpt, record};
pub(crate) use row::{Row, RowVisitor};
pub(crate) use select::{ReadAt, Select};
pub(crate) use sqlite::{Sqlite, SqliteLease};
pub(crate) use statement::{Arg, Statement, Value};
pub(crate) use table::{Excerpt, Kind, Record, Table};
