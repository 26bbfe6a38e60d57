// minio-js with its defaults.
import assert from 'node:assert/strict';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';

import { Client, CopyConditions, CopyDestinationOptions, CopySourceOptions, S3Error } from 'minio';

import {
  BUCKET, ENDPOINT, LARGE, MIN_PART, PATH_STYLE, REGION, collect, content, each, names, run, same,
} from './workload.mjs';

const { version } = JSON.parse(readFileSync('node_modules/minio/package.json', 'utf8'));
const url = new URL(ENDPOINT);
const client = new Client({
  endPoint: url.hostname,
  port: Number(url.port),
  useSSL: url.protocol === 'https:',
  accessKey: process.env.AWS_ACCESS_KEY_ID,
  secretKey: process.env.AWS_SECRET_ACCESS_KEY,
  region: REGION,
  pathStyle: PATH_STYLE,
});
// minio-js 8 reads a listed name that is all digits as a number: `001` becomes `1`.
const NAMES = names((name) => /^\d+$/.test(name));

const read = async (name) => collect(await client.getObject(BUCKET, name));

async function listed(prefix = '') {
  const found = [];
  for await (const entry of client.listObjectsV2(BUCKET, prefix, true)) found.push(entry.name);
  return found.sort();
}

async function refused(code, action) {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof S3Error, `${error}`);
    assert.equal(error.code, code);
    return true;
  });
}

await run('minio-js', version, {
  [`PutObject, HeadObject, GetObject of ${NAMES.length} odd names`]: async () => {
    await each(NAMES, (name) => client.putObject(BUCKET, name, content(name)));
    await each(NAMES, async (name) => {
      same(await read(name), content(name), name);
      assert.equal((await client.statObject(BUCKET, name)).size, content(name).length);
    });
  },

  'ListObjectsV2, ListObjects by pages': async () => {
    assert.deepEqual(await listed(), [...NAMES].sort());
    const many = Array.from({ length: 1003 }, (_, number) => `many/${number}`);
    await each(many, (name) => client.putObject(BUCKET, name, ''));
    assert.deepEqual(await listed('many/'), [...many].sort());
    const first = [];
    for await (const entry of client.listObjects(BUCKET, 'many/', true)) first.push(entry.name);
    assert.deepEqual(first.sort(), [...many].sort());
    await client.removeObjects(BUCKET, many);
  },

  'metadata, tags': async () => {
    await client.putObject(BUCKET, 'meta', 'm', 1, { 'Content-Type': 'text/x-test', 'X-Amz-Meta-Colour': 'dark green' });
    const { metaData } = await client.statObject(BUCKET, 'meta');
    assert.deepEqual([metaData['content-type'], metaData.colour], ['text/x-test', 'dark green']);
    await client.setObjectTagging(BUCKET, 'meta', { 'a b': '+=/@' });
    assert.deepEqual(await client.getObjectTagging(BUCKET, 'meta'), [{ Key: 'a b', Value: '+=/@' }]);
  },

  CopyObject: async () => {
    // Not of names with a plus: minio-js sends it as it is in the source, where S3 reads a space.
    for (const source of ['space in it', 'percent%2Fslash', 'emoji 🪣🦀']) {
      const from = new CopySourceOptions({ Bucket: BUCKET, Object: source });
      await client.copyObject(from, new CopyDestinationOptions({ Bucket: BUCKET, Object: 'copied' }));
      same(await read('copied'), content(source), source);
    }
    await client.copyObject(BUCKET, 'copied', `/${BUCKET}/ünïcödé`, new CopyConditions());
    same(await read('copied'), content('ünïcödé'), 'copy by the older form');
  },

  'multipart of a buffer, a stream of unknown size and a file; compose': async () => {
    client.partSize = MIN_PART;
    writeFileSync('large', LARGE);
    await client.putObject(BUCKET, 'large/buffer', LARGE);
    await client.putObject(BUCKET, 'large/stream', createReadStream('large'));
    await client.fPutObject(BUCKET, 'large/file', 'large');
    for (const name of ['large/buffer', 'large/stream', 'large/file']) same(await read(name), LARGE, name);
    const sources = ['large/file', 'space in it'].map((Object) => new CopySourceOptions({ Bucket: BUCKET, Object }));
    await client.composeObject(new CopyDestinationOptions({ Bucket: BUCKET, Object: 'composed' }), sources);
    same(await read('composed'), Buffer.concat([LARGE, content('space in it')]), 'composed');
  },

  'ranges, download with resumption': async () => {
    same(await collect(await client.getPartialObject(BUCKET, 'large/file', 5242870, 21)),
      LARGE.subarray(5242870, 5242891), 'range');
    await client.fGetObject(BUCKET, 'large/file', 'got');
    same(readFileSync('got'), LARGE, 'downloaded file');
  },

  'presigned URLs and form': async () => {
    for (const name of ['plain.txt', 'a b+c', 'percent%2Fslash']) {
      const stored = await fetch(await client.presignedPutObject(BUCKET, name), { method: 'PUT', body: content(name) });
      assert.equal(stored.status, 200, `PUT ${name}: ${await stored.text()}`);
      const got = await fetch(await client.presignedGetObject(BUCKET, name));
      same(Buffer.from(await got.arrayBuffer()), content(name), `presigned ${name}`);
    }
    const policy = client.newPostPolicy();
    policy.setBucket(BUCKET);
    policy.setKey('posted ü');
    policy.setExpires(new Date(Date.now() + 60_000));
    const { postURL, formData } = await client.presignedPostPolicy(policy);
    const form = new FormData();
    for (const [name, value] of Object.entries(formData)) form.append(name, value);
    form.append('file', new Blob(['posted']));
    const answer = await fetch(postURL, { method: 'POST', body: form });
    assert.equal(answer.status, 204, `form: ${await answer.text()}`);
    assert.equal((await read('posted ü')).toString(), 'posted');
  },

  'typed errors': async () => {
    await refused('NoSuchKey', () => client.getObject(BUCKET, 'missing'));
    await refused('NotFound', () => client.statObject(BUCKET, 'missing'));
  },

  'DeleteObject, DeleteObjects': async () => {
    await client.removeObject(BUCKET, NAMES[0]);
    await client.removeObjects(BUCKET, await listed());
    assert.deepEqual(await listed(), []);
  },
});
