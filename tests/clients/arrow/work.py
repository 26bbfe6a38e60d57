"""PyArrow's S3FileSystem, which is the AWS SDK for C++, with its defaults: files, streams, and a dataset of Parquet."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector, FileType, S3FileSystem
from workload import (
    ACCESS_KEY_ID, BUCKET, CA_FILE, ENDPOINT, HTTPS, MIB, MULTIPART_SIZE, PATH_STYLE, REGION, SECRET_ACCESS_KEY, content,
    equal, names, pattern, refused, run, same_names,
)

LARGE = pattern(MULTIPART_SIZE)


def not_expressible(name: str) -> bool:
    """PyArrow's paths have no empty parts: it refuses `//` and a leading slash and drops a trailing one."""
    return "//" in name or name.startswith("/") or name.endswith("/")


NAMES = names(not_expressible)
CONNECTION = {
    "access_key": ACCESS_KEY_ID,
    "secret_key": SECRET_ACCESS_KEY,
    "region": REGION,
    "scheme": "https" if HTTPS else "http",
    "endpoint_override": ENDPOINT.partition("://")[2],
    "force_virtual_addressing": not PATH_STYLE,
    "tls_ca_file_path": CA_FILE,
}
# By itself PyArrow writes every file by a multipart upload; with delayed opening small ones by PutObject.
s3 = S3FileSystem(**CONNECTION)
delayed = S3FileSystem(**CONNECTION, allow_delayed_open=True)


def read(name: str) -> bytes:
    with s3.open_input_stream(f"{BUCKET}/{name}", compression=None) as stream:
        return stream.read()


def write(name: str, data: bytes, fs: S3FileSystem = s3, **options) -> None:
    with fs.open_output_stream(f"{BUCKET}/{name}", compression=None, **options) as stream:
        stream.write(data)


def listed(folder: str = "") -> list[str]:
    found = s3.get_file_info(FileSelector(f"{BUCKET}/{folder}".rstrip("/"), recursive=True))
    return [entry.path.removeprefix(f"{BUCKET}/") for entry in found if entry.type == FileType.File]


def each(action: Callable[[str], None], these: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(action, these))


def small_objects():
    each(lambda name: write(name, content(name)), NAMES)
    each(lambda name: equal(read(name), content(name), f"content of {name!r}"), NAMES)
    for name, entry in zip(NAMES, s3.get_file_info([f"{BUCKET}/{name}" for name in NAMES]), strict=True):
        equal((entry.type, entry.size), (FileType.File, len(content(name))), f"kind and size of {name!r}")


def listing():
    same_names(listed(), NAMES, "a recursive listing")
    same_names(listed("folder with space"), ["folder with space/file with space"], "one folder")
    # More names than one page of ListObjectsV2 has.
    many = [f"many/{number:04}" for number in range(1_003)]
    each(lambda name: write(name, b"x", delayed), many)
    same_names(listed("many"), many, "a listing of two pages")


def metadata():
    write("with metadata", b"m", metadata={"Content-Type": "text/x-test", "Cache-Control": "max-age=60"})
    with s3.open_input_file(f"{BUCKET}/with metadata") as file:
        found = file.metadata()
    # It knows the headers of S3 alone, and drops what it does not know.
    equal((found["Content-Type"], found["Cache-Control"]), (b"text/x-test", b"max-age=60"), "metadata")


def copies():
    for name in ("plus+sign", "a b+c", "percent%2Fslash", "emoji 🪣🦀", "ünïcödé"):
        s3.copy_file(f"{BUCKET}/{name}", f"{BUCKET}/copied")
        equal(read("copied"), content(name), f"copy of {name!r}")
    s3.move(f"{BUCKET}/copied", f"{BUCKET}/moved")
    equal(read("moved"), content("ünïcödé"), "a moved file")
    refused(lambda: read("copied"), FileNotFoundError, "what was moved")


def multipart():
    with s3.open_output_stream(f"{BUCKET}/large", compression=None) as stream:
        for at in range(0, len(LARGE), 700_001):
            stream.write(LARGE[at:at + 700_001])
    equal(read("large") == LARGE, True, "same content of a multipart upload")


def ranges():
    with s3.open_input_file(f"{BUCKET}/large") as file:
        equal(file.size(), len(LARGE), "size")
        equal(file.read_at(21, 5 * MIB - 10), LARGE[5 * MIB - 10:5 * MIB + 11], "a range over two parts")
        file.seek(len(LARGE) - 77)
        equal(file.read(), LARGE[-77:], "the end")


def dataset():
    table = pa.table({"year": [2024, 2024, 2025, 2026] * 5_000, "n": range(20_000), "t": ["å", "+", None, "%"] * 5_000})
    pq.write_table(table, f"{BUCKET}/one file.parquet", filesystem=s3)
    equal(pq.read_table(f"{BUCKET}/one file.parquet", filesystem=s3).equals(table), True, "same table from a file")
    ds.write_dataset(table, f"{BUCKET}/set", filesystem=s3, format="parquet", partitioning=["year"],
                     partitioning_flavor="hive")
    found = ds.dataset(f"{BUCKET}/set", filesystem=s3, partitioning="hive")
    equal(found.to_table(columns=["year", "n", "t"]).sort_by("n").equals(
        table.cast(pa.schema([("year", pa.int32()), ("n", pa.int64()), ("t", pa.string())]))), True, "same dataset")
    equal(found.count_rows(filter=ds.field("year") == 2024), 10_000, "rows of 2024")


def errors():
    refused(lambda: read("missing"), FileNotFoundError, "a missing key")
    refused(lambda: s3.open_input_file(f"{BUCKET}/missing"), FileNotFoundError, "a missing key at random access")
    refused(lambda: s3.delete_file(f"{BUCKET}/missing"), FileNotFoundError, "deletion of a missing key")
    equal(s3.get_file_info(f"{BUCKET}/missing").type, FileType.NotFound, "kind of a missing key")


def deletes():
    for name in NAMES[:20]:
        s3.delete_file(f"{BUCKET}/{name}")
    s3.delete_dir_contents(f"{BUCKET}/set")
    equal(listed("set"), [], "what is left of a folder")
    for entry in s3.get_file_info(FileSelector(BUCKET)):
        if entry.type == FileType.Directory:
            s3.delete_dir(entry.path)
        else:
            s3.delete_file(entry.path)
    equal(listed(), [], "what is left")


def work():
    small_objects()
    yield f"PutObject, GetObject, HeadObject of {len(NAMES)} odd names"
    listing()
    yield "ListObjectsV2 by pages"
    metadata()
    yield "metadata"
    copies()
    yield "CopyObject, move"
    multipart()
    yield "multipart by 10 MiB"
    ranges()
    yield "ranges"
    dataset()
    yield "Parquet file and dataset"
    errors()
    yield "typed errors"
    deletes()
    yield "DeleteObject, DeleteObjects"


run("PyArrow", f"{pa.__version__} (AWS SDK for C++)", work)
