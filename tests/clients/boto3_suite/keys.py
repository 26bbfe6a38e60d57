"""Keys are bytes between the first slash and the question mark: never normalised."""

from harness import bucket, case, client, equal, read, refused, s3

ODD_KEYS = [
    "a//b",
    "a/b",
    "/leading",
    "//two leading",
    "trailing/",
    "trailing//",
    ".",
    "..",
    "../up",
    "a/../b",
    "a/./b",
    "plus+sign",
    "space in it",
    " leading space",
    "trailing space ",
    "percent%2Fencoded",
    "percent%",
    "%",
    "question?mark",
    "hash#mark",
    "amp&ersand=equals",
    "semi;colon,comma",
    "quote\"and'apostrophe",
    "less<greater>",
    "back\\slash",
    "brackets[]{}()",
    "tilde~at@colon:",
    "dollar$star*bang!",
    "ünïcödé",
    "e\u0301 is not \u00e9",
    "\u00e9",
    "日本語/キー",
    "emoji 🪣🦀",
    "control \x01\x1f\x7f",
    "tab\tand\nnewline\r",
    "\ufeffbom",
    "\u2028line separator",
    "x" * 1024,
    "ü" * 512,
]


@case
def odd_keys_are_kept_apart_and_come_back():
    name = bucket()
    for number, key in enumerate(ODD_KEYS):
        s3.put_object(Bucket=name, Key=key, Body=str(number).encode())
    for number, key in enumerate(ODD_KEYS):
        equal(read(name, key), str(number).encode(), f"content of {key[:40]!r}")
        equal(s3.head_object(Bucket=name, Key=key)["ContentLength"], len(str(number)), f"length of {key[:40]!r}")


@case
def odd_keys_are_listed():
    name = bucket()
    for key in ODD_KEYS:
        s3.put_object(Bucket=name, Key=key, Body=b"")
    wanted = sorted(ODD_KEYS, key=lambda key: key.encode())
    # boto3 asks for encoding-type=url by itself and decodes the answer.
    for listing in (s3.list_objects_v2, s3.list_objects):
        equal([entry["Key"] for entry in listing(Bucket=name)["Contents"]], wanted, "keys in byte order")


@case
def odd_keys_are_deleted():
    name = bucket()
    for key in ODD_KEYS:
        s3.put_object(Bucket=name, Key=key, Body=b"")
    for key in ODD_KEYS[::2]:
        s3.delete_object(Bucket=name, Key=key)
    # XML 1.0 cannot carry control characters, so neither can a request of DeleteObjects that a client writes.
    rest = [key for key in ODD_KEYS[1::2] if not any(character < " " for character in key)]
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": key} for key in rest]})
    equal(sorted(entry["Key"] for entry in answer["Deleted"]), sorted(rest), "deleted")
    left = {entry["Key"] for entry in s3.list_objects_v2(Bucket=name).get("Contents", [])}
    equal(left, set(ODD_KEYS[1::2]) - set(rest), "left")


@case
def prefix_is_a_string_and_not_a_folder():
    name = bucket()
    for key in ("foo", "foo/bar", "foobar", "fo"):
        s3.put_object(Bucket=name, Key=key, Body=b"")
    equal([entry["Key"] for entry in s3.list_objects_v2(Bucket=name, Prefix="foo")["Contents"]],
          ["foo", "foo/bar", "foobar"], "keys")


@case
def a_key_over_1024_bytes():
    name = bucket()
    for key in ("x" * 1025, "ü" * 513):
        with refused(400, "KeyTooLongError"):
            s3.put_object(Bucket=name, Key=key, Body=b"")


@case
def dots_are_kept_in_path_style():
    name = bucket()
    path = client(s3={"addressing_style": "path"})
    path.put_object(Bucket=name, Key="../../escape", Body=b"no")
    equal([entry["Key"] for entry in path.list_objects_v2(Bucket=name)["Contents"]], ["../../escape"], "keys")
