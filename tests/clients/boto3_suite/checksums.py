"""Checksums: five algorithms, by header and by trailer, of objects and of parts."""

import base64
import hashlib
import io
import zlib

from harness import MIN_PART, bucket, case, client, equal, holds, pattern, read, refused, s3

BODY = pattern(70_000)


def _reflected_crc(polynomial: int, width: int):
    """A CRC with reflected input and output and all ones before and after: CRC-32C and CRC-64/NVME are such."""
    ones = (1 << width) - 1
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
        table.append(byte)

    def crc(data: bytes) -> bytes:
        value = ones
        for byte in data:
            value = value >> 8 ^ table[(value ^ byte) & 0xFF]
        return (value ^ ones).to_bytes(width // 8, "big")

    return crc


ALGORITHMS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": _reflected_crc(0x82F63B78, 32),
    "CRC64NVME": _reflected_crc(0x9A6C9329AC4BC9B5, 64),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
# The check values of the CRC catalogue.
assert ALGORITHMS["CRC32C"](b"123456789").hex() == "e3069283"
assert ALGORITHMS["CRC64NVME"](b"123456789").hex() == "ae8b14860a799888"
# boto3 computes CRC-32C and CRC-64/NVME only with an extension that is not installed here.
BY_BOTO3 = ("CRC32", "SHA1", "SHA256")


def encoded(algorithm: str, data: bytes) -> str:
    return base64.b64encode(ALGORITHMS[algorithm](data)).decode()


def stored(name: str, key: str, algorithm: str) -> tuple:
    head = s3.head_object(Bucket=name, Key=key, ChecksumMode="ENABLED")
    return head.get(f"Checksum{algorithm}"), head.get("ChecksumType")


@case
def by_header():
    name = bucket()
    for algorithm in ALGORITHMS:
        value = encoded(algorithm, BODY)
        put = s3.put_object(Bucket=name, Key=algorithm, Body=BODY, **{f"Checksum{algorithm}": value})
        equal(put.get(f"Checksum{algorithm}"), value, f"{algorithm} of the put")
        equal(stored(name, algorithm, algorithm), (value, "FULL_OBJECT"), f"{algorithm} of the head")


@case
def by_trailer():
    name = bucket()
    # A stream that cannot be read twice makes boto3 send the checksum after the body.
    for algorithm in BY_BOTO3:
        s3.put_object(Bucket=name, Key=algorithm, Body=io.BytesIO(BODY), ChecksumAlgorithm=algorithm)
        equal(stored(name, algorithm, algorithm)[0], encoded(algorithm, BODY), algorithm)
        holds(read(name, algorithm) == BODY, f"content with {algorithm}")


@case
def is_checked_when_read():
    name = bucket()
    for algorithm in BY_BOTO3:
        s3.put_object(Bucket=name, Key="k", Body=BODY, ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=name, Key="k", ChecksumMode="ENABLED")
        equal(got[f"Checksum{algorithm}"], encoded(algorithm, BODY), algorithm)
        holds(got["Body"].read() == BODY, "content differs")


@case
def is_silent_when_not_asked_for():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=BODY, ChecksumAlgorithm="SHA256")
    quiet = client(response_checksum_validation="when_required")
    holds("ChecksumSHA256" not in quiet.head_object(Bucket=name, Key="k"), "a checksum that was not asked for")


@case
def wrong_values():
    name = bucket()
    for algorithm in ALGORITHMS:
        with refused(400, "BadDigest", "InvalidRequest"):
            s3.put_object(Bucket=name, Key="k", Body=BODY, **{f"Checksum{algorithm}": encoded(algorithm, b"other")})
        with refused(400, "InvalidRequest", "InvalidDigest"):
            s3.put_object(Bucket=name, Key="k", Body=BODY, **{f"Checksum{algorithm}": "AA=="})
    with refused(404, "NoSuchKey"):
        s3.get_object(Bucket=name, Key="k")


@case
def content_md5():
    name = bucket()
    plain = client(request_checksum_calculation="when_required")
    good = base64.b64encode(hashlib.md5(BODY).digest()).decode()
    plain.put_object(Bucket=name, Key="k", Body=BODY, ContentMD5=good)
    with refused(400, "BadDigest"):
        plain.put_object(Bucket=name, Key="k", Body=b"other", ContentMD5=good)
    with refused(400, "InvalidDigest"):
        plain.put_object(Bucket=name, Key="k", Body=BODY, ContentMD5="no digest")
    holds(read(name, "k") == BODY, "a refused put replaced the object")


@case
def without_any():
    """The server computes CRC64NVME when the client sends nothing."""
    name = bucket()
    plain = client(request_checksum_calculation="when_required")
    plain.put_object(Bucket=name, Key="k", Body=BODY)
    equal(stored(name, "k", "CRC64NVME"), (encoded("CRC64NVME", BODY), "FULL_OBJECT"), "checksum")


@case
def composite_of_parts():
    name = bucket()
    bodies = [pattern(MIN_PART, seed=2), pattern(500, seed=4)]
    for algorithm in BY_BOTO3:
        target = {"Bucket": name, "Key": algorithm}
        created = s3.create_multipart_upload(ChecksumAlgorithm=algorithm, **target)
        equal(created.get("ChecksumAlgorithm"), algorithm, "algorithm")
        target["UploadId"] = created["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            part = s3.upload_part(PartNumber=number, Body=body, ChecksumAlgorithm=algorithm, **target)
            equal(part[f"Checksum{algorithm}"], encoded(algorithm, body), f"{algorithm} of part {number}")
            parts.append({"PartNumber": number, "ETag": part["ETag"], f"Checksum{algorithm}": part[f"Checksum{algorithm}"]})
        listed = s3.list_parts(**target)["Parts"]
        equal([part[f"Checksum{algorithm}"] for part in listed], [encoded(algorithm, body) for body in bodies], "list")
        done = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **target)
        wanted = encoded(algorithm, b"".join(ALGORITHMS[algorithm](body) for body in bodies)) + "-2"
        equal((done[f"Checksum{algorithm}"], done["ChecksumType"]), (wanted, "COMPOSITE"), f"{algorithm} of the whole")
        equal(stored(name, algorithm, algorithm), (wanted, "COMPOSITE"), f"{algorithm} of the head")


@case
def full_object_of_parts():
    name = bucket()
    bodies = [pattern(MIN_PART, seed=2), pattern(500, seed=4)]
    whole = b"".join(bodies)
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME"):
        target = {"Bucket": name, "Key": algorithm}
        target["UploadId"] = s3.create_multipart_upload(
            ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT", **target
        )["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            part = s3.upload_part(PartNumber=number, Body=body, **{f"Checksum{algorithm}": encoded(algorithm, body)}, **target)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        wanted = encoded(algorithm, whole)
        with refused(400, "BadDigest", "InvalidRequest"):
            s3.complete_multipart_upload(
                MultipartUpload={"Parts": parts},
                ChecksumType="FULL_OBJECT",
                **{f"Checksum{algorithm}": encoded(algorithm, b"other")},
                **target,
            )
        done = s3.complete_multipart_upload(
            MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT", **{f"Checksum{algorithm}": wanted}, **target
        )
        equal((done[f"Checksum{algorithm}"], done["ChecksumType"]), (wanted, "FULL_OBJECT"), algorithm)


@case
def of_a_part_that_is_wrong():
    name = bucket()
    target = {"Bucket": name, "Key": "k"}
    target["UploadId"] = s3.create_multipart_upload(ChecksumAlgorithm="SHA256", **target)["UploadId"]
    with refused(400, "BadDigest", "InvalidRequest"):
        s3.upload_part(PartNumber=1, Body=BODY, ChecksumSHA256=encoded("SHA256", b"other"), **target)
    holds("Parts" not in s3.list_parts(**target), "the refused part is listed")
