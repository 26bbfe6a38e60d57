-- No version of this program has stored a noncurrent version or a delete marker, so that the table is empty. It gets
-- exactly the columns of objects: data_kind 3 stands for a delete marker.
ALTER TABLE object_versions DROP COLUMN is_delete_marker;
-- Each engine in its own words.
-- Writes in buckets without versions touch neither index. The primary key finds a version by its id; the id of the null
-- version is 0. The other index is in the order of a listing: by key, the newest version first. Neither can stand in for
-- the other, so that the planner, which does not know how many versions one key has, never has a choice that reads all of
-- them: the primary key begins with the id, and a search by id lacks the condition generation > 0, which always holds.
ALTER TABLE object_versions DROP CONSTRAINT object_versions_pkey;
ALTER TABLE object_versions ADD CONSTRAINT object_versions_pkey PRIMARY KEY (version_id, bucket_id, key);
CREATE UNIQUE INDEX object_versions_newest ON object_versions (bucket_id, key, generation DESC) WHERE generation > 0;
