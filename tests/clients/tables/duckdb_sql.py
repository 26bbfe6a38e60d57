"""DuckDB with its httpfs extension. That is not part of DuckDB's package: another one ships it, for versions up to the
pinned one."""

from pathlib import Path

import duckdb
import duckdb_extension_httpfs
from workload import ACCESS_KEY_ID, BUCKET, CA_FILE, ENDPOINT, HTTPS, PATH_STYLE, REGION, SECRET_ACCESS_KEY, equal, refused, run

ROOT = f"s3://{BUCKET}/duckdb"
db = duckdb.connect(config={"extension_directory": str(Path.cwd())})


def one(query: str):
    return db.execute(query).fetchone()[0]


def connect():
    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    db.execute(f"INSTALL '{folder / 'httpfs.duckdb_extension'}'")
    db.execute("LOAD httpfs")
    if CA_FILE:
        db.execute(f"SET ca_cert_file = '{CA_FILE}'")
    db.execute(f"""CREATE SECRET (TYPE s3, KEY_ID '{ACCESS_KEY_ID}', SECRET '{SECRET_ACCESS_KEY}', REGION '{REGION}',
        ENDPOINT '{ENDPOINT.partition("://")[2]}', URL_STYLE '{"path" if PATH_STYLE else "vhost"}', USE_SSL {HTTPS})""")


def files():
    db.execute("CREATE TABLE t AS SELECT range AS n, 2024 + range % 3 AS year, 'ü +%' || range AS t FROM range(20000)")
    for suffix in ("parquet", "csv", "json"):
        name = f"{ROOT}/a table & ünïcödé.{suffix}"
        db.execute(f"COPY t TO '{name}'")
        query = f"SELECT count(*) FROM (SELECT * FROM '{name}' EXCEPT SELECT * FROM t)"
        equal((one(query), one(f"SELECT count(*) FROM '{name}'")), (0, 20_000), f"other rows and rows of {suffix}")


def partitions():
    db.execute(f"COPY t TO '{ROOT}/set' (FORMAT parquet, PARTITION_BY (year))")
    found = one(f"SELECT sum(n) FROM read_parquet('{ROOT}/set/*/*.parquet', hive_partitioning = true) WHERE year = 2025")
    equal(found, one("SELECT sum(n) FROM t WHERE year = 2025"), "a sum of one partition")
    equal(one(f"SELECT count(*) FROM glob('{ROOT}/set/**')"), 3, "files that a pattern finds")


def multipart():
    # DuckDB uploads parts of some 80 MB.
    db.execute("CREATE TABLE big AS SELECT range AS n, hash(range) AS h FROM range(8000000)")
    db.execute(f"COPY big TO '{ROOT}/big.parquet' (COMPRESSION uncompressed)")
    query = f"SELECT count(*) FROM big JOIN '{ROOT}/big.parquet' AS other ON big.n = other.n AND big.h = other.h"
    equal(one(query), 8_000_000, "same large table")


def errors():
    error = refused(lambda: db.execute(f"SELECT * FROM '{ROOT}/missing.parquet'"), duckdb.HTTPException, "a missing key")
    equal(error.status_code, 404, "status of a missing key")


def work():
    connect()
    files()
    yield "Parquet, CSV and JSON files"
    partitions()
    yield "partitions, patterns"
    multipart()
    yield "multipart, ranges"
    errors()
    yield "typed errors"


run("DuckDB", f"{duckdb.__version__} (httpfs)", work)
