-- 1: a collector has decided to delete the bytes, so that no commit may refer to the blob again.
ALTER TABLE garbage ADD COLUMN condemned BIGINT NOT NULL DEFAULT 0;
