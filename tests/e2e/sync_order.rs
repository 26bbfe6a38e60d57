//! The order of system calls: what a write needs is on the disk before its answer is sent, and nothing is deleted before
//! its answer.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use bucketry_tests::error::HarnessError;
use bucketry_tests::server::ServerOptions;

use crate::wire::{Wire, with_body};

const MIN_PART: usize = 5 * 1024 * 1024;

/// A system call that has returned.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    name: String,
    /// The file of its first argument.
    file: String,
    text: String,
}

/// The calls of all threads in the order in which they returned.
fn calls(trace: &str) -> Vec<Call> {
    let mut unfinished = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, line)) = line.trim_start().split_once(' ') else {
            continue;
        };
        let line = line.trim_start();
        if let Some(begun) = line.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread.to_owned(), begun.to_owned());
            continue;
        }
        let text = match line.starts_with("<... ") {
            true => unfinished.remove(thread).unwrap_or_default() + line,
            false => line.to_owned(),
        };
        let Some((name, arguments)) = text.split_once('(') else {
            continue;
        };
        let file = arguments.split_once('<').map_or("", |(_, rest)| rest);
        let file = file.split_once('>').map_or("", |(file, _)| file);
        calls.push(Call {
            name: name.to_owned(),
            file: file.to_owned(),
            text: text.clone(),
        });
    }
    calls
}

impl Call {
    fn is_sync_of(&self, part_of_path: &str) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync") && self.file.contains(part_of_path)
    }

    fn is_read_of(&self, text: &str) -> bool {
        matches!(self.name.as_str(), "read" | "recvfrom" | "readv") && self.text.contains(text)
    }

    fn is_answer(&self) -> bool {
        matches!(self.name.as_str(), "write" | "writev" | "sendto")
            && self.text.contains("HTTP/1.1 2")
    }

    fn deletes(&self, part_of_path: &str) -> bool {
        matches!(self.name.as_str(), "unlink" | "unlinkat") && self.text.contains(part_of_path)
    }
}

/// The calls between a request and its answer. The server's first read of a connection takes 24 bytes, so requests are
/// identified by these bytes; if several requests begin alike, the last one is used.
fn between<'a>(calls: &'a [Call], request: &str) -> &'a [Call] {
    assert!(request.len() <= 24, "{request:?}");
    let begun = calls.iter().rposition(|call| call.is_read_of(request));
    let begun = begun.unwrap_or_else(|| panic!("{request:?} was not read"));
    let calls = &calls[begun..];
    let end = calls.iter().position(Call::is_answer);
    &calls[..end.unwrap_or_else(|| panic!("{request:?} was not answered"))]
}

fn first(calls: &[Call], what: &str, is: impl Fn(&Call) -> bool) -> usize {
    let found = calls.iter().position(is);
    found.unwrap_or_else(|| panic!("no {what} before the answer: {calls:#?}"))
}

fn last_log_sync(calls: &[Call]) -> usize {
    let found = calls.iter().rposition(|call| call.is_sync_of("-wal"));
    found.unwrap_or_else(|| panic!("no sync of the log before the answer: {calls:#?}"))
}

/// One upload of each kind, and a deletion.
fn write(wire: &Wire) -> Result<(), HarnessError> {
    assert_eq!(wire.put("s", b"content")?.status, 200);
    assert_eq!(wire.put("l", &vec![b'x'; 1_000_000])?.status, 200);
    let begin = wire.signed(with_body(wire.request("POST", "p?uploads"), b""))?;
    let begun = wire.send(begin)?;
    let id = begun
        .element("UploadId")
        .ok_or(HarnessError::Incomplete("UploadId"))?;
    let target = format!("p?partNumber=1&uploadId={id}");
    let part = with_body(wire.request("PUT", &target), &vec![b'a'; MIN_PART]);
    let part = wire.send(wire.signed(part)?)?;
    let etag = part.find("etag").ok_or(HarnessError::Incomplete("etag"))?;
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let target = format!("p?uploadId={id}");
    let complete = with_body(wire.request("POST", &target), list.as_bytes());
    assert_eq!(wire.send(wire.signed(complete)?)?.status, 200);
    let delete = wire.signed(wire.request("DELETE", "l"))?;
    assert_eq!(wire.send(delete)?.status, 204);
    Ok(())
}

fn traced(output: &Path) -> ServerOptions {
    let output = output.to_string_lossy().into_owned();
    // As a grandchild, so that signals reach the server itself.
    ServerOptions::new().through(&[
        "strace",
        "-D",
        "-f",
        "-y",
        "-s",
        "300",
        "-e",
        "trace=read,recvfrom,readv,write,writev,sendto,fsync,fdatasync,unlink,unlinkat",
        "-o",
        &output,
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_acknowledged_is_on_the_disk() -> Result<(), HarnessError> {
    let directory = tempfile::tempdir().map_err(|source| HarnessError::Io {
        what: "make a directory",
        source,
    })?;
    let output = directory.path().join("trace");
    let mut wire = Wire::with(traced(&output)).await?;
    write(&wire)?;
    wire.server.stop()?;
    let trace = fs::read_to_string(&output).map_err(|source| HarnessError::Io {
        what: "read the trace",
        source,
    })?;
    let calls = calls(&trace);

    last_log_sync(between(&calls, "PUT /wire-test-bucket/s "));
    let with_timestamps = |call: &&Call| call.name == "fsync" && call.file.ends_with("-wal");
    let needless = calls.iter().find(with_timestamps);
    assert!(
        needless.is_none(),
        "the log is synced with its timestamps: {needless:?}"
    );

    let large = between(&calls, "PUT /wire-test-bucket/l ");
    let blob = first(large, "sync of the blob", |call| {
        call.is_sync_of("/blobs/blobs/")
    });
    let directory = first(&large[blob + 1..], "sync of the blob's directory", |call| {
        call.is_sync_of("/blobs/blobs/")
    });
    let log = last_log_sync(large);
    assert!(
        blob + 1 + directory < log,
        "the blob after the row that refers to it: {large:#?}"
    );

    let part = between(&calls, "PUT /wire-test-bucket/p?");
    let blob = first(part, "sync of the part", |call| {
        call.is_sync_of("/blobs/blobs/")
    });
    assert!(blob < last_log_sync(part), "{part:#?}");

    let complete = between(&calls, "POST /wire-test-bucket/p");
    last_log_sync(complete);
    assert!(
        !complete.iter().any(|call| call.deletes("/blobs/blobs/")),
        "{complete:#?}"
    );

    let delete = between(&calls, "DELETE /wire-test-bucket");
    last_log_sync(delete);
    assert!(
        !delete.iter().any(|call| call.deletes("/blobs/blobs/")),
        "a blob is deleted with its object: {delete:#?}"
    );
    Ok(())
}

#[test]
fn calls_are_read_as_they_return() {
    let trace = "11 recvfrom(9<socket:[1]>, \"PUT /b/k HTTP/1.1\\r\\n\", 64, 0, NULL, NULL) = 20\n\
                 12 fdatasync(7</data/catalog.sqlite-wal> <unfinished ...>\n\
                 11 writev(9<socket:[1]>, [{iov_base=\"HTTP/1.1 200 OK\\r\\n\"}], 1) = 17\n\
                 12 <... fdatasync resumed>) = 0\n";
    let calls = calls(trace);
    let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["recvfrom", "writev", "fdatasync"]);
    assert!(calls[2].is_sync_of("-wal"));
    assert!(
        !between(&calls, "PUT /b/k ")
            .iter()
            .any(|call| call.is_sync_of("-wal"))
    );
}
