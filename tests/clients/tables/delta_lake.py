"""Delta Lake (deltalake, delta-rs): commits are conditional writes."""

import threading

import deltalake
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from options import storage_options
from workload import BUCKET, equal, refused, run

URI = f"s3://{BUCKET}/delta/table with space"
OPTIONS = storage_options()


def rows(first: int, count: int, kind: str = "a b+c%") -> pa.Table:
    return pa.table({"n": pa.array(range(first, first + count), pa.int64()), "kind": [kind] * count})


def numbers() -> list[int]:
    table = DeltaTable(URI, storage_options=OPTIONS).to_pyarrow_table()
    return sorted(table["n"].to_pylist())


def write_and_append():
    refused(lambda: DeltaTable(URI, storage_options=OPTIONS), TableNotFoundError, "a table that does not exist")
    write_deltalake(URI, rows(0, 1_000), storage_options=OPTIONS, partition_by=["kind"])
    write_deltalake(URI, rows(1_000, 500, "größer/&"), storage_options=OPTIONS, mode="append")
    equal(numbers(), list(range(1_500)), "rows after an append")
    kinds = DeltaTable(URI, storage_options=OPTIONS).to_pyarrow_table()["kind"].to_pylist()
    equal(sorted(set(kinds)), ["a b+c%", "größer/&"], "partitions")


def change():
    table = DeltaTable(URI, storage_options=OPTIONS)
    table.delete("n >= 1000")
    table.update(predicate="n < 10", updates={"n": "n + 5000"})
    equal(numbers(), [*range(10, 1_000), *range(5_000, 5_010)], "rows after a deletion and an update")
    table.merge(rows(990, 20), predicate="s.n = t.n", source_alias="s", target_alias="t").when_not_matched_insert_all(
    ).execute()
    equal(numbers(), [*range(10, 1_010), *range(5_000, 5_010)], "rows after a merge")
    equal(DeltaTable(URI, version=1, storage_options=OPTIONS).to_pyarrow_table().num_rows, 1_500, "rows of version 1")


def race():
    """Two that change the same version: the second loses its conditional write, and is refused or does it again."""
    one, two = (DeltaTable(URI, storage_options=OPTIONS) for _ in range(2))
    once = CommitProperties(max_commit_retries=0)
    before = one.version()
    one.delete("n = 10")
    refused(lambda: two.delete("n = 11", commit_properties=once), CommitFailedError, "a commit of a taken version")
    equal((DeltaTable(URI, storage_options=OPTIONS).version(), 11 in numbers()), (before + 1, True), "what was refused")
    failures = []

    def append(number: int):
        try:
            write_deltalake(URI, rows(10_000 + number, 1), storage_options=OPTIONS, mode="append")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [], "failures of appends at the same time")
    equal([number for number in numbers() if number >= 10_000], [*range(10_000, 10_006)], "rows of the race")


def maintain():
    table = DeltaTable(URI, storage_options=OPTIONS)
    wanted = numbers()
    table.optimize.compact()
    table.create_checkpoint()
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    equal(numbers(), wanted, "rows after compaction, checkpoint and vacuum")
    equal(len(DeltaTable(URI, storage_options=OPTIONS).history()) > 8, True, "a history")


def work():
    write_and_append()
    yield "create, append, partitions"
    change()
    yield "delete, update, merge, an older version"
    race()
    yield "commits at the same time, by conditional writes"
    maintain()
    yield "compaction, checkpoint, vacuum"


run("Delta Lake (deltalake)", deltalake.__version__, work)
