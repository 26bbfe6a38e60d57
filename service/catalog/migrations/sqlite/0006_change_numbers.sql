-- Versions are numbered by a sequence from now on, and no longer by a counter in their bucket's row.
-- Each engine in its own words.
-- Only this process takes ids, so that the sequence of ids numbers the changes too.
UPDATE id_sequence
SET next = MAX(next, 1 + COALESCE((SELECT MAX(commit_seq) FROM buckets), 0))
WHERE one = 1;
ALTER TABLE buckets DROP COLUMN commit_seq;
