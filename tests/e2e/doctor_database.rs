//! `bucketry doctor database`: it reports what a start would refuse, and changes nothing.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use bucketry_tests::cluster::{PostgresServer, SkewedClock};
use bucketry_tests::error::HarnessError;
use bucketry_tests::server::{Server, ServerOptions, binary};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// What the command wrote, and whether every check passed.
struct Answer {
    passed: bool,
    out: String,
}

fn doctor(
    arguments: &[&str],
    environment: &[(&'static str, OsString)],
) -> Result<Answer, HarnessError> {
    let output = Command::new(binary()?)
        .args(["doctor", "database"])
        .args(arguments)
        .envs(environment.iter().cloned())
        .output()
        .expect("to run");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let passed = output.status.success();
    assert_eq!(passed, errors.is_empty(), "{errors}");
    Ok(Answer {
        passed,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

impl Answer {
    /// The line of a check.
    fn line(&self, check: &str) -> &str {
        let name = format!("{check}: ");
        let line = self.out.lines().find(|line| line.contains(&name));
        line.unwrap_or_else(|| panic!("no {check} in {}", self.out))
    }

    fn problems(&self) -> usize {
        let problems = self.out.lines().filter(|line| line.starts_with("problem"));
        problems.count()
    }
}

#[test]
fn a_catalog_in_sqlite_is_checked_beside_its_server_and_at_rest() -> Result<(), HarnessError> {
    let mut server = Server::start(ServerOptions::new())?;
    let directory = server.data_dir().to_string_lossy().into_owned();
    let running = doctor(&["--data-dir", &directory], &[])?;
    assert!(running.passed, "{}", running.out);
    assert!(running.line("lock").contains("held"), "{}", running.out);
    server.stop()?;
    let stopped = doctor(&["--data-dir", &directory, "--output", "json"], &[])?;
    assert!(stopped.passed, "{}", stopped.out);
    let checks: Vec<Value> = serde_json::from_str(&stopped.out).expect("JSON");
    let names: Vec<_> = checks.iter().map(|check| &check["check"]).collect();
    assert_eq!(names, ["catalog", "lock", "schema", "quick_check", "modes"]);
    assert!(checks.iter().all(|check| check["passed"] == true));
    server.restart()?;
    let elsewhere = format!("{directory}/none");
    let missing = doctor(&["--data-dir", &elsewhere], &[])?;
    assert!(
        !missing.passed && missing.problems() == 1,
        "{}",
        missing.out
    );
    assert!(missing.line("catalog").contains("--data-dir"));
    assert!(!std::path::Path::new(&elsewhere).exists());
    Ok(())
}

#[tokio::test]
async fn a_postgres_server_is_checked_before_and_after_the_first_start() -> Result<(), HarnessError>
{
    // Started with fsync=off.
    let database = PostgresServer::start(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    let url = database.url();
    let arguments = ["--database-url", url.as_str()];
    let before = doctor(&arguments, &[])?;
    assert!(!before.passed && before.problems() == 1, "{}", before.out);
    assert!(before.line("fsync").contains("set fsync=on"));
    assert!(before.line("schema").starts_with("ok       schema: none"));
    for check in [
        "connection",
        "primary",
        "synchronous_commit",
        "locks",
        "clock",
    ] {
        assert!(before.line(check).starts_with("ok"), "{}", before.out);
    }

    let mut server = Server::start(ServerOptions::new().database_url(&url))?;
    let beside = doctor(&arguments, &[])?;
    assert_eq!(beside.problems(), 1, "{}", beside.out);
    assert!(
        beside
            .line("schema")
            .starts_with("ok       schema: version")
    );
    server.stop()?;

    let clock = SkewedClock::new()?;
    clock.set(-90)?;
    let slow = doctor(&arguments, &clock.variables())?;
    assert_eq!(slow.problems(), 2, "{}", slow.out);
    assert!(
        slow.line("clock").contains("s behind the database's"),
        "{}",
        slow.out
    );

    let options: PgConnectOptions = url.parse()?;
    let mut connection = options.connect().await?;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'a', TRUE, '', 0)",
    )
    .execute(&mut connection)
    .await?;
    connection.close().await?;
    let newer = doctor(&arguments, &[])?;
    assert_eq!(newer.problems(), 2, "{}", newer.out);
    assert!(
        newer.line("schema").contains("schema 9999"),
        "{}",
        newer.out
    );
    Ok(())
}

#[test]
fn a_database_out_of_reach_is_one_problem() -> Result<(), HarnessError> {
    let url = "postgres://user:hunter2@127.0.0.1:1/none";
    let answer = doctor(&["--database-url", url], &[])?;
    assert!(
        !answer.passed && answer.out.lines().count() == 1,
        "{}",
        answer.out
    );
    assert!(answer.line("connection").starts_with("problem"));
    assert!(!answer.out.contains("hunter2"), "{}", answer.out);
    Ok(())
}
