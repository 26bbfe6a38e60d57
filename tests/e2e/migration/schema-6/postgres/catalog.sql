SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.refuse_change_of_audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END;
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.access_keys (
    pk bigint NOT NULL,
    access_key_id text NOT NULL,
    scope bigint NOT NULL,
    account_id bigint,
    bucket_id bigint,
    permission bigint,
    name text NOT NULL,
    allowed text NOT NULL,
    disallowed text NOT NULL,
    state bigint NOT NULL,
    expires bigint,
    version bigint NOT NULL,
    epoch bigint NOT NULL,
    kek_id bigint NOT NULL,
    algorithm bigint NOT NULL,
    nonce bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    edited_at bigint,
    edited_by text,
    revoked_at bigint,
    revoked_by text,
    requests_per_second bigint,
    bytes_per_day bigint
);
CREATE TABLE public.accounts (
    id bigint NOT NULL,
    owner_id text NOT NULL,
    name text NOT NULL,
    state bigint NOT NULL,
    created bigint NOT NULL
);
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    address text,
    action text NOT NULL,
    account_id bigint,
    bucket_id bigint,
    access_key bigint,
    request_id text NOT NULL,
    details text NOT NULL
);
CREATE TABLE public.blob_batches (
    id bigint NOT NULL,
    node_id bigint NOT NULL,
    created bigint NOT NULL
);
CREATE TABLE public.blob_refs (
    blob_id bigint NOT NULL,
    data_id bigint NOT NULL
);
CREATE TABLE public.buckets (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    account_id bigint NOT NULL,
    region text NOT NULL,
    created bigint NOT NULL,
    state bigint NOT NULL,
    versioning bigint NOT NULL,
    config text NOT NULL
);
CREATE SEQUENCE public.change_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.denials (
    id bigint NOT NULL,
    access_key bigint NOT NULL,
    at bigint NOT NULL,
    reason bigint NOT NULL,
    rule text NOT NULL,
    address text,
    operation text NOT NULL,
    bucket text NOT NULL,
    key bytea NOT NULL,
    user_agent text,
    request_id text NOT NULL,
    cause bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.garbage (
    blob_id bigint NOT NULL,
    unreferenced_at bigint NOT NULL,
    condemned bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.id_sequence (
    one bigint NOT NULL,
    next bigint NOT NULL
);
CREATE TABLE public.last_uses (
    access_key bigint NOT NULL,
    at bigint NOT NULL,
    address text,
    user_agent text,
    operation text NOT NULL,
    requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.nodes (
    id bigint NOT NULL,
    lease_until bigint NOT NULL,
    oldest_read_at bigint NOT NULL
);
CREATE TABLE public.object_data (
    data_id bigint NOT NULL,
    inline bytea,
    layout bytea
);
CREATE TABLE public.object_versions (
    bucket_id bigint NOT NULL,
    key bytea NOT NULL,
    generation bigint NOT NULL,
    version_id bigint NOT NULL,
    is_delete_marker bigint NOT NULL,
    modified bigint NOT NULL,
    size bigint NOT NULL,
    etag text NOT NULL,
    owner_id bigint NOT NULL,
    part_count bigint NOT NULL,
    data_kind bigint NOT NULL,
    data_id bigint,
    headers text NOT NULL,
    tags text NOT NULL,
    checksum bytea,
    retention_mode bigint,
    retain_until bigint,
    legal_hold bigint NOT NULL,
    acl text
);
CREATE TABLE public.objects (
    bucket_id bigint NOT NULL,
    key bytea NOT NULL,
    generation bigint NOT NULL,
    version_id bigint NOT NULL,
    modified bigint NOT NULL,
    size bigint NOT NULL,
    etag text NOT NULL,
    owner_id bigint NOT NULL,
    part_count bigint NOT NULL,
    data_kind bigint NOT NULL,
    data_id bigint,
    headers text NOT NULL,
    tags text NOT NULL,
    checksum bytea,
    retention_mode bigint,
    retain_until bigint,
    legal_hold bigint NOT NULL,
    acl text
);
CREATE TABLE public.parts (
    upload_id bytea NOT NULL,
    number bigint NOT NULL,
    size bigint NOT NULL,
    etag text NOT NULL,
    modified bigint NOT NULL,
    checksum bytea,
    data_id bigint NOT NULL
);
CREATE TABLE public.settings (
    name text NOT NULL,
    value bytea NOT NULL
);
CREATE TABLE public.uploads (
    id bytea NOT NULL,
    bucket_id bigint NOT NULL,
    key bytea NOT NULL,
    created bigint NOT NULL,
    initiator text NOT NULL,
    owner_id bigint NOT NULL,
    headers text NOT NULL,
    tags text NOT NULL,
    checksum bigint,
    retention_mode bigint,
    retain_until bigint,
    legal_hold bigint NOT NULL,
    acl text,
    state bigint NOT NULL,
    done_generation bigint,
    done_version bigint,
    done_etag text,
    done_size bigint,
    done_at bigint,
    done_checksum bytea
);
CREATE TABLE public.usage_hours (
    access_key bigint NOT NULL,
    hour bigint NOT NULL,
    class text NOT NULL COLLATE pg_catalog."C",
    requests bigint NOT NULL,
    bytes_in bigint NOT NULL,
    bytes_out bigint NOT NULL,
    denials bigint NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (1, 'catalog', '2026-11-27 14:20:16.542751+00', true, '\x0fff001370473f9f2207da7074fb0e6d179131172538c3b1f3938523cdd74b3000c22ce8ee3aea7c9106338fa4af324e', 31948232);
INSERT INTO public._sqlx_migrations VALUES (2, 'token limits and denials', '2026-11-27 14:20:16.575022+00', true, '\x65ecd5c709c21463f62782c401bc9ff4a25f5b38732e61c115b8e69b021642ac02a821b976937b7bc8a9f6bd99a46221', 1636787);
INSERT INTO public._sqlx_migrations VALUES (3, 'append-only audit', '2026-11-27 14:20:16.576736+00', true, '\xc85359d3939ae479e392103a64979a15eaf5fad0d40ba0f8201fc487d4adbef9ffa25ee6da68a299fb3a51b7ce1e1606', 5549893);
INSERT INTO public._sqlx_migrations VALUES (4, 'usage totals', '2026-11-27 14:20:16.582404+00', true, '\x564def49fe556939434f82c2fd12b34c8ecbfb0adaae47a21e903848bd5bb059964c32d9873638e6e052e282975d4ace', 1130368);
INSERT INTO public._sqlx_migrations VALUES (5, 'condemned garbage', '2026-11-27 14:20:16.583615+00', true, '\x7baf65915d5b1a23ff39ab1513bac62200cc0027838ebb51f4525592e8d3f2c6c418024902d821c9e0b69d47f8a74013', 234041);
INSERT INTO public._sqlx_migrations VALUES (6, 'change numbers', '2026-11-27 14:20:16.58393+00', true, '\xb2cfd4d621ec8e4822cc6584d36ec56a9aec5a0858bd6a25c7ec9b5f46b52435f039a0c6741c5023d7fdf19da3cd4d54', 2950160);
INSERT INTO public.access_keys VALUES (5, 'TESTROOTACCESSKEY001', 0, NULL, NULL, NULL, 'root', '', '', 0, NULL, 1, 1, 1, 1, '\x058a88b41aae0775ae4601e3', '\xbfc84d2d7922eeab1ff60e928f55e3c1791c35eb2cb1ae5192f3d8f845e938b30e6aa44ce0236bf5abf87cf91f8eef67b5da77b1d2d77804', 1795789217474133, 'environment', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.access_keys VALUES (13, 'BKTYZ3504BUT4RG9HOLP', 1, 9, NULL, NULL, 'administrator', '', '', 0, NULL, 1, 1, 1, 1, '\x39d3d51c6ca4ab52dee8f16f', '\xe19af6e6f9ed6d75a34b9b16b0399b8313c14bec36df6bf5973f9ef943cd3c8578d3ea3e807ec35b60b9eb0ce867d04cdfafec636aca7f7a8139ad0d3b256b99dbfa85', 1795789217650708, 'TESTROOTACCESSKEY001', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.accounts VALUES (2, '896b21c669dffd86d48f299c2539901693cbedc195c2331919db7fcb7ae71fb0', 'default', 0, 1795789217462727);
INSERT INTO public.accounts VALUES (9, '8f58ac130295663055951f286221923fd338022ac06b854fe21bb5b6d845a505', 'before', 0, 1795789217644993);
INSERT INTO public.audit VALUES (6, 1795789217474136, 'environment', NULL, 'operator_key.create', NULL, NULL, 5, '', '{"access_key_id":"TESTROOTACCESSKEY001"}');
INSERT INTO public.audit VALUES (10, 1795789217645000, 'TESTROOTACCESSKEY001', '127.0.0.1', 'account.create', 9, NULL, NULL, '01a21d60df6a70d8bebdaf99ddd59c00', '{"name":"before"}');
INSERT INTO public.audit VALUES (14, 1795789217650716, 'TESTROOTACCESSKEY001', '127.0.0.1', 'account.create_key', 9, NULL, 13, '01a21d60df6a70d8bebdaf99ddd59c00', '{"access_key_id":"BKTYZ3504BUT4RG9HOLP"}');
INSERT INTO public.audit VALUES (18, 1795789217660874, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.create', 9, 17, NULL, '01a21d60df7b75858ff8f5b8aaba62da', '{"name":"kept"}');
INSERT INTO public.audit VALUES (28, 1795789217703426, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.update', 9, 17, NULL, '01a21d60dfa67303806dc8cd252e8a41', '{"after":{"tagging":[{"key":"made","value":"before"}]},"before":{"tagging":null}}');
INSERT INTO public.audit VALUES (31, 1795789217706819, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.update', 9, 17, NULL, '01a21d60dfa9730c85e227fba7a9333f', '{"after":{"cors":[{"allowed_headers":[],"allowed_methods":["GET"],"allowed_origins":["https://example.com"],"expose_headers":[],"id":"\u0000\u0000\\u0000\\ue000é","max_age_seconds":null}]},"before":{"cors":null}}');
INSERT INTO public.audit VALUES (34, 1795789217710139, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.update', 9, 17, NULL, '01a21d60dfad73c6a8938a3c7472b27f', '{"after":{"ownership_controls":"BucketOwnerEnforced"},"before":{"ownership_controls":null}}');
INSERT INTO public.audit VALUES (38, 1795789217713869, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.create', 9, 37, NULL, '01a21d60dfb174ba8d1aef34622054ad', '{"name":"bare"}');
INSERT INTO public.audit VALUES (42, 1795789217716808, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.create', 9, 41, NULL, '01a21d60dfb4712d9e9218b57d6cb0fa', '{"name":"gone"}');
INSERT INTO public.audit VALUES (45, 1795789217720056, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.update', 9, 41, NULL, '01a21d60dfb77374bac4a60a7a34e31d', '{"after":{"tagging":[{"key":"made","value":"before"}]},"before":{"tagging":null}}');
INSERT INTO public.audit VALUES (48, 1795789217722371, 'BKTYZ3504BUT4RG9HOLP', '127.0.0.1', 'bucket.delete', 9, 41, NULL, '01a21d60dfb970b1a61f6a19acdf7b75', '{"name":"gone"}');
INSERT INTO public.blob_refs VALUES (25600, 26);
INSERT INTO public.blob_refs VALUES (25601, 53);
INSERT INTO public.buckets VALUES (17, 'kept', 9, 'us-east-1', 1795789217660899, 0, 0, '{"tagging":[{"key":"made","value":"before"}],"cors":[{"id":"\u0000\u0000\\u0000\\ue000é","allowed_origins":["https://example.com"],"allowed_methods":["GET"],"allowed_headers":[],"expose_headers":[],"max_age_seconds":null}],"ownership":"BucketOwnerEnforced"}');
INSERT INTO public.buckets VALUES (37, 'bare', 9, 'us-east-1', 1795789217713884, 0, 0, '');
INSERT INTO public.buckets VALUES (41, 'gone', 9, 'us-east-1', 1795789217716820, 1, 0, '{"tagging":[{"key":"made","value":"before"}]}');
INSERT INTO public.id_sequence VALUES (1, 4097);
INSERT INTO public.last_uses VALUES (5, 1795789217644948, '127.0.0.1', 'grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)', 'CreateAccount', 1);
INSERT INTO public.last_uses VALUES (13, 1795789217885730, '127.0.0.1', 'Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11.7 md/pyimpl#CPython m/b,N,U,E,Z,e cfg/retry-mode#standard Botocore/1.44.5', 'UploadPart', 13);
INSERT INTO public.object_data VALUES (23, '\x736d616c6c2032', NULL);
INSERT INTO public.object_data VALUES (26, NULL, '\x010180c8010080a00100');
INSERT INTO public.object_data VALUES (53, NULL, '\x010181c801000800');
INSERT INTO public.objects VALUES (17, '\x736d616c6c', 2, 0, 1795789217686434, 7, '804e064a245d323cfa76164b9f35d5b3', 9, 0, 1, 23, '', '', '\x0300d57c04b65e9875cd', NULL, NULL, 0, NULL);
INSERT INTO public.objects VALUES (17, '\x626c6f62', 3, 0, 1795789217698011, 20480, 'ebcbf9b3a29550898de71befd6309314', 9, 0, 2, 26, '{"user_metadata":[["made","before"]]}', '', '\x03004969dd9d67a0d1d8', NULL, NULL, 0, NULL);
INSERT INTO public.parts VALUES ('\x00066142c26c3f1ad67412299f440f3e', 1, 8, '3303e12af474ca11d85ed2966a932992', 1795789217889994, '\x01008b1413b00300099a20c2ca0a2427', 53);
INSERT INTO public.settings VALUES ('store_id', '\x3966626466353730363332303435366661653861373665363963666561613733');
INSERT INTO public.settings VALUES ('keyring_canary/1', '\x00000001010c3705e46e2a12752982f12b0280f888665be1a8d71a12f0a454720d8b4729db6a0c4aa8487cf8371e84c2');
INSERT INTO public.settings VALUES ('store', '\x636c61696d6564');
INSERT INTO public.settings VALUES ('first_account', '\x0000000000000002');
INSERT INTO public.uploads VALUES ('\x00066142c26c3f1ad67412299f440f3e', 17, '\x6f70656e', 1795789217873703, 'BKTYZ3504BUT4RG9HOLP', 9, '', '', NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.usage_hours VALUES (5, 1795788000000000, 'other', 1, 0, 0, 0);
INSERT INTO public.usage_hours VALUES (13, 1795788000000000, 'other', 8, 0, 0, 0);
INSERT INTO public.usage_hours VALUES (13, 1795788000000000, 'write', 5, 20502, 0, 0);
SELECT pg_catalog.setval('public.change_numbers', 3, true);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.access_keys
    ADD CONSTRAINT access_keys_access_key_id_key UNIQUE (access_key_id);
ALTER TABLE ONLY public.access_keys
    ADD CONSTRAINT access_keys_pkey PRIMARY KEY (pk);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_name_key UNIQUE (name);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_owner_id_key UNIQUE (owner_id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.blob_batches
    ADD CONSTRAINT blob_batches_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.blob_refs
    ADD CONSTRAINT blob_refs_pkey PRIMARY KEY (blob_id, data_id);
ALTER TABLE ONLY public.buckets
    ADD CONSTRAINT buckets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.denials
    ADD CONSTRAINT denials_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.garbage
    ADD CONSTRAINT garbage_pkey PRIMARY KEY (blob_id);
ALTER TABLE ONLY public.id_sequence
    ADD CONSTRAINT id_sequence_pkey PRIMARY KEY (one);
ALTER TABLE ONLY public.last_uses
    ADD CONSTRAINT last_uses_pkey PRIMARY KEY (access_key);
ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.object_data
    ADD CONSTRAINT object_data_pkey PRIMARY KEY (data_id);
ALTER TABLE ONLY public.object_versions
    ADD CONSTRAINT object_versions_pkey PRIMARY KEY (bucket_id, key, generation);
ALTER TABLE ONLY public.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (bucket_id, key);
ALTER TABLE ONLY public.parts
    ADD CONSTRAINT parts_pkey PRIMARY KEY (upload_id, number);
ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.usage_hours
    ADD CONSTRAINT usage_hours_pkey PRIMARY KEY (access_key, hour, class);
CREATE INDEX access_keys_by_account ON public.access_keys USING btree (account_id, pk);
CREATE INDEX access_keys_by_bucket ON public.access_keys USING btree (bucket_id, pk);
CREATE INDEX audit_by_access_key ON public.audit USING btree (access_key, at, id);
CREATE INDEX audit_by_account ON public.audit USING btree (account_id, at, id);
CREATE INDEX audit_by_bucket ON public.audit USING btree (bucket_id, at, id);
CREATE INDEX audit_by_time ON public.audit USING btree (at, id);
CREATE INDEX blob_refs_by_data ON public.blob_refs USING btree (data_id, blob_id);
CREATE INDEX buckets_by_account ON public.buckets USING btree (account_id, name);
CREATE UNIQUE INDEX buckets_by_name ON public.buckets USING btree (name) WHERE (state = 0);
CREATE INDEX denials_by_access_key ON public.denials USING btree (access_key, id);
CREATE INDEX garbage_by_time ON public.garbage USING btree (unreferenced_at, blob_id);
CREATE INDEX uploads_completed ON public.uploads USING btree (done_at) WHERE (state = 1);
CREATE INDEX uploads_open ON public.uploads USING btree (bucket_id, key, id) WHERE (state = 0);
CREATE TRIGGER audit_is_never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change_of_audit();
