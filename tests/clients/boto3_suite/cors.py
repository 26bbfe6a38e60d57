"""Cross-origin rules: stored as given, and obeyed, preflight and plain."""

import http.client
from urllib.parse import urlsplit

from harness import ENDPOINT, bucket, case, equal, holds, refused, s3

RULES = [
    {
        "ID": "first",
        "AllowedOrigins": ["https://app.example", "https://*.wild.example"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["content-type", "x-amz-*"],
        "ExposeHeaders": ["ETag", "x-amz-request-id"],
        "MaxAgeSeconds": 600,
    },
    {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
]


def configured() -> str:
    name = bucket()
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": RULES})
    return name


def ask(name: str, method: str, **headers: str):
    parts = urlsplit(ENDPOINT)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, f"/{name}/k", headers={key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}
    finally:
        connection.close()


@case
def rules_come_back():
    name = configured()
    equal(s3.get_bucket_cors(Bucket=name)["CORSRules"], RULES, "rules")
    s3.delete_bucket_cors(Bucket=name)
    with refused(404, "NoSuchCORSConfiguration"):
        s3.get_bucket_cors(Bucket=name)


@case
def rules_that_break_the_rules():
    name = bucket()
    for rule in (
        {"AllowedOrigins": ["*"], "AllowedMethods": ["PATCH"]},
        {"AllowedOrigins": ["https://*.*.example"], "AllowedMethods": ["GET"]},
    ):
        with refused(400, "InvalidRequest", "InvalidArgument", "MalformedXML"):
            s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})


@case
def preflight():
    name = configured()
    status, headers = ask(
        name,
        "OPTIONS",
        Origin="https://app.example",
        Access_Control_Request_Method="PUT",
        Access_Control_Request_Headers="Content-Type, x-amz-date",
    )
    equal(status, 200, "status")
    equal(headers.get("access-control-allow-origin"), "https://app.example", "origin")
    equal(headers.get("access-control-max-age"), "600", "age")
    methods = {part.strip() for part in headers.get("access-control-allow-methods", "").split(",")}
    holds("PUT" in methods, f"methods: {methods}")
    allowed = {part.strip().lower() for part in headers.get("access-control-allow-headers", "").split(",")}
    holds({"content-type", "x-amz-date"} <= allowed, f"headers: {allowed}")


@case
def preflight_by_wildcard():
    name = configured()
    status, headers = ask(name, "OPTIONS", Origin="https://a.wild.example", Access_Control_Request_Method="GET")
    equal((status, headers.get("access-control-allow-origin")), (200, "https://a.wild.example"), "answer")
    status, headers = ask(name, "OPTIONS", Origin="https://any.example", Access_Control_Request_Method="GET")
    equal((status, headers.get("access-control-allow-origin")), (200, "*"), "answer of the second rule")


@case
def preflight_that_is_refused():
    name = configured()
    for origin, method, wanted in (
        ("https://any.example", "PUT", ""),
        ("https://app.example", "DELETE", ""),
        ("https://app.example", "PUT", "x-other"),
    ):
        extra = {"Access_Control_Request_Headers": wanted} if wanted else {}
        status, headers = ask(name, "OPTIONS", Origin=origin, Access_Control_Request_Method=method, **extra)
        equal(status, 403, f"status for {origin} {method} {wanted}")
        holds("access-control-allow-origin" not in headers, "an origin is allowed all the same")
    status, _ = ask(bucket(), "OPTIONS", Origin="https://app.example", Access_Control_Request_Method="GET")
    equal(status, 403, "status without rules")


@case
def plain_requests_are_marked():
    name = configured()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", {"Bucket": name, "Key": "k"})
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}", headers={"Origin": "https://app.example"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    equal(answer.status, 200, "status")
    equal(answer.getheader("access-control-allow-origin"), "https://app.example", "origin")
    exposed = {part.strip() for part in (answer.getheader("access-control-expose-headers") or "").split(",")}
    holds("ETag" in exposed, f"exposed: {exposed}")
