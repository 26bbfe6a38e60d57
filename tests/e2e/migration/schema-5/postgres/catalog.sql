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
    commit_seq bigint NOT NULL,
    config text NOT NULL
);
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
INSERT INTO public._sqlx_migrations VALUES (1, 'catalog', '2026-11-27 11:40:58.030098+00', true, '\x0fff001370473f9f2207da7074fb0e6d179131172538c3b1f3938523cdd74b3000c22ce8ee3aea7c9106338fa4af324e', 11846888);
INSERT INTO public._sqlx_migrations VALUES (2, 'token limits and denials', '2026-11-27 11:40:58.042501+00', true, '\x65ecd5c709c21463f62782c401bc9ff4a25f5b38732e61c115b8e69b021642ac02a821b976937b7bc8a9f6bd99a46221', 1332291);
INSERT INTO public._sqlx_migrations VALUES (3, 'append-only audit', '2026-11-27 11:40:58.043967+00', true, '\xc85359d3939ae479e392103a64979a15eaf5fad0d40ba0f8201fc487d4adbef9ffa25ee6da68a299fb3a51b7ce1e1606', 4309260);
INSERT INTO public._sqlx_migrations VALUES (4, 'usage totals', '2026-11-27 11:40:58.048487+00', true, '\x564def49fe556939434f82c2fd12b34c8ecbfb0adaae47a21e903848bd5bb059964c32d9873638e6e052e282975d4ace', 620762);
INSERT INTO public._sqlx_migrations VALUES (5, 'condemned garbage', '2026-11-27 11:40:58.049226+00', true, '\x7baf65915d5b1a23ff39ab1513bac62200cc0027838ebb51f4525592e8d3f2c6c418024902d821c9e0b69d47f8a74013', 483576);
INSERT INTO public.access_keys VALUES (4, 'TESTROOTACCESSKEY001', 0, NULL, NULL, NULL, 'root', '', '', 0, NULL, 1, 1, 1, 1, '\x038ae0887a1a3dbebef72234', '\x82801d6ecbdeb108d0414b04f6e150653ecbf6bf5d5b44f6e695e9c088cbb92ff93d12d8dfee1375031713a2097e7a7e18e9a189caec8aec', 1795779658116631, 'environment', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.access_keys VALUES (10, 'BKTY4TSN9ULZVSET8NCM', 1, 7, NULL, NULL, 'administrator', '', '', 0, NULL, 1, 1, 1, 1, '\x293c47bd42b819180a63554e', '\xbd8ee2b01a9a961928804d6fc09e6ff96a59d80818faf74117357e0f7e72411866885001f6492b69b6669a3254a2fb7190ca9df4f2c070c89bc1c292ea6d1ba661ea50', 1795779658226816, 'TESTROOTACCESSKEY001', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.accounts VALUES (2, 'dfee737cf3304120150235968f60d9991ed831165a91c395df70fb9fd5a88f33', 'default', 0, 1795779658113767);
INSERT INTO public.accounts VALUES (7, 'c67303973eda5506549ab34599d377f2b799b9c1e4b20b93102bc14083f70e76', 'before', 0, 1795779658223561);
INSERT INTO public.audit VALUES (5, 1795779658116632, 'environment', NULL, 'operator_key.create', NULL, NULL, 4, '', '{"access_key_id":"TESTROOTACCESSKEY001"}');
INSERT INTO public.audit VALUES (8, 1795779658223563, 'TESTROOTACCESSKEY001', '127.0.0.1', 'account.create', 7, NULL, NULL, '01a21ccf01ef732dad4ee0882fea03aa', '{"name":"before"}');
INSERT INTO public.audit VALUES (11, 1795779658226819, 'TESTROOTACCESSKEY001', '127.0.0.1', 'account.create_key', 7, NULL, 10, '01a21ccf01ef732dad4ee0882fea03aa', '{"access_key_id":"BKTY4TSN9ULZVSET8NCM"}');
INSERT INTO public.audit VALUES (14, 1795779658458681, 'BKTY4TSN9ULZVSET8NCM', '127.0.0.1', 'bucket.create', 7, 13, NULL, '01a21ccf02d976ef93fa59ff6b495621', '{"name":"kept"}');
INSERT INTO public.audit VALUES (23, 1795779658744914, 'BKTY4TSN9ULZVSET8NCM', '127.0.0.1', 'bucket.update', 7, 13, NULL, '01a21ccf03f775a1b6ead24e61a979f9', '{"after":{"tagging":[{"key":"made","value":"before"}]},"before":{"tagging":null}}');
INSERT INTO public.audit VALUES (25, 1795779658749462, 'BKTY4TSN9ULZVSET8NCM', '127.0.0.1', 'bucket.update', 7, 13, NULL, '01a21ccf03fc7759893504bf931221e3', '{"after":{"cors":[{"allowed_headers":[],"allowed_methods":["GET"],"allowed_origins":["https://example.com"],"expose_headers":[],"id":null,"max_age_seconds":null}]},"before":{"cors":null}}');
INSERT INTO public.blob_refs VALUES (19456, 20);
INSERT INTO public.blob_refs VALUES (19457, 28);
INSERT INTO public.buckets VALUES (13, 'kept', 7, 'us-east-1', 1795779658458691, 0, 0, 8, '{"tagging":[{"key":"made","value":"before"}],"cors":[{"id":null,"allowed_origins":["https://example.com"],"allowed_methods":["GET"],"allowed_headers":[],"expose_headers":[],"max_age_seconds":null}]}');
INSERT INTO public.id_sequence VALUES (1, 4097);
INSERT INTO public.last_uses VALUES (4, 1795779658223556, '127.0.0.1', 'bucketry/0.1.0 tonic/0.14.9', 'CreateAccount', 2);
INSERT INTO public.last_uses VALUES (10, 1795779658760003, '127.0.0.1', 'Boto3/1.44.8 md/Botocore#1.44.8 ua/2.1 os/linux#6.18.44-fc-v657 md/arch#x86_64 lang/python#3.11.7 md/pyimpl#CPython m/U,N,e,Z,E,b cfg/retry-mode#standard Botocore/1.44.8', 'UploadPart', 12);
INSERT INTO public.object_data VALUES (18, '\x736d616c6c2032', NULL);
INSERT INTO public.object_data VALUES (20, NULL, '\x01018098010080a00100');
INSERT INTO public.object_data VALUES (28, NULL, '\x0101819801000800');
INSERT INTO public.objects VALUES (13, '\x736d616c6c', 3, 0, 1795779658711760, 7, '804e064a245d323cfa76164b9f35d5b3', 7, 0, 1, 18, '', '', '\x01003dba586c', NULL, NULL, 0, NULL);
INSERT INTO public.objects VALUES (13, '\x626c6f62', 4, 0, 1795779658719580, 20480, 'ebcbf9b3a29550898de71befd6309314', 7, 0, 2, 20, '{"user_metadata":[["made","before"]]}', '', '\x010053510d55', NULL, NULL, 0, NULL);
INSERT INTO public.parts VALUES ('\x0006614088a7aebf6b13eaf4b9df558c', 1, 8, '3303e12af474ca11d85ed2966a932992', 1795779658762288, '\x01008b1413b00300099a20c2ca0a2427', 28);
INSERT INTO public.settings VALUES ('store_id', '\x6565313965623331306234663436343462396533666533356139373536666264');
INSERT INTO public.settings VALUES ('keyring_canary/1', '\x00000001017c4415d0b0cb3038d5f7d3e4c211e86de730d3c5362010672998f647429e3b21aa2949667e694f6ce4b45c');
INSERT INTO public.settings VALUES ('store', '\x636c61696d6564');
INSERT INTO public.settings VALUES ('first_account', '\x0000000000000002');
INSERT INTO public.uploads VALUES ('\x0006614088a7aebf6b13eaf4b9df558c', 13, '\x6f70656e', 1795779658755778, 'BKTY4TSN9ULZVSET8NCM', 7, '', '', NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.usage_hours VALUES (4, 1795777200000000, 'other', 2, 0, 0, 0);
INSERT INTO public.usage_hours VALUES (10, 1795777200000000, 'delete', 1, 0, 0, 0);
INSERT INTO public.usage_hours VALUES (10, 1795777200000000, 'other', 4, 0, 0, 0);
INSERT INTO public.usage_hours VALUES (10, 1795777200000000, 'write', 7, 20513, 0, 0);
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
