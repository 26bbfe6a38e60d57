//! The browser console: its files, which are part of the program, and which pages may call the services.

mod files;
mod origins;

pub use files::ConsoleFiles;
pub(crate) use origins::CallingPage;
pub use origins::Origins;
