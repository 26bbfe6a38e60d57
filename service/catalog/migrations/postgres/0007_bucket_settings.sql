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
LOCK TABLE buckets IN ACCESS EXCLUSIVE MODE;
-- PostgreSQL does not read JSON with the escape \u0000, which the ID of a CORS rule may have. Meanwhile \ue000 stands for
-- it, an escape that no version has written. A backslash that is escaped itself does not begin an escape.
INSERT INTO bucket_settings (bucket_id, name, value, version)
SELECT o.bucket_id, o.name, regexp_replace(o.value, '(?<!\\)((?:\\\\)*)\\ue000', '\1\\u0000', 'g'), 0
FROM (
    SELECT b.id AS bucket_id, s.name, CAST(b.config -> s.field AS TEXT) AS value
    FROM (
        SELECT id, CAST(regexp_replace(config, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ue000', 'g') AS JSON) AS config
        FROM buckets WHERE state = 0 AND config <> ''
    ) AS b
    CROSS JOIN (
        VALUES ('tagging', 'tagging'), ('cors', 'cors'), ('ownership_controls', 'ownership')
    ) AS s (name, field)
) AS o
WHERE o.value IS NOT NULL;
ALTER TABLE buckets DROP COLUMN config;
