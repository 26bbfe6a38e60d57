//! How the model is stored: one file per table, and the packed forms of what one column holds.

mod access_key;
mod account;
mod audit;
mod bucket;
mod bucket_setting;
mod change;
mod codes;
mod garbage;
mod layout;
mod object;
mod object_data;
mod part;
mod upload;
mod usage;

pub(crate) use audit::AuditRow;
pub(crate) use bucket_setting::SettingRow;
pub(crate) use change::{LogRow, StatisticsRow};
pub(crate) use codes::size;
pub(crate) use garbage::{BlobRefRow, GarbageRow};
pub(crate) use layout::unpack_layout;
pub(crate) use object::read_data;
pub(crate) use object_data::{DataRow, StoredData};
pub(crate) use part::PartRow;
pub(crate) use usage::StoredDenial;
