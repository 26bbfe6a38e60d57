// Searching and sorting over a whole bucket, at the server.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { put } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

test('search', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await openPage(t, browser, server);
  await signIn(page);
  await createBucket(page, 'photos');
  // In this order in time, and each of another size.
  const sizes = { 'a/Beach.jpg': 3, 'b/forest.jpg': 1, 'c/beach-at-night.jpg': 2 };
  for (const [name, size] of Object.entries(sizes)) await put(server, OPERATOR, 'photos', name, 'x'.repeat(size));
  await go(page, '/buckets/photos/objects');
  const names = () => page.getByRole('table', { name: 'Objects' }).locator('.open').allInnerTexts();
  const shown = async (expected) => {
    await page.getByText(expected.length === 1 ? '1 entry' : `${expected.length} entries`).waitFor();
    assert.deepEqual((await names()).map((name) => name.trim()), expected);
  };
  const find = async (text) => {
    await page.getByLabel('Find by a part of the name').fill(text);
    await page.getByRole('button', { name: 'Find' }).click();
  };

  await t.test('a part of a name is found in all folders, in either case', async () => {
    await find('beach');
    await shown(['a/Beach.jpg', 'c/beach-at-night.jpg']);
  });

  await t.test('by size and time, both ways', async () => {
    await find('');
    const sort = async (order, expected) => {
      const answer = page.waitForResponse('**/SearchObjects');
      await page.getByLabel('Sort by').selectOption({ label: order });
      await answer;
      await shown(expected);
    };
    await sort('Size, smallest first', ['b/forest.jpg', 'c/beach-at-night.jpg', 'a/Beach.jpg']);
    await sort('Size, largest first', ['a/Beach.jpg', 'c/beach-at-night.jpg', 'b/forest.jpg']);
    await sort('Modified, newest first', ['c/beach-at-night.jpg', 'b/forest.jpg', 'a/Beach.jpg']);
    await sort('Name, last first', ['c/beach-at-night.jpg', 'b/forest.jpg', 'a/Beach.jpg']);
  });

  await t.test('the headings of the columns sort too', async () => {
    const size = page.getByRole('columnheader', { name: /^Size/ });
    await size.getByRole('button').click();
    await page.locator('[aria-sort=descending]').filter({ hasText: 'Size' }).waitFor();
    await shown(['a/Beach.jpg', 'c/beach-at-night.jpg', 'b/forest.jpg']);
    await size.getByRole('button').click();
    await page.locator('[aria-sort=ascending]').filter({ hasText: 'Size' }).waitFor();
    await shown(['b/forest.jpg', 'c/beach-at-night.jpg', 'a/Beach.jpg']);
  });

  await t.test('what has no result says what to do', async () => {
    await find('no such name');
    await page.getByText('No object has “no such name” in its name.').waitFor();
    await page.getByRole('button', { name: 'Show all' }).last().click();
    await shown(['a/', 'b/', 'c/']);
  });

  await t.test('a search has an address of its own', async () => {
    await find('forest');
    await shown(['b/forest.jpg']);
    await page.goBack();
    await shown(['a/', 'b/', 'c/']);
  });
});
