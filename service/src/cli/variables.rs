use bucketry_edge::environment::{UnknownVariable, unknown_variables};
use clap::{Command, CommandFactory};

use super::Cli;
use crate::config::{VARIABLES_WITHOUT_FLAG, process_variable_names};

/// The `BUCKETRY_*` variables of this process that no command reads. They are ignored, and usually misspelled.
#[must_use]
pub fn unknown_process_variables() -> Vec<UnknownVariable> {
    unknown_variables(process_variable_names(), &known())
}

/// Every variable that a command of this program reads.
fn known() -> Vec<String> {
    let mut names = VARIABLES_WITHOUT_FLAG.map(str::to_owned).to_vec();
    collect(&Cli::command(), &mut names);
    names
}

fn collect(command: &Command, names: &mut Vec<String>) {
    let variables = command.get_arguments().filter_map(clap::Arg::get_env);
    names.extend(variables.filter_map(|name| name.to_str().map(str::to_owned)));
    for subcommand in command.get_subcommands() {
        collect(subcommand, names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_every_command_and_credentials_are_known() {
        let known = known();
        for name in [
            "BUCKETRY_LISTEN",
            "BUCKETRY_ENDPOINT",
            "BUCKETRY_CA_FILE",
            "BUCKETRY_KEYRING",
            "BUCKETRY_ROOT_SECRET_ACCESS_KEY",
            "BUCKETRY_ACCESS_KEY_ID",
        ] {
            assert!(known.iter().any(|known| known == name), "{name}");
        }
    }
}
