-- Versions are numbered by a sequence from now on, and no longer by a counter in their bucket's row.
-- Each engine in its own words.
-- A number is drawn while the lock of its key is held, so that the numbers rise along each key.
LOCK TABLE buckets IN ACCESS EXCLUSIVE MODE;
CREATE SEQUENCE change_numbers;
SELECT setval('change_numbers', 1 + COALESCE((SELECT MAX(commit_seq) FROM buckets), 0), false);
ALTER TABLE buckets DROP COLUMN commit_seq;
