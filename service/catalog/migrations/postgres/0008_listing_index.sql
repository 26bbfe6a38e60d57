-- A listing reads these columns and no others. From the index, a page of 1,000 keys takes some 50 buffers instead of 1,000
-- rows of the table.
-- Each engine in its own words.
ALTER TABLE objects DROP CONSTRAINT objects_pkey;
ALTER TABLE objects ADD CONSTRAINT objects_pkey PRIMARY KEY (bucket_id, key)
    INCLUDE (generation, modified, size, etag, part_count, checksum);
