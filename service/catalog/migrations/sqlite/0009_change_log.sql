-- What happened to objects, by position: whoever has seen a position has seen all changes of the same key before it.
CREATE TABLE change_log (
    position INTEGER NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    bucket_id BIGINT NOT NULL,
    key BLOB NOT NULL,
    version_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    at BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);

-- One row: the next position, the last one that is no longer in the log, and the incarnation that positions belong to.
CREATE TABLE change_sequencer (
    one INTEGER NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL,
    compacted BIGINT NOT NULL,
    incarnation BIGINT NOT NULL,
    timeline BIGINT NOT NULL
);

-- Current versions and their bytes, up to the last position.
CREATE TABLE bucket_statistics (
    bucket_id INTEGER NOT NULL PRIMARY KEY,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
INSERT INTO bucket_statistics (bucket_id, objects, bytes)
SELECT bucket_id, COUNT(*), SUM(size) FROM objects GROUP BY bucket_id;

-- Each engine in its own words.
-- The writer is alone, so that the number of a change is its position.
INSERT INTO change_sequencer (one, next, compacted, incarnation, timeline)
SELECT 1, 0, next, abs(random() % 1000000000000), 0 FROM id_sequence;
