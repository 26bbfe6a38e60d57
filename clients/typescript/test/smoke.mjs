// The TypeScript SDK against a real server: BUCKETRY_ENDPOINT, BUCKETRY_ACCESS_KEY_ID, BUCKETRY_SECRET_ACCESS_KEY.
import assert from 'node:assert/strict';

import { create } from '@bufbuild/protobuf';

import {
  BucketryError,
  Client,
  DecisionReason,
  ErrorKind,
  ObjectOrder,
  Permission,
  PresignedMethod,
  SearchCoverage,
  TokenState,
} from '../dist/index.js';
import { TokenLimitsSchema } from '../dist/v1.js';

const endpoint = process.env.BUCKETRY_ENDPOINT;
const bucket = 'typescript-sdk';

async function refused(kind, reason, promise) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof BucketryError, String(error));
    assert.deepEqual([error.kind, error.reason], [kind, reason]);
    return true;
  });
}

async function all(iterable) {
  const found = [];
  for await (const value of iterable) found.push(value);
  return found;
}

async function objects(store) {
  const body = Buffer.alloc(5_000_001, 'content');
  const options = { contentType: 'x/y', metadata: { m: 'v' } };
  const made = await store.putObject(bucket, 'a/ü.bin', body, options);
  assert.equal(made.size, BigInt(body.length));
  const download = await store.getObject(bucket, 'a/ü.bin');
  assert.deepEqual([download.object.etag, download.contentLength], [made.etag, body.length]);
  assert.ok((await download.read()).equals(body));
  const ranged = await store.getObject(bucket, 'a/ü.bin', { start: 5, end: 9 });
  assert.ok((await ranged.read()).equals(body.subarray(5, 10)));
  const { attributes } = await store.headObject(bucket, 'a/ü.bin');
  assert.deepEqual([attributes.contentType, attributes.metadata], ['x/y', { m: 'v' }]);

  const chunks = (function* generate() {
    for (let count = 0; count < 3; count += 1) yield Buffer.alloc(1_500_000, 'x');
  })();
  await store.putObject(bucket, 'chunks', chunks);
  assert.equal((await (await store.getObject(bucket, 'chunks')).read()).length, 4_500_000);
  await store.putObject(bucket, 'empty', '');
  await store.copyObject(bucket, 'copy', { bucket, key: 'a/ü.bin' });

  const keys = (await all(store.listObjects(bucket))).map((entry) => entry.key);
  assert.deepEqual(keys, ['a/ü.bin', 'chunks', 'copy', 'empty']);
  const folder = await store.listFolder(bucket);
  assert.deepEqual([folder.folders, folder.objects.length], [['a/'], 3]);

  await presigned(store);
  await searches(store);
  const precondition = { ifGenerationMatch: 0n };
  await refused(ErrorKind.PreconditionFailed, 'PRECONDITION_FAILED', store.putObject(bucket, 'copy', '', { precondition }));
  await store.deleteObject(bucket, 'copy');
  await refused(ErrorKind.NotFound, 'NO_SUCH_KEY', store.deleteObject(bucket, 'copy'));
  await refused(ErrorKind.NotFound, 'NO_SUCH_KEY', store.getObject(bucket, 'copy'));
}

async function presigned(store) {
  const put = { method: PresignedMethod.PUT, key: 'by url', contentType: 'x/y', contentLength: 5n };
  const get = { method: PresignedMethod.GET, key: 'by url' };
  const [written, read] = await store.createPresignedUrls(bucket, [put, get]);
  const { 'content-length': length, ...headers } = written.headers;
  assert.equal(length, '5');
  assert.equal((await fetch(written.url, { method: 'PUT', headers, body: 'hello' })).status, 200);
  const answer = await fetch(read.url);
  assert.deepEqual([await answer.text(), answer.headers.get('content-type')], ['hello', 'x/y']);
  await store.deleteObject(bucket, 'by url');
  const nothing = store.createPresignedUrls(bucket, [get, { key: 'k' }]);
  await refused(ErrorKind.InvalidArgument, 'INVALID_ARGUMENT', nothing);
}

async function searches(store) {
  const [page, ...others] = await all(store.searchObjects(bucket, { contains: 'U', ignoreCase: true }));
  assert.deepEqual([page.objects.map((entry) => entry.key), others], [['chunks'], []]);
  assert.deepEqual([page.scannedCount, page.coverage], [4n, SearchCoverage.COMPLETE]);
  const bySize = { orderBy: ObjectOrder.SIZE, descending: true, pageSize: 3 };
  const pages = await all(store.searchObjects(bucket, bySize));
  assert.deepEqual(pages.map((found) => found.objects.length), [3, 1]);
  const sizes = pages.flatMap((found) => found.objects.map((entry) => Number(entry.size)));
  assert.deepEqual(sizes, sizes.toSorted((a, b) => b - a));
  const long = all(store.searchObjects(bucket, { contains: 'x'.repeat(1025) }));
  await refused(ErrorKind.InvalidArgument, 'INVALID_ARGUMENT', long);
}

async function tokens(operator) {
  const { token, credentials } = await operator.createToken({
    bucket,
    name: 'reader',
    permission: Permission.READ_ONLY,
    allowedIps: ['127.0.0.1', '::1'],
    expiresAt: new Date('2100-01-01T00:00:00Z'),
  });
  const { accessKeyId, secretAccessKey } = credentials;
  const reader = new Client({ endpoint, accessKeyId, secretAccessKey });
  assert.equal((await (await reader.getObject(bucket, 'empty')).read()).length, 0);
  await refused(ErrorKind.AccessDenied, 'ACCESS_DENIED', reader.putObject(bucket, 'k', ''));
  await tokenEdits(operator, reader, token);
  await operator.revokeToken(bucket, token.tokenId);
  await refused(ErrorKind.InvalidCredentials, 'INVALID_ACCESS_KEY_ID', reader.getObject(bucket, 'empty'));
  const states = (await all(operator.listTokens(bucket))).map((listed) => listed.state);
  assert.deepEqual(states, [TokenState.REVOKED]);
  await operator.purgeToken(bucket, token.tokenId);
  assert.deepEqual(await all(operator.listTokens(bucket)), []);
}

async function tokenEdits(operator, reader, stale) {
  const { tokenId, accessKeyId } = stale;
  await operator.suspendToken(bucket, accessKeyId);
  await refused(ErrorKind.InvalidCredentials, 'INVALID_ACCESS_KEY_ID', reader.getObject(bucket, 'empty'));
  await operator.resumeToken(bucket, accessKeyId);
  const conflict = operator.updateToken(stale, 'name');
  await refused(ErrorKind.Conflict, 'VERSION_CONFLICT', conflict);
  const current = await operator.getToken('', tokenId);
  current.name = 'edited';
  current.limits = create(TokenLimitsSchema, { requestsPerSecond: 500n });
  const { token: edited } = await operator.updateToken(current, 'name', 'limits');
  assert.deepEqual([edited.name, edited.limits.requestsPerSecond], ['edited', 500n]);
  const clone = (await operator.cloneToken(bucket, tokenId)).token;
  assert.deepEqual([clone.name, clone.limits], ['edited', edited.limits]);
  await operator.revokeToken('', clone.tokenId);
  await operator.purgeToken('', clone.tokenId);
  const { total } = await operator.tokenUsage(bucket, tokenId);
  const requests = total.counts.reduce((sum, count) => sum + count.requests, 0n);
  assert.equal(requests, (await operator.getToken(bucket, tokenId)).requestCount);
  const reasons = new Set((await operator.tokenDenials(bucket, tokenId)).map((denial) => denial.reason));
  assert.deepEqual(reasons, new Set([DecisionReason.PERMISSION, DecisionReason.SUSPENDED]));
}

async function accountKeys(operator) {
  const { account, accessKeyId: first, secretAccessKey } = await operator.createAccount('typescript team');
  const administrator = new Client({ endpoint, accessKeyId: first, secretAccessKey });
  await refused(ErrorKind.PreconditionFailed, 'LAST_ADMIN_KEY', administrator.revokeAdminKey(first));
  const second = (await administrator.createAccountKey('laptop')).key;
  assert.deepEqual([second.accountId, second.createdBy], [account.accountId, first]);
  await refused(ErrorKind.AccessDenied, 'ACCESS_DENIED', administrator.createAccountKey('n', '1'));
  const names = (await all(administrator.listAdminKeys())).map((key) => key.name);
  assert.deepEqual(names, ['administrator', 'laptop']);
  assert.equal((await administrator.revokeAdminKey(first)).state, TokenState.REVOKED);
  await refused(ErrorKind.InvalidCredentials, 'INVALID_ACCESS_KEY_ID', administrator.createAccountKey('n'));
  const third = (await operator.createAccountKey('spare', account.accountId)).key;
  await operator.revokeAdminKey(second.keyId);
  const usable = (await all(operator.listAdminKeys(account.accountId))).filter((key) => key.revokeTime === undefined);
  assert.deepEqual(usable.map((key) => key.keyId), [third.keyId]);
}

const operator = new Client({
  endpoint,
  accessKeyId: process.env.BUCKETRY_ACCESS_KEY_ID,
  secretAccessKey: process.env.BUCKETRY_SECRET_ACCESS_KEY,
});
await operator.createBucket(bucket);
await objects(operator);
await tokens(operator);
await accountKeys(operator);
for (const { key } of await all(operator.listObjects(bucket))) await operator.deleteObject(bucket, key);
await operator.deleteBucket(bucket);
assert.deepEqual(await all(operator.listBuckets()), []);
console.log('typescript sdk: all passed');
process.exit(0);
