// Administrators of an account rotate their own keys; operators make keys for any account.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { startServer } from './kit/server.mjs';

test('account keys', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const operator = await openPage(t, browser, server);
  await signIn(operator);

  const made = async (page) => {
    const dialog = page.getByRole('dialog');
    const key = {
      accessKeyId: await dialog.getByLabel('Access key ID', { exact: true }).inputValue(),
      secret: await dialog.getByLabel('Secret access key', { exact: true }).inputValue(),
    };
    await dialog.getByRole('button', { name: 'Done' }).click();
    return key;
  };

  let first;
  await t.test('an operator creates an account and another key of it', async () => {
    await go(operator, '/administration/accounts');
    await operator.getByRole('button', { name: 'Create account' }).click();
    await operator.getByLabel('Account name').fill('team');
    await operator.getByRole('dialog').getByRole('button', { name: 'Create account' }).click();
    first = await made(operator);
    await operator.getByRole('button', { name: 'Actions for team' }).click();
    await operator.getByRole('menuitem', { name: 'Create account key' }).click();
    await operator.getByRole('dialog').getByLabel('Name', { exact: true }).fill('by the operator');
    await operator.getByRole('dialog').getByRole('button', { name: 'Create account key' }).click();
    const page = await openPage(t, browser, server);
    await signIn(page, await made(operator));
    await page.getByText('There is no bucket yet.').waitFor();
  });

  await t.test('an account administrator creates a key, moves to it, and revokes the old one', async () => {
    const old = await openPage(t, browser, server);
    await signIn(old, first);
    await old.getByRole('link', { name: 'Account keys' }).click();
    await old.getByRole('button', { name: 'Create account key' }).click();
    await old.getByRole('dialog').getByLabel('Name', { exact: true }).fill('rotated');
    await old.getByRole('dialog').getByRole('button', { name: 'Create account key' }).click();
    const page = await openPage(t, browser, server);
    await signIn(page, await made(old));
    await page.getByRole('link', { name: 'Account keys' }).click();
    const row = page.getByRole('row').filter({ hasText: first.accessKeyId });
    await row.getByRole('button', { name: /^Actions for/ }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByLabel(/^Type/).fill(first.accessKeyId);
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('Revoked', { exact: true }).waitFor();
    await go(old, '/buckets');
    await old.getByRole('dialog', { name: 'Sign in again' }).getByText('This key cannot be used').waitFor();
  });

  await t.test('a revoked key signs in no more', async () => {
    const page = await openPage(t, browser, server);
    await page.getByLabel('Access key ID').fill(first.accessKeyId);
    await page.getByLabel('Secret access key').fill(first.secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('This key cannot be used').waitFor();
    assert.equal(await page.getByText('Account keys').count(), 0);
  });
});
