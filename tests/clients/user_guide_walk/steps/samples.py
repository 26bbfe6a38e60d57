"""Using a key: the credentials, the shell, Python and Node.js."""

import subprocess

from plan import elsewhere, heading, proves, sample
from steps.reader import OWN, made
from tools import check, run_sample

heading("Using Your API Keys", "Understanding Your Credentials")


@proves(
    "When you create a token, you receive these credentials:", "- Endpoint URL: The S3 API endpoint (e.g.,",
    "https://s3.kloudbean.com) - Bucket Name:", "my-bucket) - AWS Access Key ID:",
    "- AWS Secret Access Key: Your private secret key",
)
def the_credentials() -> None:
    of = made["shown"]
    check(of.endpoint.startswith("http") and of.bucket == OWN, f"{of.endpoint} {of.bucket}")
    check(len(of.key) == 20 and of.key.isalnum() and of.key.isupper(), of.key)
    check(len(of.secret) >= 40 and not set(of.secret) & set("/+=% "), "a secret that has to be quoted somewhere")


heading("Quick Start Guide", "Here's a simple guide", "Testing in Shell (AWS CLI)", "Install AWS CLI")


@proves("First, install AWS CLI")
def the_aws_cli_is_there() -> None:
    found = subprocess.run(["aws", "--version"], capture_output=True, text=True, check=True).stdout
    check(found.startswith("aws-cli/"), found)


elsewhere("# On macOS", "brew install awscli", "# On Linux", "sudo apt-get install awscli", "# On Windows", "# Download")


def in_the_shell() -> None:
    run_sample("aws-cli", made["shown"])


heading("Configure Credentials")
heading("Set your credentials as environment variables:")
# The commands are typed into one shell: all of them run with the first.
sample("aws-cli.sh.txt", 0, 3, in_the_shell)
heading("Test Connection", "Test your connection by listing bucket contents:")
sample("aws-cli.sh.txt", 3, 4, None)
heading("Upload a File")
sample("aws-cli.sh.txt", 4, 5, None)
heading("Download a File")
sample("aws-cli.sh.txt", 5, 6, None)

heading("Using in Python", "Install boto3")


@proves("First, install the boto3 library:", "pip install boto3")
def boto3_is_there() -> None:
    import boto3

    check(boto3.__version__, "no version")


heading("Basic Example")
sample("basic.py", 0, None, lambda: run_sample("python-basic", made["shown"]))
heading("Using Environment Variables (Recommended)", "For better security, use environment variables:")
sample("env.py", 0, None, lambda: run_sample("python-environment", made["shown"]))
heading("Using in Node.js", "Install AWS SDK")


@proves("First, install the AWS SDK:", "npm install aws-sdk")
def the_aws_sdk_is_there() -> None:
    subprocess.run(["node", "-e", "require('aws-sdk')"], check=True)


heading("Basic Example")
sample("basic.js", 0, None, lambda: run_sample("node-basic", made["shown"]))
heading("Using Environment Variables (Recommended)", "For better security, use environment variables:")
sample("env.js", 0, None, lambda: run_sample("node-environment", made["shown"]))
heading("Create a .env file:")
# Written by the run of the sample before it, which finds its values nowhere else.
sample("env.txt", 0, None, None)
