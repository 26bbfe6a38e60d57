// The AWS SDK for JavaScript v3 against bucketry, with a token of one bucket.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

const Bucket = process.env.BUCKET_NAME;
const MIN_PART = 5 * 1024 * 1024;

function client(options = {}) {
  return new S3Client({ endpoint: process.env.AWS_ENDPOINT_URL, region: 'us-east-1', maxAttempts: 1, ...options });
}

const s3 = client();

async function read(Key, options = {}) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...options }));
  return Buffer.from(await Body.transformToByteArray());
}

async function refused(status, name, command) {
  await assert.rejects(s3.send(command), (error) => {
    assert.equal(error.$metadata?.httpStatusCode, status, `${error.name}: ${error.message}`);
    assert.equal(error.name, name);
    return true;
  });
}

const cases = {
  async 'put, get, head, delete'() {
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key: 'k', Body: 'content', ContentType: 'text/plain', Metadata: { m: 'v' } }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }));
    assert.deepEqual(
      [head.ETag, head.ContentLength, head.ContentType, head.Metadata],
      [put.ETag, 7, 'text/plain', { m: 'v' }],
    );
    assert.equal((await read('k')).toString(), 'content');
    assert.equal((await read('k', { Range: 'bytes=3-' })).toString(), 'tent');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    await refused(404, 'NoSuchKey', new GetObjectCommand({ Bucket, Key: 'k' }));
    await refused(404, 'NotFound', new HeadObjectCommand({ Bucket, Key: 'k' }));
  },

  async 'bucket by host name and by path'() {
    await s3.send(new HeadBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'by/host name', Body: 'x' }));
    const path = client({ forcePathStyle: true });
    const { Body } = await path.send(new GetObjectCommand({ Bucket, Key: 'by/host name' }));
    assert.equal(await Body.transformToString(), 'x');
  },

  async 'a stream with a checksum trailer'() {
    const body = Buffer.alloc(3_000_001, 'stream');
    const stream = Readable.from(
      (function* chunks() {
        for (let at = 0; at < body.length; at += 100_000) yield body.subarray(at, at + 100_000);
      })(),
    );
    await s3.send(
      new PutObjectCommand({ Bucket, Key: 'stream', Body: stream, ContentLength: body.length, ChecksumAlgorithm: 'CRC32' }),
    );
    assert.ok((await read('stream')).equals(body));
  },

  async checksums() {
    for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']) {
      const put = await s3.send(new PutObjectCommand({ Bucket, Key: 'sum', Body: 'checked', ChecksumAlgorithm }));
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'sum', ChecksumMode: 'ENABLED' }));
      const field = `Checksum${ChecksumAlgorithm}`;
      assert.ok(put[field], `${field} of the put`);
      assert.equal(head[field], put[field], field);
      assert.equal((await read('sum', { ChecksumMode: 'ENABLED' })).toString(), 'checked');
    }
  },

  async 'odd keys'() {
    const keys = ['od d/a b+c', 'od d//x', 'od d/ü☃🦀', "od d/!'()*~", 'od d/%2F&=?#', 'od d/../up'];
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    for (const Key of keys) assert.equal((await read(Key)).toString(), Key);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'od d/' }));
    const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    assert.deepEqual(Contents.map((entry) => entry.Key), [...keys].sort(byBytes));
    const { Deleted } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }),
    );
    assert.equal(Deleted.length, keys.length);
  },

  async 'pages and prefixes'() {
    for (const Key of ['p/1', 'p/2', 'p/d/3', 'p/e/4', 'p/f']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: '' }));
    const seen = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket, Prefix: 'p/', Delimiter: '/' })) {
      seen.push(...(page.Contents ?? []).map((entry) => entry.Key));
      seen.push(...(page.CommonPrefixes ?? []).map((entry) => entry.Prefix));
    }
    assert.deepEqual(seen.sort(), ['p/1', 'p/2', 'p/d/', 'p/e/', 'p/f']);
  },

  async conditions() {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'c', Body: '1' }));
    await refused(412, 'PreconditionFailed', new PutObjectCommand({ Bucket, Key: 'c', Body: '2', IfNoneMatch: '*' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'c', Body: '2', IfMatch: ETag }));
    await refused(412, 'PreconditionFailed', new PutObjectCommand({ Bucket, Key: 'c', Body: '3', IfMatch: ETag }));
    await refused(412, 'PreconditionFailed', new GetObjectCommand({ Bucket, Key: 'c', IfMatch: ETag }));
    assert.equal((await read('c', { IfNoneMatch: ETag })).toString(), '2');
  },

  async 'copies and tags'() {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'from ü', Body: 'copied', Tagging: 'a=1' }));
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/${encodeURIComponent('from ü')}` }));
    assert.equal((await read('to')).toString(), 'copied');
    const tags = async () => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'to' }))).TagSet;
    assert.deepEqual(await tags(), [{ Key: 'a', Value: '1' }]);
    const Tagging = { TagSet: [{ Key: 'b', Value: '2' }] };
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'to', Tagging }));
    assert.deepEqual(await tags(), Tagging.TagSet);
  },

  async 'multipart upload'() {
    const target = { Bucket, Key: 'parts' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
    const bodies = [Buffer.alloc(MIN_PART, 'a'), Buffer.from('the end')];
    const Parts = [];
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1;
      const part = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
    }
    const listed = await s3.send(new ListPartsCommand({ ...target, UploadId }));
    assert.deepEqual(listed.Parts.map((part) => part.Size), bodies.map((body) => body.length));
    const open = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'parts' }));
    assert.deepEqual(open.Uploads.map((upload) => upload.UploadId), [UploadId]);
    const done = await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
    assert.match(done.ETag, /-2"$/);
    assert.ok((await read('parts')).equals(Buffer.concat(bodies)));
    await refused(404, 'NoSuchUpload', new AbortMultipartUploadCommand({ ...target, UploadId: 'none' }));
  },

  async 'presigned requests'() {
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'signed' }), { expiresIn: 60 });
    assert.equal((await call(put, { method: 'PUT', body: 'by url' })).status, 200);
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'signed' }), { expiresIn: 60 });
    const answer = await call(get);
    assert.deepEqual([answer.status, answer.text], [200, 'by url']);
    assert.equal((await call(`${get}0`)).status, 403);
  },

  async 'a form with a signed policy'() {
    const Key = 'forms/${filename}';
    const Conditions = [['content-length-range', 1, 10]];
    const Fields = { 'x-amz-meta-colour': 'blue' };
    const post = await createPresignedPost(s3, { Bucket, Key, Conditions, Fields, Expires: 60 });
    assert.equal((await submit(post, 'of a form')).status, 204);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'forms/a b.txt' }));
    assert.deepEqual([await got.Body.transformToString(), got.Metadata], ['of a form', { colour: 'blue' }]);
    assert.match((await submit(post, 'more than ten')).text, /<Code>EntityTooLarge<\/Code>/);
    post.fields['x-amz-meta-colour'] = 'red';
    assert.match((await submit(post, 'x')).text, /Policy Condition failed/);
  },
};

// The form as browsers encode it.
async function submit({ url, fields }, content) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([content]), 'a b.txt');
  const encoded = new Response(form);
  const body = Buffer.from(await encoded.arrayBuffer());
  return call(url, { method: 'POST', body, headers: { 'content-type': encoded.headers.get('content-type') } });
}

// `fetch` resolves names by itself; node:http takes the lookup that the test environment provides.
async function call(url, { method = 'GET', body = '', headers = {} } = {}) {
  const http = await import('node:http');
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  try {
    await run();
    console.log(`ok     ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}
console.log(`${Object.keys(cases).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
