"""Overview, key features, prerequisites and security considerations."""

import json
import subprocess

from plan import heading, proves
from steps.reader import BUCKET, OTHER, OWN, PERMISSIONS, holds_to, made
from tools import bucketry, check, read, refusal, shown, token


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
    check(made["first"].may("list", "no-such-bucket") == "AccessDenied", "a missing bucket is distinguished from a foreign one")


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
