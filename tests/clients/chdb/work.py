"""chDB, ClickHouse as a library (the AWS SDK for C++): table functions, the engine S3, and a MergeTree on S3."""

from pathlib import Path
from urllib.parse import quote

import chdb
from chdb.session import Session
from workload import ACCESS_KEY_ID, BUCKET, ENDPOINT, SECRET_ACCESS_KEY, equal, refused, run

ROOT = f"{ENDPOINT}/{BUCKET}/chdb"
KEYS = f"'{ACCESS_KEY_ID}', '{SECRET_ACCESS_KEY}'"
db = Session(str(Path.cwd() / "data"))


def query(text: str) -> str:
    return db.query(text, "TabSeparated").bytes().decode().strip()


def s3(name: str, form: str = "Parquet") -> str:
    return f"s3('{ROOT}/{name}', {KEYS}, '{form}')"


def files():
    query("CREATE DATABASE d")
    query("CREATE TABLE d.t ENGINE = MergeTree ORDER BY n AS SELECT number AS n, 2024 + number % 3 AS year, "
          "concat('ü +%', toString(number)) AS t FROM numbers(20000)")
    for form in ("Parquet", "CSVWithNames", "JSONEachRow", "ORC"):
        # ClickHouse wants names as in a URL, and takes `*`, `?` and braces for patterns.
        name = quote(f"a table & ünïcödé.{form}")
        query(f"INSERT INTO FUNCTION {s3(name, form)} SELECT * FROM d.t")
        columns = "toInt64(n), toInt64(year), toString(t)"
        found = query(f"SELECT count() FROM (SELECT {columns} FROM {s3(name, form)} EXCEPT SELECT {columns} FROM d.t)")
        equal((found, query(f"SELECT count() FROM {s3(name, form)}")), ("0", "20000"), f"other rows and rows of {form}")


def partitions():
    target = f"s3('{ROOT}/set/{{_partition_id}}.parquet', {KEYS}, 'Parquet')"
    query(f"INSERT INTO FUNCTION {target} PARTITION BY year SELECT * FROM d.t")
    equal(query(f"SELECT sum(n) FROM {s3('set/*.parquet')} WHERE year = 2025"),
          query("SELECT sum(n) FROM d.t WHERE year = 2025"), "a sum over a pattern")
    names = query(f"SELECT DISTINCT _file FROM {s3('set/{2024,2026}.parquet')} ORDER BY 1")
    equal(names.split("\n"), ["2024.parquet", "2026.parquet"], "files of a list")


def multipart():
    query(f"INSERT INTO FUNCTION {s3('big.bin', 'RowBinary')} SELECT number, sipHash64(number) FROM numbers(6000000)")
    found = query(f"SELECT count(), countIf(h = sipHash64(n)) FROM s3('{ROOT}/big.bin', {KEYS}, 'RowBinary', "
                  "'n UInt64, h UInt64')")
    equal(found, "6000000\t6000000", "rows of a large file")


def engine():
    query(f"CREATE TABLE d.e (n UInt64) ENGINE = S3('{ROOT}/engine.csv', {KEYS}, 'CSV')")
    query("INSERT INTO d.e SELECT number FROM numbers(10)")
    equal(query("SELECT sum(n) FROM d.e"), "45", "a sum of the engine's table")
    query("TRUNCATE TABLE d.e")


def merge_tree():
    disk = f"disk(type = 's3', endpoint = '{ROOT}/disk/', access_key_id = '{ACCESS_KEY_ID}', " \
           f"secret_access_key = '{SECRET_ACCESS_KEY}')"
    query(f"CREATE TABLE d.m (n UInt64, t String) ENGINE = MergeTree ORDER BY n SETTINGS disk = {disk}")
    for first in range(0, 50_000, 10_000):
        query(f"INSERT INTO d.m SELECT number + {first}, toString(number) FROM numbers(10000)")
    query("OPTIMIZE TABLE d.m FINAL")
    query("ALTER TABLE d.m DELETE WHERE n >= 40000 SETTINGS mutations_sync = 2")
    equal(query("SELECT count(), sum(n) FROM d.m"), f"40000\t{sum(range(40_000))}", "rows after merge and deletion")
    query("DROP TABLE d.m SYNC")


def errors():
    # The error that is raised is of another class than the one of the same name that chDB exports.
    error = refused(lambda: query(f"SELECT * FROM s3('{ROOT}/missing.csv', {KEYS}, 'CSV', 'n UInt64')"), Exception,
                    "a missing key")
    equal((type(error).__name__, "S3_ERROR" in str(error), "404" in str(error)), ("ChdbError", True, True),
          f"kind of {str(error)[:300]}")


def work():
    files()
    yield "Parquet, CSV, JSON and ORC files"
    partitions()
    yield "partitions, patterns"
    multipart()
    yield "multipart, ranges"
    engine()
    yield "the engine S3"
    merge_tree()
    yield "a MergeTree on S3: inserts, merge, mutation, drop"
    errors()
    yield "typed errors"


run("chDB", f"{chdb.__version__} (ClickHouse {chdb.engine_version})", work)
