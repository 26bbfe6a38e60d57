-- Nodes take ids in blocks, so that ids tell no order between them: time does.
DROP INDEX audit_by_account;
DROP INDEX audit_by_bucket;
DROP INDEX audit_by_access_key;
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_account ON audit (account_id, at, id);
CREATE INDEX audit_by_bucket ON audit (bucket_id, at, id);
CREATE INDEX audit_by_access_key ON audit (access_key, at, id);
-- Each engine in its own words from here on: the audit only grows.
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
