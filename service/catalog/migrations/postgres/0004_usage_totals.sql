-- Requests since the key was made: a list of tokens must not sum up every hour of each.
ALTER TABLE last_uses ADD COLUMN requests BIGINT NOT NULL DEFAULT 0;
-- 1: anybody could have caused it, for the proof was wrong. Each kind has its own room.
ALTER TABLE denials ADD COLUMN cause BIGINT NOT NULL DEFAULT 0;
