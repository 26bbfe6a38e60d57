"""s3fs, the S3 file system of fsspec, Dask and pandas, with its defaults."""

import s3fs
from workload import (
    ACCESS_KEY_ID, BUCKET, CA_FILE, ENDPOINT, MIB, MULTIPART_SIZE, PATH_STYLE, SECRET_ACCESS_KEY, content, equal, names,
    pattern, refused, run, same_names,
)

LARGE = pattern(MULTIPART_SIZE)


def not_expressible(name: str) -> bool:
    """s3fs drops slashes at the end of a path, and with them a leading one of a name."""
    return name.startswith("/") or name.endswith("/")


NAMES = names(not_expressible)
fs = s3fs.S3FileSystem(
    key=ACCESS_KEY_ID,
    secret=SECRET_ACCESS_KEY,
    endpoint_url=ENDPOINT,
    client_kwargs={"verify": CA_FILE} if CA_FILE else {},
    config_kwargs={"s3": {"addressing_style": "path" if PATH_STYLE else "virtual"}},
)


def path(name: str) -> str:
    return f"{BUCKET}/{name}"


def listed() -> list[str]:
    return [entry.removeprefix(f"{BUCKET}/") for entry in fs.find(BUCKET)]


def small_objects():
    for name in NAMES:
        fs.pipe_file(path(name), content(name))
    for name in NAMES:
        equal(fs.cat_file(path(name)), content(name), f"content of {name!r}")
        equal(fs.info(path(name))["size"], len(content(name)), f"size of {name!r}")


def listing():
    fs.invalidate_cache()
    same_names(listed(), NAMES, "a recursive listing")
    fs.pipe({path(f"many/{number:04}"): b"x" for number in range(1_003)})
    equal(len(fs.ls(path("many"), refresh=True)), 1_003, "names in two pages")
    fs.rm(path("many"), recursive=True)
    equal(fs.exists(path("many")), False, "whether the folder exists")


def metadata():
    fs.pipe_file(path("with metadata"), b"m", ContentType="text/x-test", Metadata={"colour": "dark green"})
    equal(fs.metadata(path("with metadata")), {"colour": "dark green"}, "metadata")
    equal(fs.info(path("with metadata"))["ContentType"], "text/x-test", "the content type")
    fs.setxattr(path("with metadata"), colour="blue")
    equal(fs.getxattr(path("with metadata"), "colour"), "blue", "changed metadata")
    fs.put_tags(path("with metadata"), {"a b": "+=/@"})
    equal(fs.get_tags(path("with metadata")), {"a b": "+=/@"}, "tags")


def copies():
    for name in ("plus+sign", "a b+c", "percent%2Fslash", "emoji 🪣🦀", "ünïcödé"):
        fs.cp_file(path(name), path("copied"))
        equal(fs.cat_file(path("copied")), content(name), f"copy of {name!r}")
    fs.mv(path("copied"), path("moved"))
    equal((fs.exists(path("copied")), fs.exists(path("moved"))), (False, True), "what exists after a move")


def multipart():
    with fs.open(path("large"), "wb", block_size=5 * MIB) as file:
        for at in range(0, len(LARGE), 700_001):
            file.write(LARGE[at:at + 700_001])
    equal(fs.info(path("large"))["ETag"].strip('"')[-2:], "-3", "kind of the entity tag")
    equal(fs.cat_file(path("large")) == LARGE, True, "same content of parts of 5 MiB")
    with fs.open(path("large"), "ab") as file:
        file.write(b"appended")
    equal(fs.cat_file(path("large")) == LARGE + b"appended", True, "same content after an append")
    with open("local", "wb") as file:
        file.write(LARGE)
    fs.put_file("local", path("put"))
    fs.get_file(path("put"), "got")
    with open("got", "rb") as file:
        equal(file.read() == LARGE, True, "same content of a file")


def ranges():
    equal(fs.cat_file(path("large"), start=5 * MIB - 10, end=5 * MIB + 11), LARGE[5 * MIB - 10:5 * MIB + 11], "a range")
    with fs.open(path("large"), "rb") as file:
        file.seek(-8, 2)
        equal(file.read(), b"appended", "the end")


def errors():
    refused(lambda: fs.cat_file(path("missing")), FileNotFoundError, "a missing key")
    refused(lambda: fs.info(path("missing")), FileNotFoundError, "HEAD of a missing key")
    equal(fs.exists(path("missing")), False, "whether a missing key exists")


def exclusive():
    fs.pipe_file(path("exclusive"), b"1", mode="create")
    refused(lambda: fs.pipe_file(path("exclusive"), b"2", mode="create"), FileExistsError, "an exclusive creation")


def deletes():
    # `rm` takes names with these characters for patterns; `rm_file` takes every name as it is.
    patterns = [name for name in NAMES if set(name) & set("*?[]{}")]
    for name in patterns:
        fs.rm_file(path(name))
    fs.invalidate_cache()
    fs.rm([path(name) for name in listed()])
    fs.invalidate_cache()
    equal(listed(), [], "what is left")


def work():
    small_objects()
    yield f"PutObject, GetObject, HeadObject of {len(NAMES)} odd names"
    listing()
    yield "ListObjectsV2 by pages"
    metadata()
    yield "metadata, tags"
    copies()
    yield "CopyObject, move"
    multipart()
    yield "multipart by 5 MiB, append"
    ranges()
    yield "ranges"
    exclusive()
    yield "exclusive creation"
    errors()
    yield "typed errors"
    deletes()
    yield "DeleteObject, DeleteObjects"


run("s3fs", s3fs.__version__, work)
