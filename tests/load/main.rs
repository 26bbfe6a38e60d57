//! The load tool: measures a server (`run`, `matrix`, `compare`, `list-scaling`) and kills it to see what survives (`crash`).
//! Every run is bounded in time, in operations and in memory.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod cell;
mod compare;
mod connection;
mod crash;
mod fairness;
mod fault;
mod grpc;
mod list_scaling;
mod matrix;
mod prepare;
mod regress;
mod report;
mod run;
mod s3;
mod server;
mod sigv4;
mod target;
mod usage;

#[derive(Parser)]
#[command(
    name = "load",
    version,
    about = "Measures a bucketry server, or kills it to see what survives"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure one operation against a server that runs.
    Run(run::Options),
    /// Start a server and measure every operation, size and number of connections.
    Matrix(matrix::Options),
    /// Measure nginx, a server and others in turns over many keys and tokens.
    Compare(compare::Options),
    /// Start two binaries alternately and compare the CPU time of their reads, listings and writes
    Regress(regress::Options),
    /// Start a server and compare listing a small bucket with listing a large one.
    ListScaling(list_scaling::Options),
    /// Start a server and measure what one account leaves to another
    Fairness(fairness::Options),
    /// Start a server, kill it again and again under load, and check what it has kept.
    Crash(crash::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Matrix(options) => matrix::run(&options),
        Command::Compare(options) => compare::run(&options),
        Command::Regress(options) => regress::run(&options),
        Command::ListScaling(options) => list_scaling::run(&options),
        Command::Fairness(options) => fairness::run(&options),
        Command::Crash(options) => crash::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Nothing is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "load: {fault}");
            ExitCode::FAILURE
        }
    }
}
