// The AWS SDK for JavaScript v2 against bucketry, with a token of one bucket. It is out of support and still in use.
'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');

const AWS = require('aws-sdk');

const Bucket = process.env.BUCKET_NAME;
const options = { endpoint: process.env.AWS_ENDPOINT_URL, maxRetries: 0 };
// As in the user guide: the bucket in the host name, and no region.
const s3 = new AWS.S3(options);

async function refused(status, code, request) {
  await assert.rejects(request.promise(), (error) => {
    assert.deepEqual([error.statusCode, error.code], [status, code], error.message);
    return true;
  });
}

const cases = {
  async 'put, get, head, list, delete'() {
    const put = await s3.putObject({ Bucket, Key: 'a b/ü+', Body: 'content', Metadata: { m: 'v' } }).promise();
    const get = await s3.getObject({ Bucket, Key: 'a b/ü+' }).promise();
    assert.deepEqual([get.Body.toString(), get.ETag, get.Metadata], ['content', put.ETag, { m: 'v' }]);
    assert.equal((await s3.headObject({ Bucket, Key: 'a b/ü+' }).promise()).ContentLength, 7);
    const listed = await s3.listObjectsV2({ Bucket, Prefix: 'a b/' }).promise();
    assert.deepEqual(listed.Contents.map((entry) => entry.Key), ['a b/ü+']);
    const v1 = await s3.listObjects({ Bucket, Delimiter: '/' }).promise();
    assert.deepEqual(v1.CommonPrefixes.map((entry) => entry.Prefix), ['a b/']);
    await s3.deleteObject({ Bucket, Key: 'a b/ü+' }).promise();
    await refused(404, 'NoSuchKey', s3.getObject({ Bucket, Key: 'a b/ü+' }));
  },

  async 'by path, signed with version 4'() {
    const other = new AWS.S3({ ...options, s3ForcePathStyle: true, signatureVersion: 'v4', region: 'us-east-1' });
    await other.putObject({ Bucket, Key: 'path', Body: Buffer.alloc(100_000, 'x') }).promise();
    assert.equal((await other.getObject({ Bucket, Key: 'path' }).promise()).Body.length, 100_000);
  },

  async 'a managed upload in parts'() {
    const Body = Buffer.alloc(11 * 1024 * 1024, 'parts');
    const done = await s3.upload({ Bucket, Key: 'managed', Body }, { partSize: 5 * 1024 * 1024, queueSize: 2 }).promise();
    assert.match(done.ETag, /-3"$/);
    const got = await s3.getObject({ Bucket, Key: 'managed' }).promise();
    assert.ok(got.Body.equals(Body));
  },

  async 'delete many'() {
    for (const Key of ['m1', 'm2']) await s3.putObject({ Bucket, Key, Body: '' }).promise();
    const Delete = { Objects: [{ Key: 'm1' }, { Key: 'm2' }, { Key: 'm3' }] };
    const done = await s3.deleteObjects({ Bucket, Delete }).promise();
    assert.deepEqual([done.Deleted.length, done.Errors.length], [3, 0]);
  },

  async 'presigned, by version 4'() {
    const signer = new AWS.S3({ ...options, signatureVersion: 'v4', region: 'us-east-1' });
    await s3.putObject({ Bucket, Key: 'signed', Body: 'by url' }).promise();
    const url = await signer.getSignedUrlPromise('getObject', { Bucket, Key: 'signed', Expires: 60 });
    assert.deepEqual(await call(url), [200, 'by url']);
  },

  async 'a form with a signed policy'() {
    const Fields = { key: 'forms/a b.txt', 'Content-Type': 'text/plain', success_action_status: '201' };
    const Conditions = [['content-length-range', 1, 10]];
    const post = await new Promise((resolve, reject) => {
      const done = (error, data) => (error ? reject(error) : resolve(data));
      s3.createPresignedPost({ Bucket, Fields, Conditions, Expires: 60 }, done);
    });
    const answer = await submit(post, 'of a form');
    assert.equal(answer[0], 201, answer[1]);
    assert.match(answer[1], /<Key>forms\/a b\.txt<\/Key>/);
    const got = await s3.getObject({ Bucket, Key: 'forms/a b.txt' }).promise();
    assert.deepEqual([got.Body.toString(), got.ContentType], ['of a form', 'text/plain']);
    assert.match((await submit(post, 'more than ten'))[1], /<Code>EntityTooLarge<\/Code>/);
    post.fields.key = 'elsewhere';
    assert.match((await submit(post, 'x'))[1], /Policy Condition failed/);
  },

  // What the SDK signs for every endpoint of one's own unless it is told otherwise.
  async 'presigned, by version 2'() {
    const signed = (operation, parameters) => s3.getSignedUrlPromise(operation, { Bucket, Expires: 60, ...parameters });
    const Key = 'folder/a b+ü';
    const put = await signed('putObject', { Key, ContentType: 'text/plain', Metadata: { m: 'v' } });
    assert.match(put, /[?&]AWSAccessKeyId=/);
    const headers = { 'content-type': 'text/plain' };
    assert.equal((await call(put, { method: 'PUT', body: 'by old url', headers }))[0], 200);
    const got = await s3.getObject({ Bucket, Key }).promise();
    assert.deepEqual([got.Body.toString(), got.ContentType, got.Metadata], ['by old url', 'text/plain', { m: 'v' }]);
    const get = await signed('getObject', { Key });
    assert.deepEqual(await call(get), [200, 'by old url']);
    assert.equal((await call(await signed('headObject', { Key }), { method: 'HEAD' }))[0], 200);
    const renamed = await signed('getObject', { Key, ResponseContentType: 'text/x-other' });
    assert.equal((await call(renamed))[0], 200);
    assert.equal((await call(renamed.replace('x-other', 'html')))[0], 403);
    assert.equal((await call(get.replace('folder', 'other')))[0], 403);
    assert.equal((await call(get, { method: 'DELETE' }))[0], 400);
    const past = await signed('getObject', { Key, Expires: -60 });
    assert.match((await call(past))[1], /<Code>AccessDenied<\/Code>/);
  },
};

function call(url, { method = 'GET', body = '', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const length = method === 'PUT' ? { 'content-length': Buffer.byteLength(body) } : {};
    const request = http.request(url, { method, headers: { ...headers, ...length } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve([response.statusCode, Buffer.concat(chunks).toString()]));
    });
    request.on('error', reject);
    request.end(body);
  });
}

// The form as browsers encode it.
async function submit({ url, fields }, content) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([content]));
  const encoded = new Response(form);
  const body = Buffer.from(await encoded.arrayBuffer());
  const headers = { 'content-type': encoded.headers.get('content-type'), 'content-length': body.length };
  return call(url, { method: 'POST', body, headers });
}

async function main() {
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
}

main();
