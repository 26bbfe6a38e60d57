BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'catalog','2026-11-27 14:20:03',1,X'0503F3552ECF2E95A216E321D7D70D322EBFFA43BF516BDD39CD3FFACECB1F38EA7FBF51984DE23C39FA72030ACDD2CF',1516608);
INSERT INTO "_sqlx_migrations" VALUES(2,'token limits and denials','2026-11-27 14:20:03',1,X'348305FAC766E3634D40D64BAA5293A032A61723B8F7B2D8FE29B2059B4C8772E16B3CBA36F41C2300218F491961B81F',840833);
INSERT INTO "_sqlx_migrations" VALUES(3,'append-only audit','2026-11-27 14:20:03',1,X'3534CE301B83D54E348573403A5877DDF76AD5C2AC6FFBA9F59FF9A28CE58FA02A0F88A0BB1CB81A18A345E747412B19',624498);
INSERT INTO "_sqlx_migrations" VALUES(4,'usage totals','2026-11-27 14:20:03',1,X'564DEF49FE556939434F82C2FD12B34C8ECBFB0ADAAE47A21E903848BD5BB059964C32D9873638E6E052E282975D4ACE',671138);
INSERT INTO "_sqlx_migrations" VALUES(5,'condemned garbage','2026-11-27 14:20:03',1,X'7BAF65915D5B1A23FF39AB1513BAC62200CC0027838EBB51F4525592E8D3F2C6C418024902D821C9E0B69D47F8A74013',509565);
INSERT INTO "_sqlx_migrations" VALUES(6,'change numbers','2026-11-27 14:20:03',1,X'8AB52DEDBE2AF8030358D16C91597C10A0FE355A89BAA527345A0C98513822D4ED6EAC131FD1F1B8936160AFAB5303E4',997998);
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
INSERT INTO "access_keys" VALUES(5,'TESTROOTACCESSKEY001',0,NULL,NULL,NULL,'root','','',0,NULL,1,1,1,1,X'100F38158C3FF595FCB76118',X'71E2D5E56BB8A9995E4654208995E12765154AFFEFAB6140E0386A00F6BC101F8E1D6130FCAD992CD7EC351DBE219D988D7FAF6998EB4EA4',1795789204183225,'environment',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "access_keys" VALUES(13,'BKTY7GZN5CA60OLF9DT4',1,9,NULL,NULL,'administrator','','',0,NULL,1,1,1,1,X'80501239C14C81372E30D433',X'F2E1A0BD99009215888B0FC5D4EA6D71D6619E7EA00F2CFA64E82B7FB4520774F873E113FD951A8FAC54EFD4E833DE5958F1CAF11594623834612FA25F494CF119EB6E',1795789204499942,'TESTROOTACCESSKEY001',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE accounts (
    id INTEGER NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    state BIGINT NOT NULL,
    created BIGINT NOT NULL
);
INSERT INTO "accounts" VALUES(2,'665f76e8bdf07f5bf7175b6add53ae01a4eb888c04c13328e22d376b20394ca3','default',0,1795789204179331);
INSERT INTO "accounts" VALUES(9,'969698aa7a8e9abcb69f81475fd7513c2624ed6bd90538d401f6d7e164fff4b7','before',0,1795789204495182);
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
INSERT INTO "audit" VALUES(6,1795789204183227,'environment',NULL,'operator_key.create',NULL,NULL,5,'','{"access_key_id":"TESTROOTACCESSKEY001"}');
INSERT INTO "audit" VALUES(10,1795789204495189,'TESTROOTACCESSKEY001','127.0.0.1','account.create',9,NULL,NULL,'01a21d60ac0e7409828513aa5e72d368','{"name":"before"}');
INSERT INTO "audit" VALUES(14,1795789204499949,'TESTROOTACCESSKEY001','127.0.0.1','account.create_key',9,NULL,13,'01a21d60ac0e7409828513aa5e72d368','{"access_key_id":"BKTY7GZN5CA60OLF9DT4"}');
INSERT INTO "audit" VALUES(18,1795789204510363,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.create',9,17,NULL,'01a21d60ac1d72feb4fc4d168a56642d','{"name":"kept"}');
INSERT INTO "audit" VALUES(28,1795789204536425,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.update',9,17,NULL,'01a21d60ac3773dd8e82ec1508eb2198','{"after":{"tagging":[{"key":"made","value":"before"}]},"before":{"tagging":null}}');
INSERT INTO "audit" VALUES(31,1795789204538523,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.update',9,17,NULL,'01a21d60ac3a7433bf616c2c19e83ca9','{"after":{"cors":[{"allowed_headers":[],"allowed_methods":["GET"],"allowed_origins":["https://example.com"],"expose_headers":[],"id":"\u0000\u0000\\u0000\\ue000é","max_age_seconds":null}]},"before":{"cors":null}}');
INSERT INTO "audit" VALUES(34,1795789204540250,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.update',9,17,NULL,'01a21d60ac3b72b5853ad9ab3970eb04','{"after":{"ownership_controls":"BucketOwnerEnforced"},"before":{"ownership_controls":null}}');
INSERT INTO "audit" VALUES(38,1795789204542095,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.create',9,37,NULL,'01a21d60ac3d72ddbbac9ab1178b94f3','{"name":"bare"}');
INSERT INTO "audit" VALUES(42,1795789204546068,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.create',9,41,NULL,'01a21d60ac3f7540b2c45700885c5261','{"name":"gone"}');
INSERT INTO "audit" VALUES(45,1795789204549355,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.update',9,41,NULL,'01a21d60ac44728d8abfc818c884644f','{"after":{"tagging":[{"key":"made","value":"before"}]},"before":{"tagging":null}}');
INSERT INTO "audit" VALUES(48,1795789204552780,'BKTY7GZN5CA60OLF9DT4','127.0.0.1','bucket.delete',9,41,NULL,'01a21d60ac4877159073fa1773327963','{"name":"gone"}');
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
INSERT INTO "blob_refs" VALUES(25600,26);
INSERT INTO "blob_refs" VALUES(25601,53);
CREATE TABLE buckets (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    region TEXT NOT NULL,
    created BIGINT NOT NULL,
    state BIGINT NOT NULL,
    versioning BIGINT NOT NULL,
    config TEXT NOT NULL
);
INSERT INTO "buckets" VALUES(17,'kept',9,'us-east-1',1795789204510396,0,0,'{"tagging":[{"key":"made","value":"before"}],"cors":[{"id":"\u0000\u0000\\u0000\\ue000é","allowed_origins":["https://example.com"],"allowed_methods":["GET"],"allowed_headers":[],"expose_headers":[],"max_age_seconds":null}],"ownership":"BucketOwnerEnforced"}');
INSERT INTO "buckets" VALUES(37,'bare',9,'us-east-1',1795789204542112,0,0,'');
INSERT INTO "buckets" VALUES(41,'gone',9,'us-east-1',1795789204546087,1,0,'{"tagging":[{"key":"made","value":"before"}]}');
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
INSERT INTO "last_uses" VALUES(5,1795789204495134,'127.0.0.1','grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)','CreateAccount',1);
INSERT INTO "last_uses" VALUES(13,1795789204859339,'127.0.0.1','Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11.7 md/pyimpl#CPython m/Z,e,U,N,b,E cfg/retry-mode#standard Botocore/1.44.5','UploadPart',13);
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
INSERT INTO "object_data" VALUES(23,X'736D616C6C2032',NULL);
INSERT INTO "object_data" VALUES(26,NULL,X'010180C8010080A00100');
INSERT INTO "object_data" VALUES(53,NULL,X'010181C801000800');
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
INSERT INTO "objects" VALUES(17,X'626C6F62',27,0,1795789204533203,20480,'ebcbf9b3a29550898de71befd6309314',9,0,2,26,'{"user_metadata":[["made","before"]]}','',X'03004969DD9D67A0D1D8',NULL,NULL,0,NULL);
INSERT INTO "objects" VALUES(17,X'736D616C6C',24,0,1795789204522198,7,'804e064a245d323cfa76164b9f35d5b3',9,0,1,23,'','',X'0300D57C04B65E9875CD',NULL,NULL,0,NULL);
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
INSERT INTO "parts" VALUES(X'00066142C1A59620743E0487BF65B3BC',1,8,'3303e12af474ca11d85ed2966a932992',1795789204862447,X'01008B1413B00300099A20C2CA0A2427',53);
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO "settings" VALUES('first_account',X'0000000000000002');
INSERT INTO "settings" VALUES('keyring_canary/1',X'00000001017479365FEBF55D99632C270EB9994872405FE4AA0500F12463BFD9081C4A2A06772E9DC3C2751E2BC8D4F9');
INSERT INTO "settings" VALUES('store',X'636C61696D6564');
INSERT INTO "settings" VALUES('store_id',X'3663396266643838343433353461313162626261653965303935633730373538');
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
INSERT INTO "uploads" VALUES(X'00066142C1A59620743E0487BF65B3BC',17,X'6F70656E',1795789204854317,'BKTY7GZN5CA60OLF9DT4',9,'','',NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "usage_hours" VALUES(5,1795788000000000,'other',1,0,0,0);
INSERT INTO "usage_hours" VALUES(13,1795788000000000,'other',8,0,0,0);
INSERT INTO "usage_hours" VALUES(13,1795788000000000,'write',5,20502,0,0);
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
