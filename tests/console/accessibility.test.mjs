// Every screen passes axe in both themes, wide and at 360 px, and does not scroll sideways.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AxeBuilder } from '@axe-core/playwright';

import { addToken, createBucket, go, menu, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { put } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
];

const PATHS = [
  '/buckets/empty/access',
  '/buckets/empty/objects',
  '/buckets/empty/usage',
  '/buckets/photos/access',
  '/buckets/photos/objects',
  '/buckets/photos/usage',
  '/buckets/photos/settings',
  '/administration/accounts',
  '/administration/keys',
  '/administration/keyring',
  '/administration/audit',
  '/administration/address',
];

test('accessibility', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const first = await openPage(t, browser, server);
  await signIn(first);
  await createBucket(first, 'empty');
  await createBucket(first, 'photos');
  await addToken(first, 'photos', 'production-app', 'Read & Write', { 'Disallowed IP Addresses (optional)': '192.0.2.0/24' });
  for (const name of ['a/b.txt', 'hello.txt', `long/${'n'.repeat(900)}`, 'خوش‌آمدید.txt']) {
    await put(server, OPERATOR, 'photos', name, 'hello');
  }

  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of SIZES) {
      await t.test(`${colorScheme}, ${viewport.width} px`, async () => {
        const page = await openPage(t, browser, server, { colorScheme, viewport, reducedMotion: 'reduce' });
        const found = [];
        const check = async (screen) => found.push(...(await violations(page, screen)));
        await check('sign in');
        await signIn(page);
        await settled(page);
        await check('buckets');
        for (const path of PATHS) {
          await go(page, path);
          await settled(page);
          await check(path);
        }
        await dialogs(page, check);
        assert.deepEqual(found, []);
      });
    }
  }

  await t.test('German, 360 px', async () => {
    const page = await openPage(t, browser, server, { viewport: { width: 360, height: 740 } });
    const found = [];
    await signIn(page);
    await page.getByLabel('Language').selectOption('de');
    for (const path of PATHS) {
      await go(page, path);
      await page.waitForLoadState('networkidle');
      found.push(...(await violations(page, path)));
    }
    assert.deepEqual(found, []);
  });
});
async function dialogs(page, check) {
  await go(page, '/buckets/photos/access');
  await page.getByRole('button', { name: 'Add token' }).click();
  await check('add token');
  await page.keyboard.press('Escape');
  await menu(page, 'production-app', 'Edit');
  await check('edit token');
  await page.keyboard.press('Escape');
  await menu(page, 'production-app', 'Show secret');
  await page.getByRole('heading', { name: 'S3 Credentials' }).waitFor();
  await check('details');
  await page.keyboard.press('Escape');
  await menu(page, 'production-app', 'Revoke');
  await check('revoke');
  await page.keyboard.press('Escape');
  await go(page, '/buckets/photos/objects');
  await page.getByRole('button', { name: 'hello.txt' }).click();
  await page.getByRole('button', { name: 'Download' }).waitFor();
  await settled(page);
  await check('object');
}

/** Waits until nothing loads any more. */
async function settled(page) {
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => !document.body.innerText.includes('Loading…'));
}

/** What axe finds on a screen, and whether it is too wide. */
async function violations(page, screen) {
  const result = await new AxeBuilder({ page }).analyze();
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  return [
    ...result.violations.map(({ id, nodes }) => `${screen}: ${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' ')}`),
    ...(sideways ? [`${screen}: scrolls sideways`] : []),
  ];
}
