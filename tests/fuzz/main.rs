//! libFuzzer's entry: `BUCKETRY_FUZZ_TARGET` names the target, `BUCKETRY_FUZZ_SEEDS` a directory to write its seeds to.

#![no_main]
#![allow(
    unsafe_code,
    missing_docs,
    reason = "libFuzzer's macro exports C functions"
)]

use std::path::PathBuf;
use std::sync::OnceLock;

use bucketry_fuzz::{TARGETS, Target};

static CHOSEN: OnceLock<Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("BUCKETRY_FUZZ_TARGET").unwrap_or_default();
        let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
        let target = TARGETS.iter().find(|target| target.name == name);
        let target = *target.unwrap_or_else(|| panic!("BUCKETRY_FUZZ_TARGET={name}: one of {}", known()));
        if let Some(directory) = std::env::var_os("BUCKETRY_FUZZ_SEEDS").map(PathBuf::from) {
            for (number, seed) in (target.seeds)().iter().enumerate() {
                let path = directory.join(format!("seed-{number}"));
                std::fs::write(&path, seed).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        CHOSEN.get_or_init(|| target);
    },
    |input: &[u8]| {
        if let Some(target) = CHOSEN.get() {
            (target.run)(input);
        }
    }
);
