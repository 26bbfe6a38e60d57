"""obstore, the Rust object_store for Python, with its defaults."""

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store
from workload import (
    ACCESS_KEY_ID, BUCKET, ENDPOINT, HTTPS, MIB, MULTIPART_SIZE, PATH_STYLE, REGION, SECRET_ACCESS_KEY, content, equal,
    names, pattern, refused, run, same_names,
)

LARGE = pattern(MULTIPART_SIZE)


def not_expressible(name: str) -> bool:
    """Paths of object_store have no empty segments; as text it takes them apart at every slash and drops those."""
    return "//" in name or name.startswith("/") or name.endswith("/")


NAMES = names(not_expressible)
scheme, _, host = ENDPOINT.partition("://")
store = S3Store(
    BUCKET,
    # With virtual hosting object_store wants the bucket in the endpoint.
    endpoint=ENDPOINT if PATH_STYLE else f"{scheme}://{BUCKET}.{host}",
    virtual_hosted_style_request=not PATH_STYLE,
    access_key_id=ACCESS_KEY_ID,
    secret_access_key=SECRET_ACCESS_KEY,
    region=REGION,
    client_options={"allow_http": not HTTPS},
)


def read(name: str) -> bytes:
    return bytes(store.get(name).bytes())


def listed(**options) -> list[str]:
    return [entry["path"] for page in store.list(chunk_size=50, **options) for entry in page]


def small_objects():
    for name in NAMES:
        store.put(name, content(name))
    for name in NAMES:
        equal(read(name), content(name), f"content of {name!r}")
        equal(store.head(name)["size"], len(content(name)), f"size of {name!r}")


def listing():
    same_names(listed(), NAMES, "a recursive listing")
    found = store.list_with_delimiter("folder with space")
    equal([entry["path"] for entry in found["objects"]], ["folder with space/file with space"], "one folder")


def metadata():
    attributes = {"Content-Type": "text/x-test", "colour": "dark green"}
    store.put("with metadata", b"m", attributes=attributes)
    equal(dict(store.get("with metadata").attributes), attributes, "attributes")


def copies():
    for name in ("plus+sign", "a b+c", "percent%2Fslash", "emoji 🪣🦀", "ünïcödé"):
        store.copy(name, "copied")
        equal(read("copied"), content(name), f"copy of {name!r}")
    store.rename("copied", "renamed")
    equal(read("renamed"), content("ünïcödé"), "a renamed object")


def multipart():
    result = store.put("large", LARGE, use_multipart=True, chunk_size=5 * MIB, max_concurrency=3)
    equal(result["e_tag"].strip('"')[-2:], "-3", "kind of the entity tag")
    equal(read("large") == LARGE, True, "same content of parts of 5 MiB")
    with obstore.open_writer(store, "streamed", buffer_size=6 * MIB) as writer:
        for at in range(0, len(LARGE), 700_001):
            writer.write(LARGE[at:at + 700_001])
    equal(read("streamed") == LARGE, True, "same content of a stream")


def ranges():
    equal(bytes(store.get_range("large", start=5 * MIB - 10, length=21)), LARGE[5 * MIB - 10:5 * MIB + 11], "a range")
    starts = [0, 6 * MIB, len(LARGE) - 77]
    got = store.get_ranges("large", starts=starts, lengths=[77] * 3)
    equal([bytes(one) for one in got], [LARGE[at:at + 77] for at in starts], "three ranges")


def conditions():
    first = store.put("condition", b"1", mode="create")
    refused(lambda: store.put("condition", b"2", mode="create"), AlreadyExistsError, "a second creation")
    version = {"e_tag": first["e_tag"]}
    store.put("condition", b"2", mode=version)
    refused(lambda: store.put("condition", b"3", mode=version), PreconditionError, "an update of an old version")
    equal(read("condition"), b"2", "content")


def errors():
    refused(lambda: read("missing"), FileNotFoundError, "a missing key")
    refused(lambda: store.head("missing"), FileNotFoundError, "HEAD of a missing key")


def deletes():
    store.delete(NAMES[0])
    store.delete(listed())
    equal(listed(), [], "what is left")


def work():
    small_objects()
    yield f"PutObject, GetObject, HeadObject of {len(NAMES)} odd names"
    listing()
    yield "ListObjectsV2"
    metadata()
    yield "metadata"
    copies()
    yield "CopyObject, rename"
    multipart()
    yield "multipart by 5 MiB, of bytes and of a stream"
    ranges()
    yield "ranges"
    conditions()
    yield "conditional writes"
    errors()
    yield "typed errors"
    deletes()
    yield "DeleteObject, DeleteObjects"


run("obstore", obstore.__version__, work)
