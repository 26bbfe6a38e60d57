"""Lance: commits are conditional writes."""

import threading

import lance
import pyarrow as pa
from options import storage_options
from workload import BUCKET, MIB, equal, pattern, refused, run

URI = f"s3://{BUCKET}/lance/a table.lance"
OPTIONS = storage_options()


def rows(first: int, count: int) -> pa.Table:
    vectors = pa.array([[float(number)] * 8 for number in range(first, first + count)], pa.list_(pa.float32(), 8))
    return pa.table({"n": pa.array(range(first, first + count), pa.int64()), "vector": vectors,
                     "data": [f"{number} ü".encode() * 50 for number in range(first, first + count)]})


def opened(version: int | None = None) -> lance.LanceDataset:
    return lance.dataset(URI, version=version, storage_options=OPTIONS)


def write_and_append():
    refused(opened, ValueError, "a table that does not exist")
    lance.write_dataset(rows(0, 2_000), URI, storage_options=OPTIONS)
    lance.write_dataset(rows(2_000, 500), URI, mode="append", storage_options=OPTIONS)
    equal(opened().to_table().sort_by("n").equals(rows(0, 2_500)), True, "same rows after an append")
    equal(opened(1).count_rows(), 2_000, "rows of version 1")
    picked = opened().take([3, 2_400, 17])
    equal(picked["n"].to_pylist(), [3, 2_400, 17], "rows by number")


def large():
    """Some 24 MiB in one file, which Lance writes by a multipart upload."""
    table = pa.table({"n": range(24), "data": [pattern(MIB, number) for number in range(24)]})
    lance.write_dataset(table, f"{URI[:-6]} of blobs.lance", storage_options=OPTIONS)
    got = lance.dataset(f"{URI[:-6]} of blobs.lance", storage_options=OPTIONS).to_table()
    equal(got.equals(table), True, "same rows of 1 MiB")


def change():
    table = opened()
    table.delete("n >= 2400")
    table.update({"n": "n + 100000"}, where="n < 5")
    table.merge_insert("n").when_not_matched_insert_all().execute(rows(2_398, 10))
    numbers = sorted(opened().to_table(columns=["n"])["n"].to_pylist())
    equal(numbers, [*range(5, 2_408), *range(100_000, 100_005)], "rows after deletion, update and merge")
    table = opened()
    table.create_scalar_index("n", "BTREE")
    equal(opened().to_table(filter="n = 1234")["n"].to_pylist(), [1_234], "a row by the index")
    nearest = opened().to_table(nearest={"column": "vector", "q": [50.0] * 8, "k": 1})
    equal(nearest["n"].to_pylist(), [50], "the nearest vector")


def race():
    """Two that change the same rows of the same version: one is refused. Appends at the same time all succeed."""
    one, two = opened(), opened()
    one.delete("n = 10")
    refused(lambda: two.delete("n = 10", conflict_retries=0), OSError, "a deletion of rows that are gone since")
    two.delete("n = 11")
    numbers = sorted(opened().to_table(columns=["n"], filter="n < 15")["n"].to_pylist())
    equal(numbers, [*range(5, 10), *range(12, 15)], "rows after two deletions")
    failures = []

    def append(number: int):
        try:
            lance.write_dataset(rows(300_000 + number, 1), URI, mode="append", storage_options=OPTIONS)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [], "failures of appends at the same time")
    numbers = sorted(opened().to_table(columns=["n"], filter="n >= 300000")["n"].to_pylist())
    equal(numbers, [*range(300_000, 300_006)], "rows of the race")


def work():
    write_and_append()
    yield "create, append, an older version, rows by number"
    large()
    yield "multipart"
    change()
    yield "delete, update, merge, indexes"
    race()
    yield "commits at the same time, by conditional writes"


run("Lance (pylance)", lance.__version__, work)
