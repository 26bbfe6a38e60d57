// The AWS SDK for JavaScript v2 with its defaults.
import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';

import AWS from 'aws-sdk';

import {
  BUCKET as Bucket, ENDPOINT, LARGE, MIN_PART, PATH_STYLE, REGION, byBytes, content, each, names, run, same,
} from './workload.mjs';

// Version 2 does not read AWS_ENDPOINT_URL.
const s3 = new AWS.S3({ endpoint: ENDPOINT, region: REGION, s3ForcePathStyle: PATH_STYLE });
const NAMES = names();

async function read(Key, options = {}) {
  return (await s3.getObject({ Bucket, Key, ...options }).promise()).Body;
}

function listed(options = {}) {
  return new Promise((resolve, reject) => {
    const keys = [];
    s3.listObjectsV2({ Bucket, ...options }).eachPage((error, page) => {
      if (error) return reject(error);
      if (page) keys.push(...page.Contents.map((entry) => entry.Key));
      else resolve(keys);
      return true;
    });
  });
}

async function refused(statusCode, code, request) {
  await assert.rejects(request.promise(), (error) => {
    assert.deepEqual([error.statusCode, error.code], [statusCode, code], error.message);
    return true;
  });
}

await run('AWS SDK for JavaScript v2', AWS.VERSION, {
  [`PutObject, HeadObject, GetObject of ${NAMES.length} odd names`]: async () => {
    await each(NAMES, (Key) => s3.putObject({ Bucket, Key, Body: content(Key) }).promise());
    await each(NAMES, async (Key) => {
      same(await read(Key), content(Key), Key);
      assert.equal((await s3.headObject({ Bucket, Key }).promise()).ContentLength, content(Key).length);
    });
  },

  'ListObjectsV2, ListObjects by pages': async () => {
    const wanted = [...NAMES].sort(byBytes);
    assert.deepEqual(await listed({ MaxKeys: 37 }), wanted);
    const { Contents } = await s3.listObjects({ Bucket }).promise();
    assert.deepEqual(Contents.map((entry) => entry.Key), wanted);
  },

  'metadata, CopyObject': async () => {
    const Metadata = { colour: 'dark green' };
    await s3.putObject({ Bucket, Key: 'meta', Body: 'm', ContentType: 'text/x-test', Metadata }).promise();
    const head = await s3.headObject({ Bucket, Key: 'meta' }).promise();
    assert.deepEqual([head.Metadata, head.ContentType], [Metadata, 'text/x-test']);
    for (const source of ['plus+sign', 'a b+c', 'percent%2Fslash', 'emoji 🪣🦀']) {
      // Version 2 sends the source as it is given.
      const CopySource = `${Bucket}/${encodeURIComponent(source)}`;
      await s3.copyObject({ Bucket, Key: 'copied', CopySource }).promise();
      same(await read('copied'), content(source), source);
    }
  },

  'multipart by ManagedUpload, by 5 MiB, of a buffer and of a stream': async () => {
    writeFileSync('large', LARGE);
    for (const [Key, Body] of [['large/buffer', LARGE], ['large/stream', createReadStream('large')]]) {
      await s3.upload({ Bucket, Key, Body }, { partSize: MIN_PART }).promise();
      const head = await s3.headObject({ Bucket, Key }).promise();
      assert.match(head.ETag, /-3"$/);
      same(await read(Key), LARGE, Key);
    }
  },

  'multipart by hand, ListParts, AbortMultipartUpload': async () => {
    const Key = 'large/parts';
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key }).promise();
    const Parts = [];
    for (let at = 0, PartNumber = 1; at < LARGE.length; at += MIN_PART, PartNumber += 1) {
      const Body = LARGE.subarray(at, at + MIN_PART);
      const { ETag } = await s3.uploadPart({ Bucket, Key, UploadId, PartNumber, Body }).promise();
      Parts.push({ ETag, PartNumber });
    }
    assert.equal((await s3.listParts({ Bucket, Key, UploadId }).promise()).Parts.length, 3);
    await s3.completeMultipartUpload({ Bucket, Key, UploadId, MultipartUpload: { Parts } }).promise();
    same(await read(Key), LARGE, Key);
    const other = await s3.createMultipartUpload({ Bucket, Key: 'aborted' }).promise();
    await s3.abortMultipartUpload({ Bucket, Key: 'aborted', UploadId: other.UploadId }).promise();
    assert.deepEqual((await s3.listMultipartUploads({ Bucket }).promise()).Uploads, []);
  },

  ranges: async () => {
    same(await read('large/parts', { Range: 'bytes=5242870-5242890' }), LARGE.subarray(5242870, 5242891), 'range');
    same(await read('large/parts', { Range: 'bytes=-77' }), LARGE.subarray(-77), 'end');
  },

  'presigned URLs and form': async () => {
    for (const Key of ['plain.txt', 'a b+c', 'percent%2Fslash']) {
      const put = await s3.getSignedUrlPromise('putObject', { Bucket, Key });
      const stored = await fetch(put, { method: 'PUT', body: content(Key) });
      assert.equal(stored.status, 200, `PUT ${Key}: ${await stored.text()}`);
      const got = await fetch(await s3.getSignedUrlPromise('getObject', { Bucket, Key }));
      same(Buffer.from(await got.arrayBuffer()), content(Key), `presigned ${Key}`);
    }
    const post = s3.createPresignedPost({ Bucket, Fields: { key: 'posted ü' } });
    const form = new FormData();
    for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
    form.append('file', new Blob(['posted']));
    const answer = await fetch(post.url, { method: 'POST', body: form });
    assert.equal(answer.status, 204, `form: ${await answer.text()}`);
    assert.equal((await read('posted ü')).toString(), 'posted');
  },

  'typed errors': async () => {
    await refused(404, 'NoSuchKey', s3.getObject({ Bucket, Key: 'missing' }));
    await refused(404, 'NotFound', s3.headObject({ Bucket, Key: 'missing' }));
    await refused(404, 'NoSuchUpload', s3.abortMultipartUpload({ Bucket, Key: 'k', UploadId: 'unknown' }));
  },

  'DeleteObject, DeleteObjects': async () => {
    await s3.deleteObject({ Bucket, Key: NAMES[0] }).promise();
    const Objects = (await listed()).map((Key) => ({ Key }));
    const { Deleted, Errors } = await s3.deleteObjects({ Bucket, Delete: { Objects } }).promise();
    assert.deepEqual([Deleted.length, Errors], [Objects.length, []]);
    assert.deepEqual(await listed(), []);
  },
});
