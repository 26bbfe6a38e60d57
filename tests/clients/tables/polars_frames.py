"""Polars: Parquet, CSV and IPC, whole and by partition."""

import polars as pl
from options import storage_options
from workload import BUCKET, equal, refused, run

ROOT = f"s3://{BUCKET}/polars"
OPTIONS = storage_options()
FRAME = pl.DataFrame({"year": [2024, 2025, 2025, 2026] * 2_500, "n": range(10_000), "t": ["å", "+", None, "%"] * 2_500})
# Polars uploads parts of 64 MiB.
BIG = pl.select(n=pl.int_range(6_000_000)).with_columns(h=pl.col("n").hash(7))


def files():
    for suffix, read in (("parquet", pl.read_parquet), ("csv", pl.read_csv), ("ipc", pl.read_ipc)):
        # The names are plain: Polars reads `*`, `?` and `[` in a name as a pattern.
        name = f"{ROOT}/a frame & ünïcödé.{suffix}"
        getattr(FRAME, f"write_{suffix}")(name, storage_options=OPTIONS)
        equal(read(name, storage_options=OPTIONS).equals(FRAME), True, f"same frame as {suffix}")


def lazy():
    FRAME.lazy().sink_parquet(f"{ROOT}/sunk.parquet", storage_options=OPTIONS)
    found = (pl.scan_parquet(f"{ROOT}/sunk.parquet", storage_options=OPTIONS)
             .filter(pl.col("year") == 2025).select(pl.col("n").sum()).collect().item())
    equal(found, FRAME.filter(pl.col("year") == 2025)["n"].sum(), "a sum by pushed-down filter")


def partitions():
    FRAME.write_parquet(f"{ROOT}/set/", partition_by="year", storage_options=OPTIONS)
    found = pl.scan_parquet(f"{ROOT}/set/**/*.parquet", hive_partitioning=True, storage_options=OPTIONS).collect()
    equal(found.select(FRAME.columns).sort("n").equals(FRAME), True, "same frame from partitions")


def multipart():
    BIG.write_parquet(f"{ROOT}/big.parquet", compression="uncompressed", storage_options=OPTIONS)
    equal(pl.read_parquet(f"{ROOT}/big.parquet", storage_options=OPTIONS).equals(BIG), True, "same large frame")


def errors():
    refused(lambda: pl.read_parquet(f"{ROOT}/missing.parquet", storage_options=OPTIONS), FileNotFoundError, "a missing key")


def work():
    files()
    yield "Parquet, CSV and IPC files"
    lazy()
    yield "lazy frames, ranges"
    partitions()
    yield "partitions, patterns"
    multipart()
    yield "multipart"
    errors()
    yield "typed errors"


run("Polars", pl.__version__, work)
