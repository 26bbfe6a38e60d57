"""The Docker registry with the bucket as its storage: an image pushed and pulled by its HTTP API, mounted in another
repository, deleted, and its blobs collected. Repositories are lower case by the registry's own rule."""

import hashlib
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from programs import BIG_SIZE, BUCKET, CA_FILE, CACHE, ENDPOINT, PATH_STYLE, check, content, fail, report, run

CHUNK = 5 * 1024 * 1024
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Redirects(urllib.request.HTTPRedirectHandler):
    """Blobs are served by redirects to presigned URLs of the bucket; a URL is signed for one method."""

    def redirect_request(self, request, *answer):
        following = super().redirect_request(request, *answer)
        if following is not None:
            following.method = request.get_method()
        return following


OPENER = urllib.request.build_opener(
    Redirects, urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=CA_FILE) if CA_FILE else None)
)


def configuration(folder: str) -> dict:
    """A folder with a space: the registry writes the source of a copy as it is, so that a plus sign or a letter outside
    of ASCII could not be in it on S3 either."""
    storage = {
        "accesskey": os.environ["AWS_ACCESS_KEY_ID"], "secretkey": os.environ["AWS_SECRET_ACCESS_KEY"], "region": "us-east-1",
        "regionendpoint": ENDPOINT, "bucket": BUCKET, "rootdirectory": f"/{folder}", "chunksize": CHUNK,
        "forcepathstyle": PATH_STYLE,
    }
    return {"version": "0.1", "storage": {"s3": storage, "delete": {"enabled": True}}, "http": {"addr": "127.0.0.1:0"}}


@contextmanager
def serving(program: Path, file: Path) -> Iterator[str]:
    """The registry while it serves, as the URL of its API."""
    server = subprocess.Popen([program, "serve", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    for line in server.stdout:
        said.append(line)
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", line):
            break
    else:
        fail(f"the registry did not start: {''.join(said)}")
    threading.Thread(target=server.stdout.read, daemon=True).start()
    try:
        yield f"http://{found[1]}/v2/"
    finally:
        server.terminate()
        server.wait()


def send(method: str, url: str, body: bytes | None = None, expect: int = 200, **headers: str) -> tuple[bytes, Message]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=named)
    try:
        with OPENER.open(request) as answer:
            status, data, received = answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        status, data, received = error.code, error.read(), error.headers
    check(status == expect, f"{method} {url}: status {status}, expected {expect}: {data[:2000]!r}")
    return data, received


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def with_digest(location: str, data: bytes) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={digest(data)}"


def push_blob(api: str, repository: str, data: bytes) -> None:
    """In pieces of one chunk, the last one with the request that ends the upload."""
    _, headers = send("POST", f"{api}{repository}/blobs/uploads/", b"", expect=202)
    rest = data
    while len(rest) > CHUNK:
        position = len(data) - len(rest)
        span = f"{position}-{position + CHUNK - 1}"
        octets = "application/octet-stream"
        _, headers = send("PATCH", headers["Location"], rest[:CHUNK], expect=202, Content_Range=span, Content_Type=octets)
        rest = rest[CHUNK:]
    send("PUT", with_digest(headers["Location"], data), rest, expect=201, Content_Type="application/octet-stream")


def described(media_type: str, data: bytes) -> dict:
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def push_and_pull(api: str) -> None:
    layers = [content(f"layer {number}", 100 + number * 977) for number in range(20)] + [content("large layer", BIG_SIZE)]
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in layers]}}).encode()
    for blob in [config, *layers]:
        push_blob(api, "team/image", blob)
        _, headers = send("HEAD", f"{api}team/image/blobs/{digest(blob)}")
        check(headers["Content-Length"] == str(len(blob)), f"HEAD of a blob: {headers}")
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described(CONFIG_TYPE, config),
        "layers": [described(LAYER_TYPE, layer) for layer in layers],
    }).encode()
    for tag in ("latest", "v1.0_with-odd.name"):
        send("PUT", f"{api}team/image/manifests/{tag}", manifest, expect=201, Content_Type=MANIFEST_TYPE)

    for reference in ("latest", "v1.0_with-odd.name", digest(manifest)):
        got, _ = send("GET", f"{api}team/image/manifests/{reference}", Accept=MANIFEST_TYPE)
        check(got == manifest, f"the manifest {reference} differs")
    for blob in [config, *layers]:
        check(send("GET", f"{api}team/image/blobs/{digest(blob)}")[0] == blob, f"a blob of {len(blob)} bytes differs")
    tags = json.loads(send("GET", f"{api}team/image/tags/list")[0])["tags"]
    check(sorted(tags) == ["latest", "v1.0_with-odd.name"], f"tags: {tags}")

    large = digest(layers[-1])
    send("POST", f"{api}other/image/blobs/uploads/?mount={large}&from=team/image", b"", expect=201)
    check(send("GET", f"{api}other/image/blobs/{large}")[0] == layers[-1], "the mounted blob differs")
    repositories = json.loads(send("GET", f"{api}_catalog")[0])["repositories"]
    check("team/image" in repositories, f"repositories: {repositories}")
    # An upload that is given up, and a blob that is not there.
    _, headers = send("POST", f"{api}team/image/blobs/uploads/", b"", expect=202)
    send("DELETE", headers["Location"], expect=204)
    said, _ = send("GET", f"{api}team/image/blobs/{digest(b'missing')}", expect=404)
    check(json.loads(said)["errors"][0]["code"] == "BLOB_UNKNOWN", f"a missing blob: {said!r}")
    send("DELETE", f"{api}team/image/manifests/{digest(manifest)}", expect=202)


def cycle(program: Path, folder: str) -> str:
    """All of it, by one version of the registry; gives the version."""
    file = Path(f"{folder}.yml")
    file.write_text(json.dumps(configuration(folder)), encoding="utf-8")
    with serving(program, file) as api:
        push_and_pull(api)
    # Only the layer that the other repository mounted could stay; no manifest names it.
    run(program, "garbage-collect", file)
    with serving(program, file) as api:
        send("GET", f"{api}team/image/blobs/{digest(content('large layer', BIG_SIZE))}", expect=404)
        send("GET", f"{api}team/image/manifests/latest", expect=404, Accept=MANIFEST_TYPE)
    printed = run(program, "--version").stdout.decode()
    return re.search(r"([0-9]+\.[0-9]+\.[0-9]+)", printed)[1]


def main() -> None:
    if CA_FILE:
        os.environ["SSL_CERT_FILE"] = CA_FILE
    exercised = ["push, multipart by 5 MiB", "pull by presigned URLs", "HEAD", "tags", "catalog", "mount", "cancelled upload"]
    exercised += ["deletion", "garbage-collect", "missing blob"]
    # With an endpoint of its own, version 2 always addresses by path.
    if PATH_STYLE:
        version = cycle(CACHE / "docker_registry/distribution/usr/bin/docker-registry", "version two")
        report("Docker registry 2", version, exercised)
    report("Docker registry 3", cycle(CACHE / "docker_registry/registry", "version three"), exercised)


main()
