//! Fuzz targets: what parses bytes of strangers, each with what must hold of every answer.
//!
//! A target panics when something does not hold. `cargo test -p bucketry-fuzz` mutates the seeds of every target a fixed
//! number of times; `tests/fuzz/run TARGET SECONDS` lets libFuzzer do it, guided by coverage.

mod targets;

#[cfg(test)]
mod mutate;

/// One thing to be fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, as `tests/fuzz/run` takes it.
    pub name: &'static str,
    /// Takes any bytes; panics when what must hold does not.
    pub run: fn(&[u8]),
    /// Good inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    targets::authorization::TARGET,
    targets::presigned_query::TARGET,
    targets::request::TARGET,
    targets::chunk_framing::TARGET,
    targets::xml::TARGET,
    targets::range::TARGET,
    targets::copy_source::TARGET,
    targets::ip_list::TARGET,
    targets::forwarding::TARGET,
    targets::proxy_protocol::TARGET,
    targets::post_form::TARGET,
];
