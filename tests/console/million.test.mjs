// A bucket with a million keys can be scrolled to its end. The pages are made by the test: what is measured is the
// browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { listing, name, pageToken } from './kit/listing.mjs';
import { startServer } from './kit/server.mjs';

const KEYS = 1_000_000;
const PAGE = 1_000;
const PAGE_MS = 50;

test('a million keys', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await openPage(t, browser, server);
  await signIn(page);
  await createBucket(page, 'large');
  await page.route('**/ListObjects', async (route) => {
    const first = Number(pageToken(route.request().postDataBuffer()) || 0);
    const next = first + PAGE < KEYS ? String(first + PAGE) : '';
    await route.fulfill({ contentType: 'application/grpc-web+proto', body: listing(first, PAGE, next) });
  });
  await go(page, '/buckets/large/objects');
  await page.getByRole('button', { name: name(0) }).waitFor();

  const table = page.getByRole('table', { name: 'Objects' });
  const blocked = await table.evaluate(async (element, keys) => {
    const blocks = [];
    new PerformanceObserver((list) => blocks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
    while (element.scrollHeight < keys * 32) {
      element.scrollTo(0, element.scrollHeight);
      await new Promise(requestAnimationFrame);
    }
    element.scrollTo(0, element.scrollHeight);
    return blocks;
  }, KEYS);
  await page.getByRole('button', { name: name(KEYS - 1) }).waitFor();
  await page.getByText('1,000,000 entries').waitFor();
  assert.ok((await table.getByRole('row').count()) < 100);
  // Tasks over 50 ms are reported; garbage collection and a busy machine may cause a few.
  assert.ok(blocked.length < (KEYS / PAGE) * 0.05, `${blocked.length} pages blocked the browser for over ${PAGE_MS} ms`);

  await table.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await page.getByRole('button', { name: name(KEYS / 2) }).waitFor();
});
