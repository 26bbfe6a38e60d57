//! Real clients by their own scripts: one test a script.

use bucketry_contract::v1::Permission;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::postgres;
use bucketry_tests::script::{Interpreter, Script};
use bucketry_tests::server::{Server, ServerOptions};

const BUCKET: &str = "client-test-bucket";

/// Runs a script with a read-write token on a bucket of its own.
async fn with_token(script: Script) -> Result<String, HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let (_, credentials) = root.create_token(BUCKET, Permission::ReadWrite).await?;
    script
        .operator(&server)
        .token(&server, &credentials)
        .run()
        .await
}

/// Runs a script that makes its own buckets.
async fn with_root(script: Script) -> Result<String, HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    script.root_as_s3(&server).run().await
}

/// Runs a script that knows the operator's key only.
async fn with_operator(script: Script) -> Result<String, HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    script.operator(&server).run().await
}

async fn user_guide(sample: &str) -> Result<String, HarnessError> {
    with_token(Script::new(Interpreter::Python, "tests/clients/user_guide/run.py").argument(sample))
        .await
}

#[tokio::test]
async fn user_guide_aws_cli() -> Result<(), HarnessError> {
    user_guide("aws-cli").await.map(drop)
}

#[tokio::test]
async fn user_guide_python_basic() -> Result<(), HarnessError> {
    user_guide("python-basic").await.map(drop)
}

#[tokio::test]
async fn user_guide_python_environment() -> Result<(), HarnessError> {
    user_guide("python-environment").await.map(drop)
}

#[tokio::test]
async fn user_guide_node_basic() -> Result<(), HarnessError> {
    user_guide("node-basic").await.map(drop)
}

#[tokio::test]
async fn user_guide_node_environment() -> Result<(), HarnessError> {
    user_guide("node-environment").await.map(drop)
}

#[tokio::test]
async fn boto3() -> Result<(), HarnessError> {
    with_root(Script::new(
        Interpreter::Python,
        "tests/clients/boto3_suite",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn boto3_on_postgres() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let server = Server::start(ServerOptions::new().database_url(&url))?;
    let script = Script::new(Interpreter::Python, "tests/clients/boto3_suite");
    script.root_as_s3(&server).run().await.map(drop)
}

/// All permissions on one bucket, and another bucket of the same account.
#[tokio::test]
async fn permissions() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    crate::permissions::configure(&mut root, BUCKET).await?;
    root.create_bucket("other-client-test-bucket").await?;
    let mut script = Script::new(Interpreter::Python, "tests/clients/permissions_suite.py")
        .environment("AWS_ENDPOINT_URL", server.localhost_url())
        .environment("BUCKET_NAME", BUCKET)
        .environment("OTHER_BUCKET_NAME", "other-client-test-bucket");
    for (name, permission) in [
        ("READ_ONLY", Permission::ReadOnly),
        ("WRITE_ONLY", Permission::WriteOnly),
        ("READ_WRITE", Permission::ReadWrite),
    ] {
        let (_, credentials) = root.create_token(BUCKET, permission).await?;
        script = script
            .environment(format!("{name}_ACCESS_KEY_ID"), credentials.access_key_id)
            .environment(
                format!("{name}_SECRET_ACCESS_KEY"),
                credentials.secret_access_key,
            );
    }
    script.run().await.map(drop)
}

/// Each kind of token by `s3cmd info`, which asks for every setting that it knows.
#[tokio::test]
async fn s3cmd_info() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut root = Clients::root(&server).await?;
    root.create_bucket(BUCKET).await?;
    let mut script = Script::new(Interpreter::Bash, "tests/clients/s3cmd_info.sh")
        .environment("AWS_ENDPOINT_URL", server.localhost_url())
        .environment("BUCKET_NAME", BUCKET);
    for (name, permission) in [
        ("READ_ONLY", Permission::ReadOnly),
        ("READ_WRITE", Permission::ReadWrite),
    ] {
        let (_, credentials) = root.create_token(BUCKET, permission).await?;
        script = script
            .environment(format!("{name}_ACCESS_KEY_ID"), credentials.access_key_id)
            .environment(
                format!("{name}_SECRET_ACCESS_KEY"),
                credentials.secret_access_key,
            );
    }
    script.run().await.map(drop)
}

#[tokio::test]
async fn node_v3() -> Result<(), HarnessError> {
    with_token(Script::new(
        Interpreter::Node,
        "tests/clients/node/v3_suite.mjs",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn node_v2() -> Result<(), HarnessError> {
    with_token(Script::new(
        Interpreter::Node,
        "tests/clients/node/v2_suite.js",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn aws_cli() -> Result<(), HarnessError> {
    with_root(Script::new(
        Interpreter::Bash,
        "tests/clients/awscli_suite.sh",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn grpcurl_quickstart() -> Result<(), HarnessError> {
    with_operator(Script::new(
        Interpreter::Bash,
        "tests/clients/grpcurl_quickstart.sh",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn command_line() -> Result<(), HarnessError> {
    with_operator(Script::new(
        Interpreter::Bash,
        "tests/clients/command_line.sh",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn snippets() -> Result<(), HarnessError> {
    with_operator(Script::new(Interpreter::Bash, "tests/clients/snippets.sh"))
        .await
        .map(drop)
}

#[expect(clippy::print_stdout, reason = "how much was walked is a result")]
fn report(printed: &str) {
    println!("{}", printed.lines().last().unwrap_or_default());
}

#[tokio::test]
async fn user_guide_walk() -> Result<(), HarnessError> {
    let script = Script::new(Interpreter::Python, "tests/clients/user_guide_walk");
    report(&with_operator(script).await?);
    Ok(())
}

#[tokio::test]
async fn user_guide_walk_on_postgres() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    let server = Server::start(ServerOptions::new().database_url(&url))?;
    let script = Script::new(Interpreter::Python, "tests/clients/user_guide_walk");
    report(&script.operator(&server).run().await?);
    Ok(())
}

#[tokio::test]
async fn python_sdk() -> Result<(), HarnessError> {
    with_operator(Script::new(
        Interpreter::Python,
        "clients/python/tests/smoke.py",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn typescript_sdk() -> Result<(), HarnessError> {
    with_operator(Script::new(
        Interpreter::Node,
        "clients/typescript/test/smoke.mjs",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn python_sdk_readme() -> Result<(), HarnessError> {
    with_operator(Script::new(
        Interpreter::Python,
        "clients/python/tests/readme.py",
    ))
    .await
    .map(drop)
}

#[tokio::test]
async fn typescript_sdk_readme() -> Result<(), HarnessError> {
    with_operator(Script::new(
        Interpreter::Node,
        "clients/typescript/test/readme.mjs",
    ))
    .await
    .map(drop)
}
