-- Each setting of a bucket has a row of its own, so that a change of one does not rewrite the others, and the row of the
-- bucket has none. The version is the number of the change that set it; 0: it was set before settings had versions.
CREATE TABLE bucket_settings (
    bucket_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (bucket_id, name)
);
-- Each engine in its own words.
INSERT INTO bucket_settings (bucket_id, name, value, version)
SELECT o.bucket_id, o.name, o.value, 0
FROM (
    SELECT id AS bucket_id, 'tagging' AS name, NULLIF(config, '') -> '$.tagging' AS value FROM buckets WHERE state = 0
    UNION ALL
    SELECT id, 'cors', NULLIF(config, '') -> '$.cors' FROM buckets WHERE state = 0
    UNION ALL
    SELECT id, 'ownership_controls', NULLIF(config, '') -> '$.ownership' FROM buckets WHERE state = 0
) AS o
WHERE o.value IS NOT NULL;
ALTER TABLE buckets DROP COLUMN config;
