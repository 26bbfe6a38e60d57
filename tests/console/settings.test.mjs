// The settings of a bucket.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { startServer } from './kit/server.mjs';

test('settings', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await openPage(t, browser, server);
  await signIn(page);
  await createBucket(page, 'photos');
  const again = async () => {
    await go(page, '/buckets/photos/objects');
    await page.getByRole('link', { name: 'Settings' }).click();
  };

  await t.test('tags are stored', async () => {
    await again();
    assert.equal(await page.getByRole('button', { name: 'Save tags' }).isDisabled(), true);
    await page.getByRole('button', { name: 'Add tag' }).click();
    await page.getByLabel('Key of tag 1').fill('team');
    await page.getByLabel('Value of tag 1').fill('web');
    await page.getByRole('button', { name: 'Save tags' }).click();
    await page.getByText('Tags saved.').waitFor();
    await again();
    assert.equal(await page.getByLabel('Value of tag 1').inputValue(), 'web');
  });

  await t.test('cross-origin rules are stored, and hold', async () => {
    await page.getByText('There are no rules').waitFor();
    await page.getByRole('button', { name: 'Add rule' }).click();
    await page.getByLabel('Allowed origins').fill('https://app.example.com');
    await page.getByRole('checkbox', { name: 'PUT' }).check();
    await page.getByRole('button', { name: 'Save rules' }).click();
    await page.getByText('Rules saved.').waitFor();
    await again();
    assert.equal(await page.getByRole('checkbox', { name: 'PUT' }).isChecked(), true);
    const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' };
    const preflight = await fetch(`${server.endpoint}/photos/any`, { method: 'OPTIONS', headers });
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://app.example.com');
  });

  await t.test('a wrong rule is refused with the next step, and stays in the form', async () => {
    await page.getByLabel('Allowed origins').fill('https://*.*.example.com');
    await page.getByRole('button', { name: 'Save rules' }).click();
    await page.getByRole('alert').getByText('Correct the input named below').waitFor();
    assert.equal(await page.getByLabel('Allowed origins').inputValue(), 'https://*.*.example.com');
  });

  await t.test('all rules can be removed', async () => {
    await page.getByRole('button', { name: 'Remove rule 1' }).click();
    // The note about the earlier save may still be there.
    const stored = page.waitForResponse('**/UpdateBucket');
    await page.getByRole('button', { name: 'Save rules' }).click();
    await stored;
    await again();
    await page.getByText('There are no rules').waitFor();
  });
});
