-- Advances with every change that may alter what requests to the bucket are allowed to do.
ALTER TABLE buckets ADD COLUMN policy_epoch BIGINT NOT NULL DEFAULT 0;
