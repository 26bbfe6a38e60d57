"""PyIceberg with PyArrow's file system (the AWS SDK for C++); the catalog is a local SQLite file."""

import pyarrow as pa
import pyiceberg
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import EqualTo, GreaterThanOrEqual
from workload import ACCESS_KEY_ID, BUCKET, ENDPOINT, PATH_STYLE, REGION, SECRET_ACCESS_KEY, equal, refused, run


def catalog() -> SqlCatalog:
    return SqlCatalog(
        "test",
        **{
            "uri": "sqlite:///catalog.db",
            "warehouse": f"s3://{BUCKET}/iceberg/ware house",
            "s3.endpoint": ENDPOINT,
            "s3.region": REGION,
            "s3.access-key-id": ACCESS_KEY_ID,
            "s3.secret-access-key": SECRET_ACCESS_KEY,
            "s3.force-virtual-addressing": "false" if PATH_STYLE else "true",
        },
    )


def rows(first: int, count: int) -> pa.Table:
    return pa.table({"n": pa.array(range(first, first + count), pa.int64()),
                     "kind": ["a b+c%" if number % 2 else "größer" for number in range(first, first + count)]})


def numbers(**options) -> list[int]:
    return sorted(catalog().load_table("ns.t").scan(**options).to_arrow()["n"].to_pylist())


def write_and_append():
    catalog().create_namespace("ns")
    table = catalog().create_table("ns.t", schema=rows(0, 1).schema)
    with table.update_spec() as spec:
        spec.add_identity("kind")
    table.append(rows(0, 1_000))
    table.append(rows(1_000, 500))
    equal(numbers(), list(range(1_500)), "rows after an append")
    first = table.history()[0].snapshot_id
    equal(numbers(snapshot_id=first), list(range(1_000)), "rows of the first snapshot")


def change():
    table = catalog().load_table("ns.t")
    table.delete(GreaterThanOrEqual("n", 1_200))
    table.overwrite(rows(0, 10), overwrite_filter=EqualTo("n", 3))
    equal(numbers(), sorted([*range(3), *range(4, 1_200), *range(10)]), "rows after a deletion and an overwrite")
    equal(table.inspect.files().num_rows > 0, True, "files that the metadata names")


def race():
    one, two = catalog().load_table("ns.t"), catalog().load_table("ns.t")
    one.append(rows(5_000, 1))
    # The catalog refuses this commit of an old version, and PyIceberg does it again.
    two.append(rows(6_000, 1))
    equal([number for number in numbers() if number >= 5_000], [5_000, 6_000], "rows of both")


def errors():
    io = catalog().load_table("ns.t").io
    refused(lambda: io.new_input(f"s3://{BUCKET}/iceberg/missing").open(), FileNotFoundError, "a missing file")
    equal(io.new_input(f"s3://{BUCKET}/iceberg/missing").exists(), False, "whether a missing file exists")


def purge():
    location = catalog().load_table("ns.t").metadata_location
    io = catalog().load_table("ns.t").io
    equal(io.new_input(location).exists(), True, "whether the metadata exists")
    catalog().purge_table("ns.t")
    equal(io.new_input(location).exists(), False, "whether the metadata exists after a purge")


def work():
    write_and_append()
    yield "create, append, partitions, an older snapshot"
    change()
    yield "delete, overwrite"
    race()
    yield "commits at the same time, decided by the catalog"
    errors()
    yield "typed errors"
    purge()
    yield "purge"


run("PyIceberg", f"{pyiceberg.__version__} (PyArrow {pa.__version__})", work)
