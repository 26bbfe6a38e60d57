"""Checksums: ten algorithms, by header and by trailer, of objects and of parts."""

import base64
import hashlib
import io
import zlib

from botocore.exceptions import ClientError

from harness import MIN_PART, Failure, bucket, case, client, equal, holds, pattern, read, refused, s3

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
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "MD5": lambda data: hashlib.md5(data).digest(),
}
# What Python cannot compute by itself: the values of some bodies by the reference implementation of xxHash.
XXHASH = {
    "XXHASH64": {b"123456789": "8cb841db40e6ae83", b"": "ef46db3751d8e999"},
    "XXHASH3": {b"123456789": "72dcb18b67a17dff", b"": "2d06800538d394c2"},
    "XXHASH128": {b"123456789": "33119477ede5dcd5e9716427681d5860", b"": "99aa06d3014798d86001c324468d497f"},
}
# The check values of the CRC catalogue.
assert ALGORITHMS["CRC32C"](b"123456789").hex() == "e3069283"
assert ALGORITHMS["CRC64NVME"](b"123456789").hex() == "ae8b14860a799888"
# boto3 computes CRC-32C and CRC-64/NVME only with an extension that is not installed here.
BY_BOTO3 = ("CRC32", "SHA1", "SHA256", "SHA512")


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
def xxhash():
    name = bucket()
    for algorithm, values in XXHASH.items():
        for body, value in values.items():
            value = base64.b64encode(bytes.fromhex(value)).decode()
            put = s3.put_object(Bucket=name, Key="k", Body=body, **{f"Checksum{algorithm}": value})
            equal(put.get(f"Checksum{algorithm}"), value, f"{algorithm} of the put")
            equal(stored(name, "k", algorithm), (value, "FULL_OBJECT"), f"{algorithm} of the head")
            with refused(400, "BadDigest"):
                s3.put_object(Bucket=name, Key="k", Body=b"other", **{f"Checksum{algorithm}": value})
            s3.copy_object(Bucket=name, Key="copy", CopySource=f"{name}/k", ChecksumAlgorithm=algorithm)
            equal(stored(name, "copy", algorithm)[0], value, f"{algorithm} of the copy")


@case
def algorithms_in_any_case():
    name = bucket()

    def lower(request, **_):
        for header in ("x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm", "x-amz-checksum-type"):
            if header in request.headers:
                value = request.headers[header]
                del request.headers[header]
                request.headers[header] = (value.decode() if isinstance(value, bytes) else value).lower()

    odd = client()
    odd.meta.events.register("before-sign.s3", lower)
    odd.put_object(Bucket=name, Key="k", Body=BODY, ChecksumAlgorithm="SHA256")
    equal(stored(name, "k", "SHA256")[0], encoded("SHA256", BODY), "put")
    odd.copy_object(Bucket=name, Key="copy", CopySource=f"{name}/k", ChecksumAlgorithm="SHA1")
    equal(stored(name, "copy", "SHA1")[0], encoded("SHA1", BODY), "copy")
    created = odd.create_multipart_upload(Bucket=name, Key="m", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    equal((created["ChecksumAlgorithm"], created["ChecksumType"]), ("CRC32", "FULL_OBJECT"), "upload")
    odd.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k"}]}, ChecksumAlgorithm="CRC32")


@case
def misuse():
    """Codes and texts of S3."""
    name = bucket()
    plain = client(request_checksum_calculation="when_required")
    put = {"Bucket": name, "Key": "k", "Body": BODY}

    def said(text: str, code: str, call, **options):
        try:
            call(**options)
        except ClientError as error:
            equal((error.response["Error"]["Code"], error.response["Error"]["Message"]), (code, text), "refusal")
        else:
            raise Failure(f"was not refused; wanted {text}")

    request, bad = "InvalidRequest", "BadDigest"
    said("Value for x-amz-checksum-crc32 header is invalid.", request, plain.put_object, ChecksumCRC32="bad", **put)
    said(
        "The CRC32 you specified did not match the calculated checksum.", bad, plain.put_object, ChecksumCRC32="AAAA/w==", **put
    )
    said(
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        request,
        plain.put_object,
        ChecksumCRC32=encoded("CRC32", BODY),
        ChecksumSHA1=encoded("SHA1", BODY),
        **put,
    )
    create = {"Bucket": name, "Key": "k"}
    for algorithm, kind in (("SHA256", "FULL_OBJECT"), ("XXHASH3", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")):
        said(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
            request,
            s3.create_multipart_upload,
            ChecksumAlgorithm=algorithm,
            ChecksumType=kind,
            **create,
        )
    said(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        request,
        s3.create_multipart_upload,
        ChecksumType="COMPOSITE",
        **create,
    )
    said(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        "[CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]",
        request,
        s3.create_multipart_upload,
        ChecksumAlgorithm="MD4",
        **create,
    )


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


@case
def parts_of_an_upload_without_algorithm():
    """As the SDKs upload by default: any checksum per part, CRC64NVME of the whole."""
    name = bucket()
    bodies = [pattern(MIN_PART, seed=2), pattern(500, seed=4)]
    whole = encoded("CRC64NVME", b"".join(bodies))
    for algorithm in ("CRC32", "SHA512", "CRC64NVME"):
        target = {"Bucket": name, "Key": algorithm}
        target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            value = {f"Checksum{algorithm}": encoded(algorithm, body)}
            part = s3.upload_part(PartNumber=number, Body=body, **value, **target)
            equal(part[f"Checksum{algorithm}"], encoded(algorithm, body), f"{algorithm} of part {number}")
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        listed = s3.list_parts(**target)["Parts"]
        equal([part[f"Checksum{algorithm}"] for part in listed], [encoded(algorithm, body) for body in bodies], "list")
        with refused(400, "InvalidPart"):
            wrong = [{**part, f"Checksum{algorithm}": encoded(algorithm, b"other")} for part in parts]
            s3.complete_multipart_upload(MultipartUpload={"Parts": wrong}, **target)
        with refused(400, "BadDigest"):
            value = encoded("CRC64NVME", b"other")
            s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, ChecksumCRC64NVME=value, **target)
        with refused(400, "InvalidRequest"):
            value = encoded("SHA512", b"".join(bodies))
            s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, ChecksumSHA512=value, **target)
        # "Currently accepted but not validated or stored with the object."
        done = s3.complete_multipart_upload(
            MultipartUpload={"Parts": parts}, ChecksumSHA256=encoded("SHA256", b"other"), **target
        )
        equal((done["ChecksumCRC64NVME"], done["ChecksumType"]), (whole, "FULL_OBJECT"), f"{algorithm}: the whole")
        equal(stored(name, algorithm, "CRC64NVME"), (whole, "FULL_OBJECT"), f"{algorithm}: the head")


@case
def parts_and_their_upload_must_agree():
    name = bucket()
    plain = client(request_checksum_calculation="when_required")
    target = {"Bucket": name, "Key": "k"}
    target["UploadId"] = s3.create_multipart_upload(ChecksumAlgorithm="SHA256", **target)["UploadId"]
    for other in ({}, {"ChecksumCRC32": encoded("CRC32", BODY)}):
        with refused(400, "InvalidRequest"):
            plain.upload_part(PartNumber=1, Body=BODY, **other, **target)
    part = plain.upload_part(PartNumber=1, Body=BODY, ChecksumSHA256=encoded("SHA256", BODY), **target)
    named = {"PartNumber": 1, "ETag": part["ETag"]}
    for wrong, code in (
        ({}, "InvalidRequest"),
        ({"ChecksumSHA256": encoded("SHA256", b"other")}, "InvalidPart"),
        ({"ChecksumCRC32": encoded("CRC32", BODY)}, "BadDigest"),
    ):
        with refused(400, code):
            s3.complete_multipart_upload(MultipartUpload={"Parts": [{**named, **wrong}]}, **target)
    named["ChecksumSHA256"] = part["ChecksumSHA256"]
    with refused(400, "InvalidRequest"):
        s3.complete_multipart_upload(MultipartUpload={"Parts": [named]}, ChecksumType="FULL_OBJECT", **target)
    value = encoded("SHA256", ALGORITHMS["SHA256"](BODY))
    with refused(400, "BadDigest"):
        s3.complete_multipart_upload(MultipartUpload={"Parts": [named]}, ChecksumSHA256=f"{value}-2", **target)
    s3.complete_multipart_upload(MultipartUpload={"Parts": [named]}, ChecksumSHA256=f"{value}-1", **target)
    # Of a full object S3 computes what the client leaves out.
    target = {"Bucket": name, "Key": "full"}
    options = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    target["UploadId"] = s3.create_multipart_upload(**options, **target)["UploadId"]
    part = plain.upload_part(PartNumber=1, Body=BODY, **target)
    equal(part["ChecksumCRC32"], encoded("CRC32", BODY), "computed by the server")


@case
def of_one_part_of_an_object():
    name = bucket()
    bodies = [pattern(MIN_PART, seed=2), pattern(500, seed=4)]
    for algorithm, kind in (("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT")):
        target = {"Bucket": name, "Key": "k"}
        target["UploadId"] = s3.create_multipart_upload(ChecksumAlgorithm=algorithm, ChecksumType=kind, **target)["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            part = s3.upload_part(PartNumber=number, Body=body, ChecksumAlgorithm=algorithm, **target)
            field = f"Checksum{algorithm}"
            parts.append({"PartNumber": number, "ETag": part["ETag"], field: part[field]})
        s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **target)
        for number, body in enumerate(bodies, 1):
            for call in (s3.head_object, s3.get_object):
                got = call(Bucket=name, Key="k", PartNumber=number, ChecksumMode="ENABLED")
                shown = (got.get(f"Checksum{algorithm}"), got.get("ChecksumType"))
                equal(shown, (encoded(algorithm, body), kind), f"{kind} {algorithm} of part {number}")
                if "Body" in got:
                    holds(got["Body"].read() == body, "content differs")
        aligned = s3.get_object(Bucket=name, Key="k", Range=f"bytes=0-{MIN_PART - 1}", ChecksumMode="ENABLED")
        equal(aligned.get(f"Checksum{algorithm}"), encoded(algorithm, bodies[0]), "a range that is a part")
        crooked = s3.get_object(Bucket=name, Key="k", Range=f"bytes=0-{MIN_PART}", ChecksumMode="ENABLED")
        holds(f"Checksum{algorithm}" not in crooked, "a range that is no part has a checksum")
