//! OpenDAL, as its documentation says to use it.

use bucketry_client_tests_rust::{
    BIG_BYTES, Failure, PART_BYTES, Settings, check, content, report, same, small,
};
use opendal::services::S3;
use opendal::{EntryMode, ErrorKind, Operator};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // The feature that does this before `main` is off: it would bring another dependency.
    opendal::install_default();
    let settings = Settings::from_environment()?;
    let run = Run {
        operator: operator(&settings)?,
        names: expressible(&settings.names),
    };
    check(run.names.len() > 100, || {
        format!("only {} names are paths", run.names.len())
    })?;
    run.write_and_read_all().await?;
    run.list_all().await?;
    run.copy_all().await?;
    run.metadata().await?;
    run.multipart().await?;
    run.typed_errors().await?;
    run.delete_all().await?;
    let exercised = [
        "check",
        "write",
        "read",
        "stat",
        "list with pages",
        "copy",
        "user metadata",
        "multipart by 5 MiB",
        "range",
        "concurrent read",
        "write if absent",
        "delete",
        "delete_iter",
        "typed errors",
    ];
    report("OpenDAL", opendal::raw::VERSION, &exercised);
    Ok(())
}

fn operator(settings: &Settings) -> Result<Operator, Failure> {
    let builder = S3::default()
        .bucket(&settings.bucket)
        .endpoint(&settings.endpoint)
        .region("us-east-1");
    let builder = if settings.path_style {
        builder
    } else {
        builder.enable_virtual_host_style()
    };
    Ok(Operator::new(builder)?)
}

/// OpenDAL trims white space at both ends of a path, drops empty segments, and takes a slash at the end for a folder.
fn expressible(names: &[String]) -> Vec<String> {
    let kept = |name: &&String| {
        name.trim() == name.as_str() && name.split('/').all(|segment| !segment.is_empty())
    };
    names.iter().filter(kept).cloned().collect()
}

struct Run {
    operator: Operator,
    names: Vec<String>,
}

impl Run {
    async fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.operator.read(path).await?.to_vec())
    }

    async fn write_and_read_all(&self) -> Result<(), Failure> {
        self.operator.check().await?;
        for name in &self.names {
            self.operator.write(name, small(name)).await?;
        }
        for name in &self.names {
            same(&self.read(name).await?, &small(name), name)?;
            let stat = self.operator.stat(name).await?;
            check(stat.content_length() == small(name).len() as u64, || {
                format!("{name}: {stat:?}")
            })?;
        }
        Ok(())
    }

    async fn list(&self) -> Result<Vec<String>, Failure> {
        let listed = self
            .operator
            .list_with("")
            .recursive(true)
            .limit(40)
            .await?;
        let files = listed
            .iter()
            .filter(|entry| entry.metadata().mode() == EntryMode::FILE);
        Ok(files.map(|entry| entry.path().to_owned()).collect())
    }

    async fn list_all(&self) -> Result<(), Failure> {
        bucketry_client_tests_rust::same_names(&self.list().await?, &self.names, "list")
    }

    async fn copy_all(&self) -> Result<(), Failure> {
        for name in &self.names {
            self.operator.copy(name, "copied").await?;
            same(
                &self.read("copied").await?,
                &small(name),
                &format!("copy of {name}"),
            )?;
        }
        Ok(())
    }

    async fn metadata(&self) -> Result<(), Failure> {
        let project = ("project".to_owned(), "green house".to_owned());
        let write = self
            .operator
            .write_with("described", "described")
            .content_type("text/plain");
        write
            .cache_control("max-age=60")
            .user_metadata([project])
            .await?;
        let stat = self.operator.stat("described").await?;
        let project = stat.user_metadata().and_then(|all| all.get("project"));
        check(project.is_some_and(|value| value == "green house"), || {
            format!("metadata: {stat:?}")
        })?;
        check(stat.content_type() == Some("text/plain"), || {
            format!("content type: {stat:?}")
        })?;
        let again = self
            .operator
            .write_with("described", "again")
            .if_not_exists(true)
            .await;
        let refused = again
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::ConditionNotMatch);
        check(refused, || format!("write if absent: {again:?}"))
    }

    async fn multipart(&self) -> Result<(), Failure> {
        let (path, sent) = ("by parts/big + object", content("multipart", BIG_BYTES));
        self.operator
            .write_with(path, sent.clone())
            .chunk(PART_BYTES)
            .concurrent(3)
            .await?;
        same(&self.read(path).await?, &sent, "multipart object")?;
        let part = PART_BYTES as u64;
        let range = self
            .operator
            .read_with(path)
            .range(part - 100..part + 100)
            .await?
            .to_vec();
        same(&range, &sent[PART_BYTES - 100..PART_BYTES + 100], "range")?;
        let pieces = self
            .operator
            .read_with(path)
            .chunk(1 << 20)
            .concurrent(4)
            .await?
            .to_vec();
        same(&pieces, &sent, "concurrent read")
    }

    async fn typed_errors(&self) -> Result<(), Failure> {
        let not_found = |error: opendal::Error| error.kind() == ErrorKind::NotFound;
        check(
            self.operator.read("missing").await.is_err_and(not_found),
            || "read of a missing key".to_owned(),
        )?;
        check(
            self.operator.stat("missing").await.is_err_and(not_found),
            || "stat of a missing key".to_owned(),
        )?;
        check(
            self.operator
                .copy("missing", "x")
                .await
                .is_err_and(not_found),
            || "copy of a missing key".to_owned(),
        )
    }

    async fn delete_all(&self) -> Result<(), Failure> {
        self.operator.delete("described").await?;
        self.operator.delete_iter(self.list().await?).await?;
        let left = self.list().await?;
        check(left.is_empty(), || format!("left are {left:?}"))
    }
}
