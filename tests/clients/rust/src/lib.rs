//! What the clients of Rust share: the settings of a run, contents that can be computed again, checks, and the report.

use std::error::Error;

use serde_json::json;

/// Parts of multipart uploads, the last one excepted.
pub const PART_BYTES: usize = 5 << 20;
/// An object of three parts.
pub const BIG_BYTES: usize = 2 * PART_BYTES + PART_BYTES / 2 + 17;

/// Why a run ended early.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What the environment says about a run.
pub struct Settings {
    /// The URL of the server.
    pub endpoint: String,
    /// The bucket that the credentials are for.
    pub bucket: String,
    /// Whether the bucket stands in the path, not in the host.
    pub path_style: bool,
    /// Object names, all different.
    pub names: Vec<String>,
}

impl Settings {
    /// Reads the settings; credentials and region are left to the client.
    ///
    /// # Errors
    /// A variable is missing, or the names cannot be read.
    pub fn from_environment() -> Result<Self, Failure> {
        let text = std::fs::read_to_string(variable("CLIENT_NAMES")?)?;
        let names: Vec<String> = text
            .trim_end_matches('\n')
            .split('\n')
            .map(str::to_owned)
            .collect();
        check(names.len() > 100, || {
            format!("CLIENT_NAMES holds only {} names", names.len())
        })?;
        Ok(Self {
            endpoint: variable("AWS_ENDPOINT_URL")?,
            bucket: variable("BUCKET_NAME")?,
            path_style: variable("CLIENT_ADDRESSING")? == "path",
            names,
        })
    }
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// Fails with the message unless `holds`.
///
/// # Errors
/// It does not hold.
pub fn check(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(message().into()) }
}

/// Fails if what came back is not what was sent.
///
/// # Errors
/// The contents differ.
pub fn same(got: &[u8], sent: &[u8], what: &str) -> Result<(), Failure> {
    check(got == sent, || {
        format!(
            "{what}: {} bytes came back, {} were sent, or they differ",
            got.len(),
            sent.len()
        )
    })
}

/// Fails unless `got` holds exactly the names of `sent`, in the order of their bytes.
///
/// # Errors
/// A name is missing, unexpected or out of order.
pub fn same_names(got: &[String], sent: &[String], what: &str) -> Result<(), Failure> {
    let mut sorted = sent.to_vec();
    sorted.sort_unstable();
    let first = got
        .iter()
        .zip(&sorted)
        .find(|(found, expected)| found != expected);
    check(first.is_none(), || format!("{what}: {first:?} differ"))?;
    check(got.len() == sorted.len(), || {
        format!("{what}: {} entries, expected {}", got.len(), sorted.len())
    })
}

/// `length` bytes that no other name has.
#[must_use]
pub fn content(name: &str, length: usize) -> Vec<u8> {
    // FNV-1a derives a seed from the name, xorshift the bytes from the seed.
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut state = seed | 1;
    let mut result = Vec::with_capacity(length + 8);
    while result.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        result.extend_from_slice(&state.to_le_bytes());
    }
    result.truncate(length);
    result
}

/// The content of the object `name`: up to 3 KiB, and none for a few.
#[must_use]
pub fn small(name: &str) -> Vec<u8> {
    let length = if name.len().is_multiple_of(16) {
        0
    } else {
        name.len() * 37 % 3072
    };
    content(name, length)
}

/// Says that a client passed.
#[expect(clippy::print_stdout, reason = "the report goes to standard output")]
pub fn report(client: &str, version: &str, exercised: &[&str]) {
    println!(
        "RESULT {}",
        json!({"client": client, "version": version, "exercised": exercised})
    );
}

/// The version of a package that this workspace is built with.
///
/// # Errors
/// It is not built with that package, or with two versions of it.
pub fn locked_version(package: &str) -> Result<&'static str, Failure> {
    let header = format!("name = \"{package}\"\nversion = \"");
    let mut found = include_str!("../../../../Cargo.lock")
        .split(&header)
        .skip(1);
    let rest = found
        .next()
        .ok_or_else(|| format!("Cargo.lock has no {package}"))?;
    check(found.next().is_none(), || {
        format!("Cargo.lock has two versions of {package}")
    })?;
    Ok(rest.split('"').next().unwrap_or_default())
}
