-- 0 or absent: no limit.
ALTER TABLE access_keys ADD COLUMN requests_per_second BIGINT;
ALTER TABLE access_keys ADD COLUMN bytes_per_day BIGINT;

-- The latest refused requests of each access key; older ones are trimmed as new ones come.
CREATE TABLE denials (
    id INTEGER NOT NULL PRIMARY KEY,
    access_key BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reason BIGINT NOT NULL,
    rule TEXT NOT NULL,
    address TEXT,
    operation TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,
    user_agent TEXT,
    request_id TEXT NOT NULL
);
CREATE INDEX denials_by_access_key ON denials (access_key, id);
