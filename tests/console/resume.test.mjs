// Large uploads: progress, pause, resume after a reload, two tabs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createBucket, go, openPage, openTab, signIn, startBrowser } from './kit/browser.mjs';
import { scratch } from './kit/files.mjs';
import { s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

/** Three parts, the last of them short. */
const MEBIBYTES = 40;

test('large uploads', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const files = await scratch(t);
  const page = await openPage(t, browser, server);
  page.on('dialog', (dialog) => dialog.accept());
  await signIn(page);
  await createBucket(page, 'videos');
  const choose = (tab, path) => tab.locator('[data-purpose=files]').setInputFiles(path);
  const stored = async (name) => Buffer.from(await (await s3(server, OPERATOR, 'GET', `/videos/${name}`)).arrayBuffer());

  await t.test('an upload that a reload interrupts is resumed with the parts that are missing', async () => {
    const { path, content } = await files.random('film.bin', MEBIBYTES);
    await go(page, '/buckets/videos/objects');
    const arrived = page.waitForResponse((answer) => isPart(answer.request(), 1) && answer.ok());
    await page.route((url) => Number(url.searchParams.get('partNumber')) > 1, () => undefined);
    await choose(page, path);
    await arrived;
    await page.reload();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    const sent = [];
    page.on('request', (request) => {
      if (partNumber(request) > 0) sent.push(partNumber(request));
    });
    await signIn(page);
    await go(page, '/buckets/videos/objects');
    await page.getByRole('region', { name: 'Unfinished uploads' }).getByText('film.bin').waitFor();

    const other = await files.random('other.bin', 1);
    await page.getByRole('button', { name: 'Choose the file again' }).click();
    await page.locator('[data-purpose=resume]').setInputFiles(other.path);
    await page.getByText('That is not the file that was uploaded as film.bin').waitFor();
    await page.getByRole('button', { name: 'Choose the file again' }).click();
    await page.locator('[data-purpose=resume]').setInputFiles(path);
    await page.getByText('Uploads: 1 of 1 done').waitFor();
    assert.deepEqual(new Set(sent), new Set([2, 3]));
    assert.ok(content.equals(await stored('film.bin')));
    await page.getByRole('region', { name: 'Unfinished uploads' }).waitFor({ state: 'detached' });
  });

  await t.test('an upload pauses, shows where it is, and goes on', async () => {
    const { path, content } = await files.random('paused.bin', MEBIBYTES);
    const gate = await holdParts(page);
    await choose(page, path);
    await gate.reached;
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText(/MiB · paused/).waitFor();
    gate.open();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('Uploads: 2 of 2 done').waitFor();
    assert.ok(content.equals(await stored('paused.bin')));
  });

  await t.test('a discarded upload is gone at the server too', async () => {
    const { path } = await files.random('discarded.bin', MEBIBYTES);
    const gate = await holdParts(page);
    await choose(page, path);
    await gate.reached;
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.reload();
    await signIn(page);
    await go(page, '/buckets/videos/objects');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('region', { name: 'Unfinished uploads' }).waitFor({ state: 'detached' });
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.includes('upload'))), []);
  });

  await t.test('two tabs do not disturb each other', async () => {
    const second = await openTab(t, page, server);
    await signIn(second);
    await go(second, '/buckets/videos/objects');
    const one = await files.random('one.bin', MEBIBYTES);
    const two = await files.random('two.bin', MEBIBYTES);
    await Promise.all([choose(page, one.path), choose(second, two.path)]);
    await Promise.all([page, second].map((tab) => tab.getByText('Uploads: 1 of 1 done').waitFor()));
    assert.ok(one.content.equals(await stored('one.bin')));
    assert.ok(two.content.equals(await stored('two.bin')));
    assert.equal(await second.getByText('Unfinished uploads').count(), 0);
  });
});

function partNumber(request) {
  return request.method() === 'PUT' ? Number(new URL(request.url()).searchParams.get('partNumber') ?? 0) : 0;
}

function isPart(request, number) {
  return partNumber(request) === number;
}

/** Holds every part back until it is opened. */
async function holdParts(page) {
  let open;
  let reach;
  const opened = new Promise((resolve) => (open = resolve));
  const reached = new Promise((resolve) => (reach = resolve));
  await page.route(
    (url) => url.searchParams.has('partNumber'),
    async (route) => {
      if (route.request().method() === 'PUT') reach();
      await opened;
      await route.continue().catch(() => undefined);
    },
  );
  return { open, reached };
}
