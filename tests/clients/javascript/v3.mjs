// The AWS SDK for JavaScript v3 with its defaults.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';

import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand,
  DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand,
  ListObjectsCommand, ListPartsCommand, NoSuchKey, NoSuchUpload, NotFound, PutObjectCommand, S3Client,
  UploadPartCommand, paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

import { BUCKET as Bucket, LARGE, MIN_PART, PATH_STYLE, byBytes, content, each, names, run, same } from './workload.mjs';

const { version } = JSON.parse(readFileSync('node_modules/@aws-sdk/client-s3/package.json', 'utf8'));
// Endpoint, region and credentials come from the environment.
const s3 = new S3Client({ forcePathStyle: PATH_STYLE });
const NAMES = names();

async function read(Key, options = {}) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...options }));
  return Buffer.from(await Body.transformToByteArray());
}

async function listed(pageSize) {
  const keys = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize }, { Bucket })) {
    keys.push(...(page.Contents ?? []).map((entry) => entry.Key));
  }
  return keys;
}

function pieces() {
  return Readable.from((function* generate() {
    for (let at = 0; at < LARGE.length; at += 100_000) yield LARGE.subarray(at, at + 100_000);
  })());
}

await run('AWS SDK for JavaScript v3', version, {
  [`PutObject, HeadObject, GetObject of ${NAMES.length} odd names`]: async () => {
    await each(NAMES, (Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: content(Key) })));
    await each(NAMES, async (Key) => {
      same(await read(Key), content(Key), Key);
      assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength, content(Key).length);
    });
  },

  'ListObjectsV2, ListObjects by pages': async () => {
    const wanted = [...NAMES].sort(byBytes);
    assert.deepEqual(await listed(37), wanted);
    const { Contents } = await s3.send(new ListObjectsCommand({ Bucket }));
    assert.deepEqual(Contents.map((entry) => entry.Key), wanted);
  },

  'metadata, CopyObject': async () => {
    const Metadata = { colour: 'dark green' };
    await s3.send(new PutObjectCommand({ Bucket, Key: 'meta', Body: 'm', ContentType: 'text/x-test', Metadata }));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'meta' }));
    assert.deepEqual([head.Metadata, head.ContentType], [Metadata, 'text/x-test']);
    for (const source of ['plus+sign', 'a b+c', 'percent%2Fslash', 'emoji 🪣🦀']) {
      // Version 3 sends the source as it is given.
      const CopySource = `${Bucket}/${encodeURIComponent(source)}`;
      await s3.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource }));
      same(await read('copied'), content(source), source);
    }
  },

  'PutObject of a stream, with a checksum trailer': async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'stream', Body: pieces(), ContentLength: LARGE.length }));
    same(await read('stream'), LARGE, 'stream');
  },

  'multipart by lib-storage, by 5 MiB, of a buffer and of a stream': async () => {
    for (const [Key, Body] of [['large/buffer', LARGE], ['large/stream', pieces()]]) {
      await new Upload({ client: s3, params: { Bucket, Key, Body } }).done();
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      assert.match(head.ETag, /-3"$/);
      same(await read(Key), LARGE, Key);
    }
  },

  'multipart by hand, ListParts, AbortMultipartUpload': async () => {
    const Key = 'large/parts';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const Parts = [];
    for (let at = 0, PartNumber = 1; at < LARGE.length; at += MIN_PART, PartNumber += 1) {
      const Body = LARGE.subarray(at, at + MIN_PART);
      const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
      Parts.push({ ETag, PartNumber });
    }
    assert.equal((await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))).Parts.length, 3);
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    same(await read(Key), LARGE, Key);
    const other = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'aborted' }));
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId: other.UploadId }));
    assert.equal((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads, undefined);
  },

  ranges: async () => {
    same(await read('large/parts', { Range: 'bytes=5242870-5242890' }), LARGE.subarray(5242870, 5242891), 'range');
    same(await read('large/parts', { Range: 'bytes=-77' }), LARGE.subarray(-77), 'end');
  },

  'presigned URLs and form': async () => {
    for (const Key of ['plain.txt', 'a b+c', 'percent%2Fslash']) {
      const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key }));
      const stored = await fetch(put, { method: 'PUT', body: content(Key) });
      assert.equal(stored.status, 200, `PUT ${Key}: ${await stored.text()}`);
      const got = await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key })));
      same(Buffer.from(await got.arrayBuffer()), content(Key), `presigned ${Key}`);
    }
    const post = await createPresignedPost(s3, { Bucket, Key: 'posted ü' });
    const form = new FormData();
    for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
    form.append('file', new Blob(['posted']));
    const answer = await fetch(post.url, { method: 'POST', body: form });
    assert.equal(answer.status, 204, `form: ${await answer.text()}`);
    assert.equal((await read('posted ü')).toString(), 'posted');
  },

  'typed errors': async () => {
    await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: 'missing' })), NoSuchKey);
    await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: 'missing' })), NotFound);
    await assert.rejects(
      s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'k', UploadId: 'unknown' })), NoSuchUpload);
  },

  'DeleteObject, DeleteObjects': async () => {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: NAMES[0] }));
    const Objects = (await listed()).map((Key) => ({ Key }));
    const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.deepEqual([Deleted.length, Errors], [Objects.length, undefined]);
    assert.deepEqual(await listed(), []);
  },
});
