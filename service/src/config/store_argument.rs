use std::ffi::OsStr;
use std::fmt::Display;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::blobs::{StoreUrl, StoreUrlError};

/// Parses the URL of a store. The messages of clap's own parsers repeat a refused value, which may hold a secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreArgument;

impl TypedValueParser for StoreArgument {
    type Value = StoreUrl;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<StoreUrl, Error> {
        let refused = |reason: &dyn Display| {
            let name = argument.map(|argument| format!(" for '{argument}'"));
            let message = format!("invalid value{}: {reason}\n", name.unwrap_or_default());
            Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| refused(&"not UTF-8 text"))?;
        text.parse().map_err(|error: StoreUrlError| refused(&error))
    }
}
