//! Text to paste: what each client needs to use a token, with the token's own values.

use bucketry_contract::v1::{Credentials, Permission};
use clap::ValueEnum;
use http::Uri;
use serde_json::Value;

use crate::cli::CliError;
use crate::cli::shell_quote::shell_quote;

/// Whose settings to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Snippet {
    /// Variables and a command for the shell
    AwsCli,
    /// A Python program
    Boto3,
    /// A program for Node.js with `aws-sdk` (version 2)
    NodeV2,
    /// A module for Node.js with `@aws-sdk/client-s3` (version 3)
    NodeV3,
    /// A section for rclone.conf
    Rclone,
    /// A file for s3cmd
    S3cmd,
    /// A grpcurl command
    Grpcurl,
    /// NAME=value lines that a shell can source
    Env,
}

/// What a snippet is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup<'a> {
    pub(super) credentials: &'a Credentials,
    /// The region to sign for.
    pub(super) region: &'a str,
    /// What the token may do: the snippet tries nothing else.
    pub(super) permission: Permission,
}

impl Snippet {
    /// The text, ending with a line feed.
    ///
    /// # Errors
    /// [`CliError::Incomplete`] if the server's endpoint URL is none.
    pub(super) fn text(self, setup: &Setup<'_>) -> Result<String, CliError> {
        Ok(match self {
            Self::AwsCli => aws_cli(setup),
            Self::Boto3 => boto3(setup),
            Self::NodeV2 => node_v2(setup),
            Self::NodeV3 => node_v3(setup),
            Self::Rclone => rclone(setup),
            Self::S3cmd => s3cmd(setup)?,
            Self::Grpcurl => grpcurl(setup)?,
            Self::Env => env(setup),
        })
    }
}

impl Setup<'_> {
    fn writes_only(&self) -> bool {
        self.permission == Permission::WriteOnly
    }

    /// Host and port of the endpoint, and whether TLS is spoken there.
    fn host(&self) -> Result<(String, Tls), CliError> {
        let incomplete = || CliError::Incomplete {
            field: "credentials.endpoint_url",
        };
        let uri: Uri = (self.credentials.endpoint_url.parse()).map_err(|_| incomplete())?;
        let authority = uri.authority().ok_or_else(incomplete)?;
        let tls = if uri.scheme_str() == Some("https") {
            Tls::Yes
        } else {
            Tls::No
        };
        Ok((authority.to_string(), tls))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Yes,
    No,
}

/// A text as a literal of JavaScript and of Python.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

fn env(setup: &Setup<'_>) -> String {
    let credentials = setup.credentials;
    [
        ("AWS_ENDPOINT_URL", &credentials.endpoint_url),
        ("BUCKET_NAME", &credentials.bucket),
        ("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
    ]
    .iter()
    .map(|(name, value)| format!("{name}={}\n", shell_quote(value)))
    .collect()
}

fn aws_cli(setup: &Setup<'_>) -> String {
    let credentials = setup.credentials;
    let bucket = shell_quote(&credentials.bucket);
    let command = if setup.writes_only() {
        format!("echo hello | aws s3 cp - s3://{bucket}/hello.txt")
    } else {
        format!("aws s3 ls s3://{bucket}/")
    };
    format!(
        "export AWS_ENDPOINT_URL={}\n\
         export AWS_DEFAULT_REGION={}\n\
         export AWS_ACCESS_KEY_ID={}\n\
         export AWS_SECRET_ACCESS_KEY={}\n\
         {command}\n",
        shell_quote(&credentials.endpoint_url),
        shell_quote(setup.region),
        shell_quote(&credentials.access_key_id),
        shell_quote(&credentials.secret_access_key),
    )
}

fn boto3(setup: &Setup<'_>) -> String {
    let credentials = setup.credentials;
    let bucket = literal(&credentials.bucket);
    let call = if setup.writes_only() {
        format!("s3.put_object(Bucket={bucket}, Key=\"hello.txt\", Body=b\"hello\")\n")
    } else {
        format!(
            "for entry in s3.list_objects_v2(Bucket={bucket}).get(\"Contents\", []):\n    \
             print(entry[\"Key\"])\n"
        )
    };
    format!(
        "import boto3\n\n\
         s3 = boto3.client(\n    \
         \"s3\",\n    \
         endpoint_url={},\n    \
         region_name={},\n    \
         aws_access_key_id={},\n    \
         aws_secret_access_key={},\n\
         )\n\
         {call}",
        literal(&credentials.endpoint_url),
        literal(setup.region),
        literal(&credentials.access_key_id),
        literal(&credentials.secret_access_key),
    )
}

/// Without `signatureVersion` this SDK presigns by signature version 2 at every endpoint but Amazon's.
fn node_v2(setup: &Setup<'_>) -> String {
    let credentials = setup.credentials;
    let bucket = literal(&credentials.bucket);
    let call = if setup.writes_only() {
        format!(
            "s3.putObject({{ Bucket: {bucket}, Key: \"hello.txt\", Body: \"hello\" }}).promise()\n  \
             .then(() => console.log(\"stored hello.txt\"))\n"
        )
    } else {
        format!(
            "s3.listObjectsV2({{ Bucket: {bucket} }}).promise()\n  \
             .then((answer) => answer.Contents.forEach((entry) => console.log(entry.Key)))\n"
        )
    };
    format!(
        "const AWS = require(\"aws-sdk\");\n\n\
         const s3 = new AWS.S3({{\n  \
         endpoint: {},\n  \
         region: {},\n  \
         accessKeyId: {},\n  \
         secretAccessKey: {},\n  \
         s3ForcePathStyle: true,\n  \
         signatureVersion: 'v4',\n\
         }});\n\
         {call}  .catch((error) => {{ console.error(error.code, error.message); process.exitCode = 1; }});\n",
        literal(&credentials.endpoint_url),
        literal(setup.region),
        literal(&credentials.access_key_id),
        literal(&credentials.secret_access_key),
    )
}

fn node_v3(setup: &Setup<'_>) -> String {
    let credentials = setup.credentials;
    let bucket = literal(&credentials.bucket);
    let (command, call) = if setup.writes_only() {
        (
            "PutObjectCommand",
            format!(
                "await s3.send(new PutObjectCommand({{ Bucket: {bucket}, Key: \"hello.txt\", Body: \"hello\" }}));\n\
                 console.log(\"stored hello.txt\");\n"
            ),
        )
    } else {
        (
            "ListObjectsV2Command",
            format!(
                "const answer = await s3.send(new ListObjectsV2Command({{ Bucket: {bucket} }}));\n\
                 for (const entry of answer.Contents ?? []) console.log(entry.Key);\n"
            ),
        )
    };
    format!(
        "import {{ S3Client, {command} }} from \"@aws-sdk/client-s3\";\n\n\
         const s3 = new S3Client({{\n  \
         endpoint: {},\n  \
         region: {},\n  \
         credentials: {{\n    \
         accessKeyId: {},\n    \
         secretAccessKey: {},\n  \
         }},\n  \
         forcePathStyle: true,\n\
         }});\n\
         {call}",
        literal(&credentials.endpoint_url),
        literal(setup.region),
        literal(&credentials.access_key_id),
        literal(&credentials.secret_access_key),
    )
}

/// `no_check_bucket`: a token makes no buckets. `no_head`: what writes only may not look at what it wrote.
fn rclone(setup: &Setup<'_>) -> String {
    let credentials = setup.credentials;
    let bucket = &credentials.bucket;
    let (more, command) = if setup.writes_only() {
        (
            "no_head = true\nno_head_object = true\n",
            format!("rclone copyto --ignore-times FILE {bucket}:{bucket}/hello.txt"),
        )
    } else {
        ("", format!("rclone ls {bucket}:{bucket}"))
    };
    format!(
        "# {command}\n\
         [{bucket}]\n\
         type = s3\n\
         provider = Other\n\
         endpoint = {}\n\
         region = {}\n\
         access_key_id = {}\n\
         secret_access_key = {}\n\
         no_check_bucket = true\n\
         {more}",
        credentials.endpoint_url,
        setup.region,
        credentials.access_key_id,
        credentials.secret_access_key,
    )
}

/// `host_bucket` without `%(bucket)s` addresses buckets by the path.
fn s3cmd(setup: &Setup<'_>) -> Result<String, CliError> {
    let credentials = setup.credentials;
    let (host, tls) = setup.host()?;
    let https = match tls {
        Tls::Yes => "True",
        Tls::No => "False",
    };
    let bucket = &credentials.bucket;
    let command = if setup.writes_only() {
        format!("s3cmd -c FILE put hello.txt s3://{bucket}/hello.txt")
    } else {
        format!("s3cmd -c FILE ls s3://{bucket}/")
    };
    Ok(format!(
        "# {command}\n\
         [default]\n\
         host_base = {host}\n\
         host_bucket = {host}\n\
         use_https = {https}\n\
         bucket_location = {}\n\
         access_key = {}\n\
         secret_key = {}\n",
        setup.region, credentials.access_key_id, credentials.secret_access_key,
    ))
}

fn grpcurl(setup: &Setup<'_>) -> Result<String, CliError> {
    let credentials = setup.credentials;
    let (host, tls) = setup.host()?;
    let plaintext = match tls {
        Tls::Yes => "",
        Tls::No => "-plaintext ",
    };
    let bearer = format!(
        "authorization: Bearer {}.{}",
        credentials.access_key_id, credentials.secret_access_key
    );
    let (method, message) = if setup.writes_only() {
        (
            "PutSmallObject",
            serde_json::json!({
                "spec": { "bucket": credentials.bucket, "key": "hello.txt" },
                "data": "aGVsbG8=",
            }),
        )
    } else {
        (
            "ListObjects",
            serde_json::json!({ "bucket": credentials.bucket }),
        )
    };
    Ok(format!(
        "grpcurl {plaintext}-H {} \\\n  -d {} \\\n  {} bucketry.v1.ObjectService/{method}\n",
        shell_quote(&bearer),
        shell_quote(&message.to_string()),
        shell_quote(&host),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(snippet: Snippet, endpoint: &str, permission: Permission) -> String {
        let credentials = Credentials {
            endpoint_url: endpoint.into(),
            bucket: "photos".into(),
            access_key_id: "BKTY2".into(),
            secret_access_key: "bkty_2".into(),
        };
        let setup = Setup {
            credentials: &credentials,
            region: "eu-1",
            permission,
        };
        snippet.text(&setup).unwrap()
    }

    #[test]
    fn every_snippet_has_the_four_values() {
        for &snippet in Snippet::value_variants() {
            for permission in [
                Permission::ReadOnly,
                Permission::WriteOnly,
                Permission::ReadWrite,
            ] {
                let text = text(snippet, "https://s3.example.com:8443", permission);
                for value in ["s3.example.com:8443", "photos", "BKTY2", "bkty_2"] {
                    assert!(text.contains(value), "{snippet:?} lacks {value}: {text}");
                }
                assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text}");
            }
        }
    }

    #[test]
    fn what_writes_only_is_not_told_to_list() {
        for &snippet in Snippet::value_variants() {
            let lists = |permission| {
                let text = text(snippet, "http://localhost:9000", permission);
                [" ls ", "list_objects", "listObjects", "ListObjects"]
                    .iter()
                    .any(|word| text.contains(word))
            };
            assert!(!lists(Permission::WriteOnly), "{snippet:?}");
            assert_eq!(
                lists(Permission::ReadOnly),
                snippet != Snippet::Env,
                "{snippet:?}"
            );
        }
    }

    #[test]
    fn the_sdk_that_would_sign_by_version_2_is_told_not_to() {
        let text = text(
            Snippet::NodeV2,
            "http://localhost:9000",
            Permission::ReadWrite,
        );
        assert!(text.contains("signatureVersion: 'v4'"), "{text}");
    }

    #[test]
    fn plaintext_and_tls() {
        let grpcurl = |endpoint| text(Snippet::Grpcurl, endpoint, Permission::ReadOnly);
        assert_eq!(
            grpcurl("http://localhost:9000"),
            "grpcurl -plaintext -H 'authorization: Bearer BKTY2.bkty_2' \\\n  -d '{\"bucket\":\"photos\"}' \\\n  \
             localhost:9000 bucketry.v1.ObjectService/ListObjects\n"
        );
        assert!(!grpcurl("https://localhost:9000").contains("-plaintext"));
        let s3cmd = |endpoint| text(Snippet::S3cmd, endpoint, Permission::ReadOnly);
        assert!(s3cmd("http://localhost:9000").contains("use_https = False\n"));
        assert!(s3cmd("https://localhost:9000").contains("use_https = True\n"));
    }

    #[test]
    fn values_of_any_kind_stay_one_word() {
        let credentials = Credentials {
            endpoint_url: "http://localhost".into(),
            bucket: "b".into(),
            access_key_id: "K".into(),
            secret_access_key: "with 'quotes' and \"more\"".into(),
        };
        let setup = Setup {
            credentials: &credentials,
            region: "us-east-1",
            permission: Permission::ReadWrite,
        };
        let python = Snippet::Boto3.text(&setup).unwrap();
        assert!(
            python.contains(r#"="with 'quotes' and \"more\"""#),
            "{python}"
        );
        let shell = Snippet::AwsCli.text(&setup).unwrap();
        assert!(
            shell.contains(r#"='with '\''quotes'\'' and "more"'"#),
            "{shell}"
        );
    }
}
