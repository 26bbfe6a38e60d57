// From the sign-in to a token's details and back without a mouse.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openPage, startBrowser } from './kit/browser.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

const MOST_TABS = 60;

test('keyboard only', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await openPage(t, browser, server);

  await t.test('sign in', async () => {
    await tabTo(page, page.getByLabel('Access key ID'));
    await page.keyboard.type(OPERATOR.accessKeyId);
    await page.keyboard.press('Tab');
    await page.keyboard.type(OPERATOR.secret);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
  });

  await t.test('create a bucket', async () => {
    await tabTo(page, page.getByRole('button', { name: 'Create bucket' }).first());
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByLabel('Bucket Name'));
    await page.keyboard.type('by-keyboard');
    await page.keyboard.press('Enter');
    await page.getByText('no token added').waitFor();
  });

  await t.test('add a token', async () => {
    await tabTo(page, page.getByRole('button', { name: 'Add token' }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByLabel('Token Name'));
    await page.keyboard.type('keys-only');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.getByRole('radio', { name: 'Read & Write' }).isChecked(), true);
    await tabTo(page, page.getByRole('button', { name: 'Create token' }));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'S3 Credentials' }).waitFor();
  });

  await t.test('the focus stays in the dialog, and Escape closes it', async () => {
    for (let at = 0; at < 30; at += 1) {
      await page.keyboard.press('Tab');
      // The browser's own bar is part of the circle: there the body has the focus.
      const inside = await page.evaluate(() => document.activeElement?.closest('dialog, body') !== null
        && (document.activeElement === document.body || document.activeElement?.closest('dialog') !== null));
      assert.equal(inside, true);
    }
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  await t.test('the menu opens, moves, closes and gives the focus back', async () => {
    const dots = page.getByRole('button', { name: 'Actions for keys-only' });
    await tabTo(page, dots);
    await page.keyboard.press('Enter');
    await focused(page.getByRole('menuitem', { name: 'Edit' }));
    await page.keyboard.press('ArrowUp');
    await focused(page.getByRole('menuitem', { name: 'Revoke' }));
    await page.keyboard.press('Escape');
    await focused(dots);
    await page.keyboard.press('Enter');
    await focused(page.getByRole('menuitem', { name: 'Edit' }));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Edit token' }).waitFor();
    await focused(page.getByLabel('Token Name'));
    await page.keyboard.press('Escape');
    await focused(dots);
  });
});

async function tabTo(page, target) {
  await target.waitFor();
  for (let at = 0; at < MOST_TABS; at += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('the keyboard does not reach it');
}

async function focused(target) {
  const element = await target.elementHandle();
  await target.page().waitForFunction((wanted) => wanted === document.activeElement, element);
}
