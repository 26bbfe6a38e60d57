-- Keys are bytes, so that their order is the listing order. Times are microseconds since the epoch.
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- One row: the next free id of every kind. Nodes take blocks of ids from it.
CREATE TABLE id_sequence (
    one INTEGER NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO id_sequence (one, next) VALUES (1, 1);

CREATE TABLE accounts (
    id INTEGER NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    state BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- Operator keys, account keys and bucket tokens alike: one place for addresses, expiry, revocation and sealing.
CREATE TABLE access_keys (
    pk INTEGER NOT NULL PRIMARY KEY,
    access_key_id TEXT NOT NULL UNIQUE,
    scope BIGINT NOT NULL,
    account_id BIGINT,
    bucket_id BIGINT,
    permission BIGINT,
    name TEXT NOT NULL,
    allowed TEXT NOT NULL,
    disallowed TEXT NOT NULL,
    state BIGINT NOT NULL,
    expires BIGINT,
    version BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    kek_id BIGINT NOT NULL,
    algorithm BIGINT NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    edited_at BIGINT,
    edited_by TEXT,
    revoked_at BIGINT,
    revoked_by TEXT
);
CREATE INDEX access_keys_by_bucket ON access_keys (bucket_id, pk);
CREATE INDEX access_keys_by_account ON access_keys (account_id, pk);

CREATE TABLE buckets (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    region TEXT NOT NULL,
    created BIGINT NOT NULL,
    state BIGINT NOT NULL,
    versioning BIGINT NOT NULL,
    commit_seq BIGINT NOT NULL,
    config TEXT NOT NULL
);
-- A deleted bucket (state 1) gives its name back and keeps its row.
CREATE UNIQUE INDEX buckets_by_name ON buckets (name) WHERE state = 0;
CREATE INDEX buckets_by_account ON buckets (account_id, name);

-- Current versions only, one dense row per key: a listing touches nothing else. Bytes are in object_data.
CREATE TABLE objects (
    bucket_id BIGINT NOT NULL,
    key BLOB NOT NULL,
    generation BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    part_count BIGINT NOT NULL,
    data_kind BIGINT NOT NULL,
    data_id BIGINT,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksum BLOB,
    retention_mode BIGINT,
    retain_until BIGINT,
    legal_hold BIGINT NOT NULL,
    acl TEXT,
    PRIMARY KEY (bucket_id, key)
) WITHOUT ROWID;

-- Older versions and delete markers, newest first.
CREATE TABLE object_versions (
    bucket_id BIGINT NOT NULL,
    key BLOB NOT NULL,
    generation BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    is_delete_marker BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    part_count BIGINT NOT NULL,
    data_kind BIGINT NOT NULL,
    data_id BIGINT,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksum BLOB,
    retention_mode BIGINT,
    retain_until BIGINT,
    legal_hold BIGINT NOT NULL,
    acl TEXT,
    PRIMARY KEY (bucket_id, key, generation DESC)
) WITHOUT ROWID;

-- A table by rowid: inline bytes cost half of what they would as a column of objects.
CREATE TABLE object_data (
    data_id INTEGER NOT NULL PRIMARY KEY,
    inline BLOB,
    layout BLOB
);

CREATE TABLE blob_refs (
    blob_id BIGINT NOT NULL,
    data_id BIGINT NOT NULL,
    PRIMARY KEY (blob_id, data_id)
) WITHOUT ROWID;
CREATE INDEX blob_refs_by_data ON blob_refs (data_id, blob_id);

-- While a reservation stands, none of its 1,024 blobs is garbage.
CREATE TABLE blob_batches (
    id INTEGER NOT NULL PRIMARY KEY,
    node_id BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- Blobs that lost a reference; the collector looks again whether another is left.
CREATE TABLE garbage (
    blob_id INTEGER NOT NULL PRIMARY KEY,
    unreferenced_at BIGINT NOT NULL
);
CREATE INDEX garbage_by_time ON garbage (unreferenced_at, blob_id);

CREATE TABLE nodes (
    id INTEGER NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL,
    oldest_read_at BIGINT NOT NULL
);

CREATE TABLE uploads (
    id BLOB NOT NULL PRIMARY KEY,
    bucket_id BIGINT NOT NULL,
    key BLOB NOT NULL,
    created BIGINT NOT NULL,
    initiator TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksum BIGINT,
    retention_mode BIGINT,
    retain_until BIGINT,
    legal_hold BIGINT NOT NULL,
    acl TEXT,
    state BIGINT NOT NULL,
    done_generation BIGINT,
    done_version BIGINT,
    done_etag TEXT,
    done_size BIGINT,
    done_at BIGINT,
    done_checksum BLOB
) WITHOUT ROWID;
CREATE INDEX uploads_open ON uploads (bucket_id, key, id) WHERE state = 0;
CREATE INDEX uploads_completed ON uploads (done_at) WHERE state = 1;

CREATE TABLE parts (
    upload_id BLOB NOT NULL,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    modified BIGINT NOT NULL,
    checksum BLOB,
    data_id BIGINT NOT NULL,
    PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;

CREATE TABLE usage_hours (
    access_key BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    class TEXT NOT NULL,
    requests BIGINT NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    denials BIGINT NOT NULL,
    PRIMARY KEY (access_key, hour, class)
) WITHOUT ROWID;

CREATE TABLE last_uses (
    access_key INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    address TEXT,
    user_agent TEXT,
    operation TEXT NOT NULL
);

-- Append only.
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    account_id BIGINT,
    bucket_id BIGINT,
    access_key BIGINT,
    request_id TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX audit_by_account ON audit (account_id, id);
CREATE INDEX audit_by_bucket ON audit (bucket_id, id);
CREATE INDEX audit_by_access_key ON audit (access_key, id);
