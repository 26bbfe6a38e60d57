// Measures the console: the first screen with a cold cache, and a large upload beside the AWS CLI's. Not a test: what it
// prints depends on the machine.
//
//   node tests/console/measure.mjs [MEBIBYTES]     the server is BUCKETRY_CONSOLE_BINARY, a release build

import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

const AWS = new URL('../../.cache/venv/bin/aws', import.meta.url).pathname;
const MEBIBYTES = Number(process.argv[2] ?? 1024);
const UPLOAD_MS = 30 * 60_000;
const TURNS = 3;

/** What the helpers of the tests register for their end. */
const endings = [];
const scene = { after: (ending) => endings.unshift(ending) };

async function randomFile() {
  const folder = await mkdtemp(join(tmpdir(), 'bucketry-measure-'));
  scene.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'large.bin');
  const file = await open(path, 'w');
  const hash = createHash('md5');
  for (let written = 0; written < MEBIBYTES; written += 1) {
    const block = randomBytes(1024 * 1024);
    hash.update(block);
    await file.write(block);
  }
  await file.close();
  return { path, digest: hash.digest('hex') };
}

async function seconds(work) {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

async function firstScreen(browser, server) {
  const page = await openPage(scene, browser, server);
  const button = page.getByRole('button', { name: 'Sign in' });
  await page.goto('about:blank');
  const taken = await seconds(async () => {
    await page.goto(server.console);
    await button.waitFor();
  });
  await page.context().close();
  return taken;
}

async function byConsole(page, path) {
  await go(page, '/buckets/measured/objects');
  await page.reload();
  await signIn(page);
  await go(page, '/buckets/measured/objects');
  const files = page.locator('[data-purpose=files]');
  await files.waitFor({ state: 'attached' });
  return seconds(async () => {
    await files.setInputFiles(path);
    await page.getByText('Uploads: 1 of 1 done').waitFor({ timeout: UPLOAD_MS });
  });
}

async function byCli(server, path) {
  const run = promisify(execFile);
  const environment = {
    PATH: process.env.PATH,
    AWS_ACCESS_KEY_ID: OPERATOR.accessKeyId,
    AWS_SECRET_ACCESS_KEY: OPERATOR.secret,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
  };
  return seconds(() => run(AWS, ['s3', 'cp', '--quiet', path, 's3://measured/by-cli.bin'], { env: environment }));
}

async function digestOf(server, key) {
  const answer = await s3(server, OPERATOR, 'GET', `/measured/${key}`);
  const hash = createHash('md5');
  for await (const piece of answer.body) hash.update(piece);
  return hash.digest('hex');
}

try {
  const server = await startServer(scene);
  const browser = await startBrowser(scene);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const fresh = await startBrowser(scene);
    console.log(`first screen, cold cache: ${(await firstScreen(fresh, server)).toFixed(3)} s`);
  }
  const { path, digest } = await randomFile();
  const page = await openPage(scene, browser, server);
  page.on('dialog', (dialog) => dialog.accept());
  await signIn(page);
  await createBucket(page, 'measured');
  for (let turn = 0; turn < TURNS; turn += 1) {
    const cli = MEBIBYTES / (await byCli(server, path));
    const console_ = MEBIBYTES / (await byConsole(page, path));
    const ratio = (console_ / cli).toFixed(2);
    console.log(`upload of ${MEBIBYTES} MiB: AWS CLI ${cli.toFixed(0)} MiB/s, console ${console_.toFixed(0)}, ${ratio} ×`);
  }
  const same = (await digestOf(server, 'large.bin')) === digest;
  console.log(same ? 'the object is the file' : 'THE OBJECT IS NOT THE FILE');
  process.exitCode = same ? 0 : 1;
} finally {
  for (const ending of endings) await ending();
}
