"""Icechunk, transactions for Zarr (the AWS SDK for Rust): commits are conditional writes."""

import icechunk
import numpy as np
import zarr
from workload import ACCESS_KEY_ID, BUCKET, ENDPOINT, HTTPS, PATH_STYLE, REGION, SECRET_ACCESS_KEY, equal, refused, run

storage = icechunk.s3_storage(
    bucket=BUCKET,
    prefix="icechunk/a repository",
    region=REGION,
    endpoint_url=ENDPOINT,
    allow_http=not HTTPS,
    access_key_id=ACCESS_KEY_ID,
    secret_access_key=SECRET_ACCESS_KEY,
    force_path_style=PATH_STYLE,
)
WANTED = np.arange(400_000, dtype="i8").reshape(400, 1_000)


def opened() -> zarr.Group:
    repository = icechunk.Repository.open(storage)
    return zarr.open_group(repository.readonly_session("main").store, mode="r")


def write_and_append():
    refused(lambda: icechunk.Repository.open(storage), icechunk.IcechunkError, "a repository that does not exist")
    repository = icechunk.Repository.create(storage)
    session = repository.writable_session("main")
    group = zarr.create_group(session.store)
    array = group.create_array("ünïcödé", shape=(300, 1_000), chunks=(100, 100), dtype="i8")
    array[:] = WANTED[:300]
    first = session.commit("first")
    session = repository.writable_session("main")
    array = zarr.open_group(session.store)["ünïcödé"]
    array.resize((400, 1_000))
    array[300:] = WANTED[300:]
    session.commit("append")
    equal(bool((opened()["ünïcödé"][:] == WANTED).all()), True, "same array after an append")
    old = zarr.open_group(repository.readonly_session(snapshot_id=first).store, mode="r")
    equal(old["ünïcödé"].shape, (300, 1_000), "shape of the first snapshot")
    equal([entry.message for entry in repository.ancestry(branch="main")][:2], ["append", "first"], "history")


def large():
    """One chunk of 112 MB: from 100 MB on Icechunk uploads parts."""
    repository = icechunk.Repository.open(storage)
    session = repository.writable_session("main")
    wanted = np.random.default_rng(1).integers(0, 2**60, 14_000_000)
    array = zarr.open_group(session.store).create_array("large", shape=wanted.shape, chunks=wanted.shape, dtype="i8",
                                                        compressors=None)
    array[:] = wanted
    session.commit("large")
    equal(bool((opened()["large"][:] == wanted).all()), True, "same large chunk")
    equal(bool((opened()["large"][1_000_000:1_000_010] == wanted[1_000_000:1_000_010]).all()), True, "a slice")


def race():
    """Two sessions of one snapshot: the second commit is refused, and succeeds after a rebase."""
    repository = icechunk.Repository.open(storage)
    one, two = repository.writable_session("main"), repository.writable_session("main")
    zarr.open_group(one.store)["ünïcödé"][0, 0] = -1
    zarr.open_group(two.store)["ünïcödé"][399, 999] = -2
    one.commit("one")
    refused(lambda: two.commit("two"), icechunk.ConflictError, "a second commit")
    equal(int(opened()["ünïcödé"][399, 999]), 399_999, "what was refused")
    two.rebase(icechunk.ConflictDetector())
    two.commit("two")
    array = opened()["ünïcödé"]
    equal((int(array[0, 0]), int(array[399, 999])), (-1, -2), "both changes")


def maintain():
    repository = icechunk.Repository.open(storage)
    repository.create_tag("v1", snapshot_id=repository.lookup_branch("main"))
    refused(lambda: repository.create_tag("v1", snapshot_id=repository.lookup_branch("main")), icechunk.IcechunkError,
            "a tag that is there")
    repository.create_branch("other", snapshot_id=repository.lookup_tag("v1"))
    repository.delete_branch("other")
    equal(repository.list_branches(), {"main"}, "branches")


def work():
    write_and_append()
    yield "create, write, append, an older snapshot"
    large()
    yield "multipart, ranges"
    race()
    yield "commits at the same time, by conditional writes"
    maintain()
    yield "tags and branches"


run("Icechunk", icechunk.__version__, work)
