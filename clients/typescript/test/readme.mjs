// Runs the samples of README.md in order, as one module in the working directory, and compares what it prints with their
// comments. Needs BUCKETRY_ENDPOINT, BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY of an operator.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format } from 'node:util';

import { Client, Permission } from '../dist/index.js';

const bucket = 'typescript-readme';
const folder = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const program = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, sample]) => sample).join('\n');
const wanted = [...program.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line);

const endpoint = process.env.BUCKETRY_ENDPOINT;
const operator = new Client({
  endpoint,
  accessKeyId: process.env.BUCKETRY_ACCESS_KEY_ID,
  secretAccessKey: process.env.BUCKETRY_SECRET_ACCESS_KEY,
});
await operator.createBucket(bucket);
const { credentials } = await operator.createToken({ bucket, name: 'app', permission: Permission.READ_WRITE });
process.env.AWS_ENDPOINT_URL = endpoint;
process.env.BUCKET_NAME = bucket;
process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;

// The package under its own name, as an installation leaves it.
mkdirSync('node_modules');
symlinkSync(folder, 'node_modules/bucketry');
writeFileSync('samples.mjs', program);
const printed = [];
const print = console.log;
console.log = (...values) => printed.push(format(...values));
await import(pathToFileURL(resolve('samples.mjs')));
console.log = print;
assert.ok(wanted.length > 0);
assert.deepEqual(printed, wanted);
console.log(`typescript readme: ${wanted.length} lines as printed`);
process.exit(0);
