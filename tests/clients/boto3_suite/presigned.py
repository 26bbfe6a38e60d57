"""Presigned requests, by a caller that has no key."""

import http.client
import re
from urllib.parse import urlsplit

from urllib3.filepost import encode_multipart_formdata

from harness import bucket, case, client, equal, holds, read, s3


def call(url: str, method: str = "GET", body: bytes | None = None, headers: dict | None = None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict((name.lower(), value) for name, value in answer.getheaders())
    finally:
        connection.close()


def code(body: bytes) -> str:
    found = re.search(rb"<Code>(.*?)</Code>", body)
    return found[1].decode() if found else ""


def signer():
    return client(signature_version="s3v4", s3={"addressing_style": "path"})


@case
def get():
    name = bucket()
    s3.put_object(Bucket=name, Key="a b+ü", Body=b"content", ContentType="text/plain")
    url = signer().generate_presigned_url("get_object", {"Bucket": name, "Key": "a b+ü"}, ExpiresIn=60)
    status, body, headers = call(url)
    equal((status, body, headers["content-type"]), (200, b"content", "text/plain"), "answer")
    status, body, _ = call(url, headers={"Range": "bytes=1-3"})
    equal((status, body), (206, b"ont"), "range")


@case
def get_with_response_headers():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    parameters = {"Bucket": name, "Key": "k", "ResponseContentDisposition": 'attachment; filename="n.txt"'}
    _, _, headers = call(signer().generate_presigned_url("get_object", parameters))
    equal(headers.get("content-disposition"), 'attachment; filename="n.txt"', "disposition")


@case
def put():
    name = bucket()
    url = signer().generate_presigned_url("put_object", {"Bucket": name, "Key": "k", "ContentType": "text/plain"})
    status, body, _ = call(url, "PUT", b"uploaded", {"Content-Type": "text/plain"})
    equal((status, body), (200, b""), "answer")
    equal(read(name, "k"), b"uploaded")
    status, body, _ = call(url, "PUT", b"other", {"Content-Type": "text/html"})
    equal((status, code(body)), (403, "SignatureDoesNotMatch"), "another type")


@case
def head_and_delete():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    parameters = {"Bucket": name, "Key": "k"}
    status, body, headers = call(signer().generate_presigned_url("head_object", parameters), "HEAD")
    equal((status, body, headers["content-length"]), (200, b"", "1"), "head")
    equal(call(signer().generate_presigned_url("delete_object", parameters), "DELETE")[0], 204, "delete")
    equal(call(signer().generate_presigned_url("head_object", parameters), "HEAD")[0], 404, "head afterwards")


@case
def a_part():
    name = bucket()
    target = {"Bucket": name, "Key": "k"}
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    url = signer().generate_presigned_url("upload_part", {**target, "PartNumber": 1})
    status, _, headers = call(url, "PUT", b"a part")
    equal(status, 200, "status")
    s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": headers["etag"]}]}, **target)
    equal(read(name, "k"), b"a part")


@case
def of_another_method_or_key():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    url = signer().generate_presigned_url("get_object", {"Bucket": name, "Key": "k"})
    status, body, _ = call(url, "DELETE")
    equal((status, code(body)), (403, "SignatureDoesNotMatch"), "another method")
    status, body, _ = call(url.replace("/k?", "/other?"))
    equal((status, code(body)), (403, "SignatureDoesNotMatch"), "another key")
    status, body, _ = call(re.sub("X-Amz-Expires=[0-9]+", "X-Amz-Expires=7200", url))
    equal((status, code(body)), (403, "SignatureDoesNotMatch"), "another time")


@case
def a_put_does_not_become_a_copy():
    name = bucket()
    s3.put_object(Bucket=name, Key="secret", Body=b"secret")
    url = signer().generate_presigned_url("put_object", {"Bucket": name, "Key": "k"})
    status, body, _ = call(url, "PUT", b"", {"x-amz-copy-source": f"/{name}/secret"})
    equal((status, code(body)), (403, "AccessDenied"), "an unsigned header")


@case
def too_long():
    url = signer().generate_presigned_url("get_object", {"Bucket": bucket(), "Key": "k"}, ExpiresIn=604_801)
    status, body, _ = call(url)
    equal((status, code(body)), (400, "AuthorizationQueryParametersError"), "over seven days")


@case
def with_a_key_that_is_not_there():
    url = signer().generate_presigned_url("get_object", {"Bucket": bucket(), "Key": "k"})
    status, body, _ = call(re.sub("X-Amz-Credential=[A-Z0-9]+", "X-Amz-Credential=AAAAAAAAAAAAAAAAAAAA", url))
    equal((status, code(body)), (403, "InvalidAccessKeyId"), "answer")


@case
def answers_carry_a_request_id():
    url = signer().generate_presigned_url("get_object", {"Bucket": bucket(), "Key": "missing"})
    status, body, headers = call(url)
    equal((status, code(body)), (404, "NoSuchKey"), "answer")
    holds(bool(headers.get("x-amz-request-id")) and bool(headers.get("x-amz-id-2")), "no request id")
    holds(headers["x-amz-request-id"].encode() in body, "the body names another request id")
    holds("date" in headers and "server" in headers, "no date or server")


def submit(post: dict, content: bytes, name: str = "a b.txt"):
    body, kind = encode_multipart_formdata([*post["fields"].items(), ("file", (name, content))])
    parts = urlsplit(post["url"])
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request("POST", parts.path, body=body, headers={"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict((key.lower(), value) for key, value in answer.getheaders())
    finally:
        connection.close()


@case
def a_form():
    name = bucket()
    fields = {"Content-Type": "text/plain", "acl": "private", "x-amz-meta-colour": "blue", "success_action_status": "201"}
    conditions = [*({key: value} for key, value in fields.items()), ["content-length-range", 1, 10]]
    post = signer().generate_presigned_post(name, "forms/${filename}", fields, conditions, ExpiresIn=60)
    holds("x-amz-signature" in post["fields"], "not signed by version 4")
    posted(name, post)


@case
def a_form_as_boto3_signs_it_by_default():
    name = bucket()
    fields = {"Content-Type": "text/plain", "acl": "private", "x-amz-meta-colour": "blue", "success_action_status": "201"}
    conditions = [*({key: value} for key, value in fields.items()), ["content-length-range", 1, 10]]
    post = s3.generate_presigned_post(name, "forms/${filename}", fields, conditions, ExpiresIn=60)
    holds("AWSAccessKeyId" in post["fields"], "not signed by version 2")
    posted(name, post)


def posted(name: str, post: dict):
    status, body, headers = submit(post, b"of a form")
    equal(status, 201, "status")
    holds(b"<Key>forms/a b.txt</Key>" in body, "the document")
    got = s3.get_object(Bucket=name, Key="forms/a b.txt")
    equal((got["Body"].read(), got["ContentType"], got["Metadata"]), (b"of a form", "text/plain", {"colour": "blue"}), "object")
    equal(got["ETag"], headers["etag"], "ETag")
    for content, expected in ((b"", "EntityTooSmall"), (b"more than ten", "EntityTooLarge")):
        status, body, _ = submit(post, content)
        equal((status, code(body)), (400, expected), "length")
    post["fields"]["acl"] = "public-read"
    status, body, _ = submit(post, b"x")
    equal((status, code(body)), (403, "AccessDenied"), "another value")
