// As much of S3 as the tests need beside the browser: signed requests.

import { createHash, createHmac } from 'node:crypto';

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();

/** `PUT /bucket/key` and the like with signature version 4. */
export async function s3(server, key, method, path, body = '', headers = {}) {
  const url = new URL(server.endpoint);
  const encoded = path.split('/').map(encode).join('/');
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const signed = { host: url.host, 'x-amz-content-sha256': sha256(body), 'x-amz-date': date };
  const names = Object.keys(signed).join(';');
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const canonical = [method, encoded, '', lines.join(''), names, signed['x-amz-content-sha256']].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const signingKey = scope.split('/').reduce((last, part) => hmac(last, part), `AWS4${key.secret}`);
  const signature = hmac(signingKey, toSign).toString('hex');
  const credential = `${key.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  const { host: _, ...sent } = signed;
  const request = { method, headers: { ...headers, ...sent, authorization } };
  return fetch(`${server.endpoint}${encoded}`, method === 'GET' ? request : { ...request, body });
}

/** Stores an object and fails if it is refused. */
export async function put(server, key, bucket, name, body, contentType = 'text/plain') {
  const answer = await s3(server, key, 'PUT', `/${bucket}/${name}`, body, { 'content-type': contentType });
  if (!answer.ok) throw new Error(`PUT ${name}: ${answer.status} ${await answer.text()}`);
}

const encode = (part) =>
  encodeURIComponent(part).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
