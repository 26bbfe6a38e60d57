// What the server warns of is shown before anything is stored, and what it refuses is shown at the input.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addToken, createBucket, go, menu, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { startServer } from './kit/server.mjs';

const OWN = 'your own address could not use this token';

test('warnings about addresses', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await openPage(t, browser, server);
  const dialog = page.getByRole('dialog');
  const allowed = dialog.getByRole('textbox', { name: 'Allowed IP Addresses (optional)', exact: true });
  const disallowed = dialog.getByRole('textbox', { name: 'Disallowed IP Addresses (optional)' });
  const stored = () => page.getByRole('button', { name: /^Actions for / }).count();
  await signIn(page);
  await createBucket(page, 'photos');
  await addToken(page, 'photos', 'first', 'Read only');

  await t.test('a token that bars its creator is not created until that is confirmed', async () => {
    await page.getByRole('button', { name: 'Add token' }).click();
    await dialog.getByLabel('Token Name').fill('barred');
    await disallowed.fill('127.0.0.0/8');
    await dialog.getByRole('button', { name: 'Create token' }).click();
    const note = dialog.getByRole('alert');
    await note.getByText(OWN).waitFor();
    assert.equal(await note.evaluate((element) => element === document.activeElement), true);
    assert.equal(await stored(), 1);
    // What is changed is checked again.
    await disallowed.fill('127.0.0.0/8\n192.0.2.1');
    await note.waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Create token' }).click();
    await note.getByText(OWN).waitFor();
    await dialog.getByRole('button', { name: 'Create anyway' }).click();
    await page.getByRole('heading', { name: 'Token created' }).waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: /^barred/ }).waitFor();
    assert.equal(await stored(), 2);
  });

  await t.test('an edit too, without a word that it is saved', async () => {
    await menu(page, 'first', 'Edit');
    assert.equal(await dialog.getByRole('button', { name: 'Save' }).isDisabled(), true);
    await allowed.fill('192.0.2.0/24\n2001:db8::/32');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').getByText(OWN).waitFor();
    assert.equal(await page.getByText('Token first saved.').count(), 0);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await go(page, '/buckets');
    await go(page, '/buckets/photos/access');
    assert.match(await page.getByRole('row').filter({ hasText: 'first' }).innerText(), /Any address/);
    await menu(page, 'first', 'Edit');
    await allowed.fill('192.0.2.0/24\n2001:db8::/32');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('button', { name: 'Save anyway' }).click();
    await page.getByText('Token first saved.').waitFor();
    await page.getByRole('cell', { name: 'Only 192.0.2.0/24, 2001:db8::/32' }).waitFor();
  });

  await t.test('a wrong address is named at its input, by the words of its label', async () => {
    await menu(page, 'barred', 'Edit');
    await allowed.fill('10.0.0.300');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').getByText(/^Allowed IP Addresses: /).waitFor();
    assert.equal(await allowed.getAttribute('aria-invalid'), 'true');
    assert.equal(await disallowed.getAttribute('aria-invalid'), 'false');
    const described = (await allowed.getAttribute('aria-describedby')).split(' ');
    const texts = await page.evaluate((ids) => ids.map((id) => document.getElementById(id)?.textContent ?? ''), described);
    assert.match(texts[0], /10\.0\.0\.300/);
    assert.equal(await dialog.getByText('allowed_ips').count(), 0);
  });
});
