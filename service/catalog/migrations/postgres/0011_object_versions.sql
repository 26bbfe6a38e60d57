-- No version of this program has stored a noncurrent version or a delete marker, so that the table is empty. It gets
-- exactly the columns of objects: data_kind 3 stands for a delete marker.
ALTER TABLE object_versions DROP COLUMN is_delete_marker;
-- Each engine in its own words.
-- The primary key finds a version by its id; the id of the null version is 0. A primary key has no descending column, but a
-- listing needs the order of an index: by key, the newest version first. Writes in buckets without versions touch neither.
ALTER TABLE object_versions DROP CONSTRAINT object_versions_pkey;
ALTER TABLE object_versions ADD CONSTRAINT object_versions_pkey PRIMARY KEY (bucket_id, key, version_id);
CREATE UNIQUE INDEX object_versions_newest ON object_versions (bucket_id, key, generation DESC);
