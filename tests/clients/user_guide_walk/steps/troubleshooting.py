"""Troubleshooting, and the next steps."""

import tempfile
from pathlib import Path

from plan import heading, proves
from steps.reader import OTHER, OWN, PERMISSIONS, made
from tools import bucketry, check, token

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
    check(made["shown"].may("missing") == "NoSuchKey", "a caller who may read learns that it is missing")
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
