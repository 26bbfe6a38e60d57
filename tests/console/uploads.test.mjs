// Small uploads: pausing while a URL is made, replacing what exists, the panel when all is done.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { scratch } from './kit/files.mjs';
import { put, s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

test('small uploads', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const files = await scratch(t);
  const page = await openPage(t, browser, server);
  const dialog = page.getByRole('dialog');
  const panel = page.getByRole('region', { name: 'Uploads' });
  await signIn(page);
  await createBucket(page, 'photos');
  await go(page, '/buckets/photos/objects');
  const choose = (...paths) => page.locator('[data-purpose=files]').setInputFiles(paths);
  const sent = [];
  page.on('request', (request) => {
    if (request.method() === 'PUT') sent.push(decodeURIComponent(new URL(request.url()).pathname.split('/').at(-1)));
  });

  await t.test('paused and resumed while its URL is made, a file is sent once', async () => {
    const path = await files.write('slow.txt', 'slow');
    let answer;
    const answered = new Promise((resolve) => (answer = resolve));
    let asked;
    const wasAsked = new Promise((resolve) => (asked = resolve));
    await page.route('**/CreatePresignedUrls', async (route) => {
      asked();
      await answered;
      await route.continue().catch(() => undefined);
    });
    await choose(path);
    await wasAsked;
    await panel.getByRole('button', { name: 'Pause' }).click();
    await panel.getByRole('button', { name: 'Resume' }).click();
    await panel.getByRole('button', { name: 'Pause' }).waitFor();
    answer();
    await panel.getByText('Uploads: 1 of 1 done').waitFor();
    await page.waitForLoadState('networkidle');
    assert.deepEqual(sent.splice(0), ['slow.txt']);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  await t.test('when all is done, one line is left, and ✕ removes it', async () => {
    assert.equal(await panel.getByRole('progressbar').count(), 0);
    await panel.getByRole('button', { name: 'Remove finished uploads from the list' }).click();
    await panel.waitFor({ state: 'detached' });
  });

  await t.test('what exists is replaced only on demand, and asked for once', async () => {
    await put(server, OPERATOR, 'photos', 'one.txt', 'old one');
    await put(server, OPERATOR, 'photos', 'two.txt', 'old two');
    const paths = await Promise.all(['one', 'two', 'three'].map((name) => files.write(`${name}.txt`, `new ${name}`)));
    const stored = async (name) => (await s3(server, OPERATOR, 'GET', `/photos/${name}.txt`)).text();
    await choose(...paths);
    await dialog.getByText('2 of these 3 exist already').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(sent, []);
    await choose(...paths);
    await dialog.getByRole('button', { name: 'Skip' }).click();
    await panel.getByText('Uploads: 1 of 1 done').waitFor();
    assert.deepEqual(sent.splice(0), ['three.txt']);
    assert.equal(await stored('one'), 'old one');
    await choose(...paths);
    await dialog.getByText('3 of these 3 exist already').waitFor();
    await dialog.getByRole('button', { name: 'Replace' }).click();
    await panel.getByText('Uploads: 4 of 4 done').waitFor();
    assert.equal(await stored('one'), 'new one');
    assert.equal(await stored('two'), 'new two');
  });

  await t.test('of many files those that exist are found in the listing', async () => {
    const names = Array.from({ length: 60 }, (_, at) => `batch-${String(at).padStart(2, '0')}.txt`);
    await put(server, OPERATOR, 'photos', 'batch-31.txt', 'old');
    let calls = 0;
    page.on('request', (request) => (calls += request.url().endsWith('/ListObjects') ? 1 : 0));
    await choose(...(await Promise.all(names.map((name) => files.write(name, 'new')))));
    await dialog.getByText('1 of these 60 exist already: batch-31.txt').waitFor();
    assert.equal(calls, 1);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });
});
