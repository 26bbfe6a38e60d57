BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'catalog','2026-11-27 11:40:57',1,X'0503F3552ECF2E95A216E321D7D70D322EBFFA43BF516BDD39CD3FFACECB1F38EA7FBF51984DE23C39FA72030ACDD2CF',1625000);
INSERT INTO "_sqlx_migrations" VALUES(2,'token limits and denials','2026-11-27 11:40:57',1,X'348305FAC766E3634D40D64BAA5293A032A61723B8F7B2D8FE29B2059B4C8772E16B3CBA36F41C2300218F491961B81F',1087794);
INSERT INTO "_sqlx_migrations" VALUES(3,'append-only audit','2026-11-27 11:40:57',1,X'3534CE301B83D54E348573403A5877DDF76AD5C2AC6FFBA9F59FF9A28CE58FA02A0F88A0BB1CB81A18A345E747412B19',554963);
INSERT INTO "_sqlx_migrations" VALUES(4,'usage totals','2026-11-27 11:40:57',1,X'564DEF49FE556939434F82C2FD12B34C8ECBFB0ADAAE47A21E903848BD5BB059964C32D9873638E6E052E282975D4ACE',694673);
INSERT INTO "_sqlx_migrations" VALUES(5,'condemned garbage','2026-11-27 11:40:57',1,X'7BAF65915D5B1A23FF39AB1513BAC62200CC0027838EBB51F4525592E8D3F2C6C418024902D821C9E0B69D47F8A74013',534903);
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
, requests_per_second BIGINT, bytes_per_day BIGINT);
INSERT INTO "access_keys" VALUES(4,'TESTROOTACCESSKEY001',0,NULL,NULL,NULL,'root','','',0,NULL,1,1,1,1,X'11706C00229966231146ED2C',X'71215D9A9D56EB7464F65DFBC8C55C7EAADA3B89CBEDD5B6522082D753DEE0F99AE87A33F81416362D3B1911700AC15878424C1460BFAE7D',1795779657238883,'environment',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "access_keys" VALUES(10,'BKTYXQ6UFIKA0ZOOPYUC',1,7,NULL,NULL,'administrator','','',0,NULL,1,1,1,1,X'4C649976A3362EEF7B06CF10',X'1C7419B58A3F761E7BFAC8433CE4DDCEEDB113BA216C81A568BEB9265D6DA9A86B487E85B41F0AB737405493FED73E02C6C5B1CE20B5229E15C07C24199F361072375F',1795779657279083,'TESTROOTACCESSKEY001',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE accounts (
    id INTEGER NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    state BIGINT NOT NULL,
    created BIGINT NOT NULL
);
INSERT INTO "accounts" VALUES(2,'2f8cfadc1029bc265dd2ffc05c775cb680032a4e566fc801798ba6b30c577132','default',0,1795779657236749);
INSERT INTO "accounts" VALUES(7,'9f64289ba0486c15a50b955fa8c338101382691a95da9cf66f2536e9e479e9a6','before',0,1795779657277600);
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
INSERT INTO "audit" VALUES(5,1795779657238883,'environment',NULL,'operator_key.create',NULL,NULL,4,'','{"access_key_id":"TESTROOTACCESSKEY001"}');
INSERT INTO "audit" VALUES(8,1795779657277601,'TESTROOTACCESSKEY001','127.0.0.1','account.create',7,NULL,NULL,'01a21ccefe3d71d5bfe8778d8a164a99','{"name":"before"}');
INSERT INTO "audit" VALUES(11,1795779657279084,'TESTROOTACCESSKEY001','127.0.0.1','account.create_key',7,NULL,10,'01a21ccefe3d71d5bfe8778d8a164a99','{"access_key_id":"BKTYXQ6UFIKA0ZOOPYUC"}');
INSERT INTO "audit" VALUES(14,1795779657494294,'BKTYXQ6UFIKA0ZOOPYUC','127.0.0.1','bucket.create',7,13,NULL,'01a21cceff1575ec8ebb02d96366e070','{"name":"kept"}');
INSERT INTO "audit" VALUES(23,1795779657761666,'BKTYXQ6UFIKA0ZOOPYUC','127.0.0.1','bucket.update',7,13,NULL,'01a21ccf002170c8a81bf290284d504a','{"after":{"tagging":[{"key":"made","value":"before"}]},"before":{"tagging":null}}');
INSERT INTO "audit" VALUES(25,1795779657764594,'BKTYXQ6UFIKA0ZOOPYUC','127.0.0.1','bucket.update',7,13,NULL,'01a21ccf002471cdba668ab545260337','{"after":{"cors":[{"allowed_headers":[],"allowed_methods":["GET"],"allowed_origins":["https://example.com"],"expose_headers":[],"id":null,"max_age_seconds":null}]},"before":{"cors":null}}');
CREATE TABLE blob_batches (
    id INTEGER NOT NULL PRIMARY KEY,
    node_id BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE TABLE blob_refs (
    blob_id BIGINT NOT NULL,
    data_id BIGINT NOT NULL,
    PRIMARY KEY (blob_id, data_id)
) WITHOUT ROWID;
INSERT INTO "blob_refs" VALUES(19456,20);
INSERT INTO "blob_refs" VALUES(19457,28);
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
INSERT INTO "buckets" VALUES(13,'kept',7,'us-east-1',1795779657494304,0,0,8,'{"tagging":[{"key":"made","value":"before"}],"cors":[{"id":null,"allowed_origins":["https://example.com"],"allowed_methods":["GET"],"allowed_headers":[],"expose_headers":[],"max_age_seconds":null}]}');
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
, cause BIGINT NOT NULL DEFAULT 0);
CREATE TABLE garbage (
    blob_id INTEGER NOT NULL PRIMARY KEY,
    unreferenced_at BIGINT NOT NULL
, condemned BIGINT NOT NULL DEFAULT 0);
CREATE TABLE id_sequence (
    one INTEGER NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO "id_sequence" VALUES(1,4097);
CREATE TABLE last_uses (
    access_key INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    address TEXT,
    user_agent TEXT,
    operation TEXT NOT NULL
, requests BIGINT NOT NULL DEFAULT 0);
INSERT INTO "last_uses" VALUES(4,1795779657277595,'127.0.0.1','bucketry/0.1.0 tonic/0.14.9','CreateAccount',2);
INSERT INTO "last_uses" VALUES(10,1795779657770460,'127.0.0.1','Boto3/1.44.8 md/Botocore#1.44.8 ua/2.1 os/linux#6.18.44-fc-v657 md/arch#x86_64 lang/python#3.11.7 md/pyimpl#CPython m/Z,U,N,b,e,E cfg/retry-mode#standard Botocore/1.44.8','UploadPart',12);
CREATE TABLE nodes (
    id INTEGER NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL,
    oldest_read_at BIGINT NOT NULL
);
CREATE TABLE object_data (
    data_id INTEGER NOT NULL PRIMARY KEY,
    inline BLOB,
    layout BLOB
);
INSERT INTO "object_data" VALUES(18,X'736D616C6C2032',NULL);
INSERT INTO "object_data" VALUES(20,NULL,X'01018098010080A00100');
INSERT INTO "object_data" VALUES(28,NULL,X'0101819801000800');
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
INSERT INTO "objects" VALUES(13,X'626C6F62',4,0,1795779657753517,20480,'ebcbf9b3a29550898de71befd6309314',7,0,2,20,'{"user_metadata":[["made","before"]]}','',X'010053510D55',NULL,NULL,0,NULL);
INSERT INTO "objects" VALUES(13,X'736D616C6C',3,0,1795779657750028,7,'804e064a245d323cfa76164b9f35d5b3',7,0,1,18,'','',X'01003DBA586C',NULL,NULL,0,NULL);
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
INSERT INTO "parts" VALUES(X'000661408898993FE1346806B39AA713',1,8,'3303e12af474ca11d85ed2966a932992',1795779657771626,X'01008B1413B00300099A20C2CA0A2427',28);
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO "settings" VALUES('first_account',X'0000000000000002');
INSERT INTO "settings" VALUES('keyring_canary/1',X'0000000101B6B8EE37E848BBB167923CD6387067B884185A48F3328A8180840F6E8822B109B4BF94B70FFA65556A92A7');
INSERT INTO "settings" VALUES('store',X'636C61696D6564');
INSERT INTO "settings" VALUES('store_id',X'3235383436666530373338353466383839643736633236383362306165313635');
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
INSERT INTO "uploads" VALUES(X'000661408898993FE1346806B39AA713',13,X'6F70656E',1795779657767235,'BKTYXQ6UFIKA0ZOOPYUC',7,'','',NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "usage_hours" VALUES(4,1795777200000000,'other',2,0,0,0);
INSERT INTO "usage_hours" VALUES(10,1795777200000000,'delete',1,0,0,0);
INSERT INTO "usage_hours" VALUES(10,1795777200000000,'other',4,0,0,0);
INSERT INTO "usage_hours" VALUES(10,1795777200000000,'write',7,20513,0,0);
CREATE INDEX access_keys_by_bucket ON access_keys (bucket_id, pk);
CREATE INDEX access_keys_by_account ON access_keys (account_id, pk);
CREATE UNIQUE INDEX buckets_by_name ON buckets (name) WHERE state = 0;
CREATE INDEX buckets_by_account ON buckets (account_id, name);
CREATE INDEX blob_refs_by_data ON blob_refs (data_id, blob_id);
CREATE INDEX garbage_by_time ON garbage (unreferenced_at, blob_id);
CREATE INDEX uploads_open ON uploads (bucket_id, key, id) WHERE state = 0;
CREATE INDEX uploads_completed ON uploads (done_at) WHERE state = 1;
CREATE INDEX denials_by_access_key ON denials (access_key, id);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_account ON audit (account_id, at, id);
CREATE INDEX audit_by_bucket ON audit (bucket_id, at, id);
CREATE INDEX audit_by_access_key ON audit (access_key, at, id);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
COMMIT;
