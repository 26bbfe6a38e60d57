-- What happened to objects, by position: whoever has seen a position has seen all changes of the same key before it.
CREATE TABLE change_log (
    position BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    bucket_id BIGINT NOT NULL,
    key BYTEA NOT NULL,
    version_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    at BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);

-- One row: the next position, the last one that is no longer in the log, and the incarnation that positions belong to.
CREATE TABLE change_sequencer (
    one BIGINT NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL,
    compacted BIGINT NOT NULL,
    incarnation BIGINT NOT NULL,
    timeline BIGINT NOT NULL
);

-- Current versions and their bytes, up to the last position.
CREATE TABLE bucket_statistics (
    bucket_id BIGINT NOT NULL PRIMARY KEY,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
INSERT INTO bucket_statistics (bucket_id, objects, bytes)
SELECT bucket_id, COUNT(*), SUM(size) FROM objects GROUP BY bucket_id;

-- Each engine in its own words.
-- Changes without a position. Commits of several nodes become visible in any order; one sequencer at a time takes what it
-- sees from here into the log.
CREATE TABLE change_intake (
    number BIGINT NOT NULL PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    key BYTEA NOT NULL,
    version_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    at BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
INSERT INTO change_sequencer (one, next, compacted, incarnation, timeline)
VALUES (1, 1, 0, CAST(floor(random() * 1000000000000) AS bigint), 0);
