//! Three nodes on one PostgreSQL and one cloud store, behind HAProxy and under load, while each of them fails.

use bucketry_tests::error::HarnessError;
use bucketry_tests::faults::{Schedule, judge, run, table};

#[test]
fn cluster_faults_lose_nothing_and_pass() -> Result<(), HarnessError> {
    let course = run(&Schedule::chosen())?;
    report(&table(&course));
    let broken = judge(&course);
    assert!(
        broken.is_empty(),
        "{} broken promises:\n{}",
        broken.len(),
        broken.join("\n")
    );
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the table is for the reader of the run"
)]
fn report(text: &str) {
    println!("{text}");
}
