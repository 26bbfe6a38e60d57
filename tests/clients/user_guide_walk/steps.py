"""The guide in its order: each function proves the lines above it."""

import json
import os
import stat
import subprocess
import tempfile
from pathlib import Path

from plan import elsewhere, heading, proves, sample
from tools import Token, bucketry, check, read, refusal, run_sample, shown, token

BUCKET = "user-guide-overview"
# The bucket of the guide's reader, who begins with no token.
OWN = "user-guide-bucket"
OTHER = "user-guide-other"
ALL = ("read", "list", "write", "delete")
PERMISSIONS = {
    "read-only": {"read": "", "list": "", "write": "AccessDenied", "delete": "AccessDenied"},
    "write-only": {"read": "AccessDenied", "list": "AccessDenied", "write": "", "delete": "AccessDenied"},
    "read-write": dict.fromkeys(ALL, ""),
}
made: dict[str, Token] = {}


def holds_to(permission: str) -> None:
    of = token(BUCKET, permission, permission)
    for action, code in PERMISSIONS[permission].items():
        found = of.may(action)
        check(found == code, f"{permission}: {action} gives {found!r}, not {code!r}")


@proves("Creating API Access Key", "Learn how to create API access keys")
def keys_are_made() -> None:
    for bucket in (BUCKET, OWN, OTHER):
        bucketry("bucket", "create", bucket)
    made["first"] = token(BUCKET, "first", "read-write")
    check(made["first"].may("write") == "", "the key does not write")


heading("Overview", "Why You Need API Access Keys")


@proves("In order to integrate S3 storage in your app")
def objects_are_managed() -> None:
    s3 = made["first"].s3()
    s3.put_object(Bucket=BUCKET, Key="stored", Body=b"stored", Metadata={"a": "b"})
    check(s3.get_object(Bucket=BUCKET, Key="stored")["Body"].read() == b"stored", "another content")
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/stored")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    check(keys == ["copy", "stored"], f"other keys: {keys}")
    s3.delete_object(Bucket=BUCKET, Key="copy")
    check(s3.head_object(Bucket=BUCKET, Key="stored")["Metadata"] == {"a": "b"}, "other metadata")


heading("Key Features")


@proves("- S3 Compatible")
def is_compatible() -> None:
    s3 = made["first"].s3()
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload=parts)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "parts"})
    fetched = subprocess.run(["curl", "-sf", url], capture_output=True, check=True).stdout
    check(fetched == b"part", f"by a presigned URL: {fetched!r}")


@proves("- Multiple Keys")
def many_keys() -> None:
    keys = [token(BUCKET, f"one of many {number}", "read-only") for number in range(25)]
    check(len({key.key for key in keys}) == 25, "a key id came twice")
    check(all(key.may("list") == "" for key in keys), "a key does not work")
    listed = bucketry("token", "list", "--bucket", BUCKET)
    check(all(key.key in listed for key in keys), "a key is not listed")


@proves("- Secure Storage")
def is_shown_only_on_demand() -> None:
    of = made["first"]
    told = [
        bucketry("token", "list", "--bucket", BUCKET, "--output", "json"),
        bucketry("token", "show", "--bucket", BUCKET, of.id, "--output", "json"),
        bucketry("token", "audit", "--bucket", BUCKET, "--output", "json"),
    ]
    check(not any(of.secret in text for text in told), "the secret is shown unasked")


@proves("- Flexible Permissions")
def three_permissions() -> None:
    for permission in PERMISSIONS:
        check(shown(token(BUCKET, permission, permission))["permission"].lower().endswith(
            permission.replace("-", "_")), permission)


@proves("- IP Restrictions")
def addresses_are_restricted() -> None:
    check(token(BUCKET, "n", "read-only", "--allow-ip", "10.0.0.0/8").may("list") == "AccessDenied", "from outside")
    check(token(BUCKET, "n", "read-only", "--allow-ip", "127.0.0.0/8").may("list") == "", "from inside")


heading("Prerequisites")


@proves("- An existing S3 bucket")
def a_bucket_must_be_there() -> None:
    said = refusal("token", "create", "--bucket", "no-such-bucket", "--name", "n", "--permission", "read-only")
    check("NO_SUCH_BUCKET" in said, said)


@proves("- Access to bucket administration")
def tokens_make_no_tokens() -> None:
    of = made["first"]
    said = refusal(
        "token", "list", "--bucket", BUCKET, BUCKETRY_ACCESS_KEY_ID=of.key, BUCKETRY_SECRET_ACCESS_KEY=of.secret
    )
    check("ACCESS_DENIED" in said, said)


heading("- Understanding of API key security best practices", "Important Security Considerations")
heading("Security Best Practices:")


@proves("- Keep Keys Secret", "- Store Securely")
def goes_into_the_environment() -> None:
    of = made["first"]
    text = bucketry("token", "show", "--bucket", BUCKET, of.id, "--secret", "--output", "env")
    names = [line.split("=")[0] for line in text.splitlines()]
    check(names == ["AWS_ENDPOINT_URL", "BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], f"{names}")


@proves("- Use Least Privilege")
def no_permission_grants_more() -> None:
    holds_to("write-only")
    check(made["first"].may("list", OTHER) == "AccessDenied", "another bucket is open")
    check(made["first"].may("list", "no-such-bucket") == "AccessDenied", "a missing bucket is told from a foreign one")


@proves("- Rotate Regularly: Regularly rotate")
def rotates_by_cloning() -> None:
    old = token(BUCKET, "rotated", "read-only", "--allow-ip", "127.0.0.1")
    new = read(json.loads(bucketry("token", "clone", "--bucket", BUCKET, old.id, "--output", "json")))
    check(new.key != old.key and new.secret != old.secret, "the same keys")
    check(shown(new)["allowedIps"] == ["127.0.0.1"] and shown(new)["name"] == "rotated", "other settings")
    check((old.may("list"), new.may("list")) == ("", ""), "both work for a while")
    bucketry("token", "revoke", "--bucket", BUCKET, old.id)
    check((old.may("list"), new.may("list")) == ("InvalidAccessKeyId", ""), "the old one ends, the new one stays")


@proves("- Monitor Usage: Monitor API key usage")
def usage_is_told() -> None:
    of = token(BUCKET, "monitored", "read-only")
    for _ in range(3):
        of.may("list")
    of.may("write")
    told = json.loads(bucketry("token", "usage", "--bucket", BUCKET, of.id, "--output", "json"))
    counts = {count["class"]: count["requests"] for count in told["total"]["counts"]}
    denials = {denial["reason"]: denial["requests"] for denial in told["total"]["denials"]}
    check(counts == {"REQUEST_CLASS_LIST": "3"}, f"{counts}")
    check(denials == {"DECISION_REASON_PERMISSION": "1"}, f"{denials}")
    check(told["lastUse"]["clientAddress"] == "127.0.0.1", f"{told['lastUse']}")
    chart = bucketry("token", "usage", "--bucket", BUCKET, of.id, "--since", "24h")
    check("█" in chart and "list" in chart, chart)


@proves("- Revoke Unused Keys")
def unused_keys_are_seen_and_removed() -> None:
    of = token(BUCKET, "unused", "read-only")
    line = next(line for line in bucketry("token", "list", "--bucket", BUCKET).splitlines() if of.key in line)
    check("never" in line, line)
    bucketry("token", "revoke", "--bucket", BUCKET, of.id)
    check(of.may("list") == "InvalidAccessKeyId", "a revoked key works")
    bucketry("token", "purge", "--bucket", BUCKET, of.id)
    check(of.key not in bucketry("token", "list", "--bucket", BUCKET), "a purged key is listed")


heading("Creating API Access Key", "Step 1: Access API Access Tab")


@proves("In order to create an API token or API key, navigate", "On this tab, you will see that currently there is no token")
def no_token_yet() -> None:
    check(bucketry("token", "list", "--bucket", OWN) == "no tokens\n", "there are tokens")


heading("Step 2: Create New Token")


@proves('Click on "Add token"')
def there_is_a_way_to_add_one() -> None:
    check("create" in bucketry("token", "--help").split(), "there is no `create`")


heading("Step 3: Configure Token")


@proves("Once you click, a prompt will open", "- Token Name", "- Permission: Select permission level:")
def name_and_permission_are_asked_for() -> None:
    said = refusal("token", "create", "--bucket", OWN)
    check("--name" in said and "--permission" in said, said)
    for name in ("production-app", "backup-script"):
        of = token(BUCKET, name, "read-only")
        check(shown(of)["name"] == name, "another name")


@proves("- Read only: Can only read/download objects")
def read_only() -> None:
    holds_to("read-only")


@proves("- Write only: Can only upload/modify objects")
def write_only() -> None:
    holds_to("write-only")


@proves("- Read & Write: Can read, upload, modify, and delete objects")
def read_and_write() -> None:
    holds_to("read-write")


@proves("- Allowed IP Addresses (optional): Restrict")
def allowed() -> None:
    check(token(BUCKET, "n", "read-only").may("list") == "", "it is not optional")
    check(token(BUCKET, "n", "read-only", "--allow-ip", "192.0.2.1").may("list") == "AccessDenied", "from elsewhere")
    check(token(BUCKET, "n", "read-only", "--allow-ip", "127.0.0.1", "--allow-ip", "192.0.2.1").may("list") == "", "here")


@proves("- Disallowed IP Addresses (optional): Block")
def disallowed() -> None:
    check(token(BUCKET, "n", "read-only", "--deny-ip", "192.0.2.1").may("list") == "", "another's address")
    check(token(BUCKET, "n", "read-only", "--deny-ip", "127.0.0.0/8").may("list") == "AccessDenied", "one's own")
    both = token(BUCKET, "n", "read-only", "--allow-ip", "127.0.0.1", "--deny-ip", "127.0.0.1")
    check(both.may("list") == "AccessDenied", "disallowed beats allowed")


@proves('Add these details and click "Create token".')
def is_created() -> None:
    text = bucketry(
        "token", "create", "--bucket", OWN, "--name", "production-app", "--permission", "read-write",
        "--allow-ip", "127.0.0.0/8", "--deny-ip", "192.0.2.1",
    )
    values = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    values = {name: value.strip() for name, value in values.items()}
    made["shown"] = Token(
        values["Bucket name"], values["AWS access key ID"], values["Endpoint URL"], values["AWS access key ID"],
        values["AWS secret access key"],
    )


heading("Step 4: Token Created")


@proves("Once you click, your token is created and will be shown immediately on screen.")
def is_shown_at_once_and_later() -> None:
    of = made["shown"]
    check(of.may("write") == "", "it does not work at once")
    again = bucketry("token", "show", "--bucket", OWN, of.key, "--secret")
    check(of.secret in again and of.key in again and of.endpoint in again, "it is not shown again")
    events = bucketry("token", "audit", "--bucket", OWN, of.key)
    check("token.show_secret" in events, events)


@proves(
    "The details will contain:", "S3 Credentials:", "- Endpoint URL: The S3 endpoint URL for API requests",
    "- Bucket Name: Your bucket name", "- AWS Access Key ID: Your access key identifier",
    "- AWS Secret Access Key: Your secret access key",
)
def the_details() -> None:
    again = bucketry("token", "show", "--bucket", OWN, made["shown"].key, "--secret")
    names = [line.split(":")[0].lower() for line in again.splitlines()]
    check(names == ["endpoint url", "bucket name", "aws access key id", "aws secret access key"], f"{names}")


heading("Managing API Keys", "Editing Token Settings")


def edited(*change: str) -> dict:
    of = made["shown"]
    return json.loads(bucketry("token", "edit", "--bucket", OWN, of.key, *change, "--output", "json"))["token"]


@proves("You can edit your token and make changes like:", "- Token name")
def the_name() -> None:
    check(edited("--name", "renamed")["name"] == "renamed", "another name")


@proves("- Allowed IP Addresses")
def the_allowed_addresses() -> None:
    edited("--allow-ip", "192.0.2.0/24")
    check(made["shown"].may("list") == "AccessDenied", "the edit has no effect")
    edited("--allow-any-ip")
    check(made["shown"].may("list") == "", "the edit has no effect")


@proves("- Disallowed IP Addresses")
def the_disallowed_addresses() -> None:
    edited("--deny-ip", "127.0.0.1")
    check(made["shown"].may("list") == "AccessDenied", "the edit has no effect")
    edited("--deny-no-ip")
    check(made["shown"].may("list") == "", "the edit has no effect")


@proves("In order to edit your token (like token name, Allowed IP Addresses")
def all_in_one_edit() -> None:
    after = edited("--name", "all of it", "--allow-ip", "127.0.0.0/8", "--deny-ip", "192.0.2.1")
    found = (after["name"], after["allowedIps"], after["disallowedIps"])
    check(found == ("all of it", ["127.0.0.0/8"], ["192.0.2.1"]), f"{found}")


@proves("You cannot change the permission level or regenerate")
def what_never_changes() -> None:
    of = made["shown"]
    for change in ("--permission", "--access-key-id", "--secret-access-key"):
        said = refusal("token", "edit", "--bucket", OWN, of.key, change, "read-only")
        check("never change: make a new token" in said, said)
    for field in ("permission", "access_key_id", "secret_access_key"):
        edit = {"bucket": OWN, "tokenId": of.key, "permission": "PERMISSION_READ_ONLY"}
        said = grpcurl("UpdateToken", {"token": edit, "updateMask": {"paths": [field]}})
        check("IMMUTABLE_FIELD" in said and field in said, said)
    different = token(OWN, "another permission", "read-only")
    check((of.may("write"), different.may("write")) == ("", "AccessDenied"), "a new token has the other permission")


def grpcurl(method: str, asked: dict) -> str:
    address = os.environ["BUCKETRY_ENDPOINT"].removeprefix("http://")
    key = f"{os.environ['BUCKETRY_ACCESS_KEY_ID']}.{os.environ['BUCKETRY_SECRET_ACCESS_KEY']}"
    ended = subprocess.run(
        ["grpcurl", "-plaintext", "-H", f"authorization: Bearer {key}", "-d", json.dumps(asked), address,
         f"bucketry.v1.TokenService/{method}"],
        capture_output=True, text=True, check=False,
    )
    return ended.stdout + ended.stderr


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

heading("Best Practices", "Security")


@proves("- Never Commit Keys")
def leaked_keys_can_be_found() -> None:
    # What a scanner of repositories looks for: a prefix of their own.
    of = made["shown"]
    check(of.key.startswith("BKTY") and of.secret.startswith("bkty_"), "no prefix to scan for")


@proves("- Use Environment Variables: Store keys in environment variables")
def the_environment_is_enough() -> None:
    run_sample("python-environment", made["shown"])


@proves("- Rotate Regularly: Create new keys")
def new_for_old() -> None:
    rotates_by_cloning()


@proves("- Limit Permissions")
def minimum_permissions() -> None:
    holds_to("read-only")


@proves("- Use IP Restrictions")
def restrictions_are_possible() -> None:
    addresses_are_restricted()


heading("Code Organization")


@proves("- Separate Configuration")
def by_a_config_file() -> None:
    of = made["shown"]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        config.write_text(
            f"[profile kept-apart]\nendpoint_url = {of.endpoint}\naws_access_key_id = {of.key}\n"
            f"aws_secret_access_key = {of.secret}\n", encoding="utf-8",
        )
        config.chmod(stat.S_IRUSR | stat.S_IWUSR)
        subprocess.run(
            ["aws", "--profile", "kept-apart", "s3", "ls", f"s3://{OWN}/"],
            env={**os.environ, "AWS_CONFIG_FILE": str(config)}, check=True, capture_output=True,
        )


@proves("- Use .env Files: Use", ".envfiles for local development (add to.gitignore) - Document Usage:")
def env_files_and_names() -> None:
    run_sample("node-environment", made["shown"])
    # What a key is for stands in its name.
    check(shown(token(BUCKET, "nightly backup of the wiki", "write-only"))["name"] == "nightly backup of the wiki", "name")


@proves("- Monitor Usage: Regularly check")
def usage_is_told_in_the_list() -> None:
    of = shown(made["shown"])
    check(int(of["requestCount"]) > 0 and of["lastUse"]["operation"], f"{of}")


heading("Troubleshooting", "Connection Errors")


@proves("- Check Endpoint URL")
def a_wrong_endpoint() -> None:
    code = made["shown"].may("list", endpoint_url="http://localhost:1")
    check(code == "EndpointConnectionError", code)


@proves("- Check Credentials")
def wrong_credentials() -> None:
    of = made["shown"]
    check(of.may("list", aws_access_key_id="BKTYAAAAAAAAAAAAAAAA") == "InvalidAccessKeyId", "another key id")
    check(of.may("list", aws_secret_access_key=of.secret[:-1]) == "SignatureDoesNotMatch", "another secret")


@proves("- Check Permissions: Verify the token has")
def explained_by_permission() -> None:
    of = token(OWN, "explained", "write-only")
    check(of.may("list") == "AccessDenied", "it may list")
    explained = bucketry("token", "explain", "--bucket", OWN, of.id, "--operation", "ListObjectsV2")
    check("denied" in explained and "write-only lacks LIST" in explained, explained)


@proves("- Check IP Restrictions")
def explained_by_address() -> None:
    of = token(OWN, "explained", "read-only", "--deny-ip", "127.0.0.0/8")
    check(of.may("list") == "AccessDenied", "it may list")
    denials = bucketry("token", "denials", "--bucket", OWN, of.id)
    check("127.0.0.1" in denials and "disallowed_ips: 127.0.0.0/8" in denials, denials)


heading("Access Denied Errors")


@proves("- Check Permissions: Verify the token permission level")
def the_level_is_shown() -> None:
    for permission in PERMISSIONS:
        of = token(OWN, permission, permission)
        check(permission in bucketry("token", "show", "--bucket", OWN, of.id), permission)


@proves("- Check Bucket Name")
def a_wrong_bucket() -> None:
    check(made["shown"].may("list", "mistyped-bucket") == "AccessDenied", "a mistyped bucket")


@proves("- Check Object Path")
def a_wrong_path() -> None:
    check(made["shown"].may("missing") == "NoSuchKey", "who may read is told that it is missing")
    check(token(OWN, "w", "write-only").may("missing") == "AccessDenied", "who may not is not")


@proves("- Check Token Status")
def the_status_is_shown() -> None:
    of = token(OWN, "ended", "read-only")
    check("active" in bucketry("token", "show", "--bucket", OWN, of.id), "active")
    bucketry("token", "suspend", "--bucket", OWN, of.id)
    check(of.may("list") == "InvalidAccessKeyId", "a suspended token works")
    bucketry("token", "resume", "--bucket", OWN, of.id)
    check(of.may("list") == "", "a resumed token does not work")
    bucketry("token", "revoke", "--bucket", OWN, of.id)
    check(of.may("list") == "InvalidAccessKeyId", "a revoked token works")
    check("revoked" in bucketry("token", "show", "--bucket", OWN, of.id), "revoked")


heading("Cannot List Objects")


@proves("- Read Permission: Ensure token has read permission")
def listing_needs_read() -> None:
    found = {permission: token(OWN, "l", permission).may("list") for permission in PERMISSIONS}
    check(found == {"read-only": "", "write-only": "AccessDenied", "read-write": ""}, f"{found}")


@proves("- Bucket Access")
def the_right_bucket() -> None:
    check((made["shown"].may("list"), made["shown"].may("list", OTHER)) == ("", "AccessDenied"), "which bucket")


@proves("- Endpoint Configuration")
def the_endpoint_is_told() -> None:
    text = bucketry("token", "show", "--bucket", OWN, made["shown"].key, "--secret", "--output", "env")
    check(f"AWS_ENDPOINT_URL={made['shown'].endpoint}\n" in text, "the endpoint")


heading("Next Steps")


@proves("- Learn about Uploading", "- Explore Accessing and Downloading")
def up_and_down() -> None:
    s3 = made["shown"].s3()
    with tempfile.TemporaryDirectory() as folder:
        there, back = Path(folder) / "there", Path(folder) / "back"
        # Large enough to go in parts.
        there.write_bytes(bytes(range(256)) * 40_000)
        s3.upload_file(str(there), OWN, "large")
        s3.download_file(OWN, "large", str(back))
        check(there.read_bytes() == back.read_bytes(), "what came back differs")


@proves("- Review Managing Bucket Permissions for team access")
def teams_have_accounts() -> None:
    bucketry("account", "create", "The Team")
    check("The Team" in bucketry("account", "list"), "the account is not listed")
