-- No version of this program has stored a noncurrent version or a delete marker, so that the table is empty. It gets
-- exactly the columns of objects: data_kind 3 stands for a delete marker.
ALTER TABLE object_versions DROP COLUMN is_delete_marker;
-- Each engine in its own words.
-- The table is in the order of a listing: by key, the newest version first. This index finds a version by its id; the id
-- of the null version is 0. Writes in buckets without versions touch neither.
CREATE UNIQUE INDEX object_versions_by_id ON object_versions (bucket_id, key, version_id);
