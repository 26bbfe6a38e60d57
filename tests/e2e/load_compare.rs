//! The tool that compares servers: that it runs and prints every cell. Times are not judged.

use std::process::Command;

use bucketry_tests::error::HarnessError;
use bucketry_tests::server::binary;

const CELLS: [&str; 12] = [
    "S3 GET 4 KiB, hot",
    "S3 GET 4 KiB, all keys",
    "S3 HEAD all keys",
    "S3 GET 1 MiB",
    "S3 GET 64 MiB",
    "S3 LIST 1,000",
    "gRPC GET 4 KiB",
    "gRPC GET 1 MiB",
    "gRPC GET 16 MiB",
    "S3 PUT 4 KiB",
    "S3 PUT 64 KiB",
    "S3 PUT 1 MiB",
];
const COLUMNS: usize = 10;

#[test]
fn load_compare_prints_every_cell_of_nginx_and_the_server() -> Result<(), HarnessError> {
    let run = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["compare", "--quick", "--connections", "2", "--server"])
        .arg(binary()?)
        .output()
        .map_err(|source| HarnessError::Io {
            what: "run the load tool",
            source,
        })?;
    let table = String::from_utf8_lossy(&run.stdout);
    let told = format!("{table}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{told}");
    for cell in CELLS {
        for server in ["nginx GET", "bucketry"] {
            let head = format!("| {cell} | 2 | {server} |");
            let rows: Vec<_> = table
                .lines()
                .filter(|line| line.starts_with(&head))
                .collect();
            assert_eq!(rows.len(), 1, "{head}\n{told}");
            assert_eq!(rows[0].matches('|').count(), COLUMNS + 1, "{told}");
        }
    }
    Ok(())
}
