"""Creating and editing tokens."""

import json
import os
import subprocess

from plan import heading, proves
from steps.reader import BUCKET, OWN, holds_to, made
from tools import Token, bucketry, check, refusal, shown, token

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
