// What tokens did, what was refused and why, and what operators see.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addToken, createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { put, s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

test('usage, denials, audit, administration', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await openPage(t, browser, server);
  const dialog = page.getByRole('dialog');
  await signIn(page);
  await createBucket(page, 'photos');
  await put(server, OPERATOR, 'photos', 'cat.txt', '0123456789');
  const reader = await addToken(page, 'photos', 'reader', 'Read only');
  const other = await addToken(page, 'photos', 'other', 'Write only');

  await t.test('charts count requests, bytes and denials', async () => {
    for (let at = 0; at < 3; at += 1) assert.equal((await s3(server, reader, 'GET', '/photos/cat.txt')).status, 200);
    assert.equal((await s3(server, reader, 'PUT', '/photos/cat.txt', 'x')).status, 403);
    await page.getByRole('link', { name: 'Usage' }).click();
    const chart = (name) => page.getByRole('figure').filter({ has: page.getByText(name, { exact: true }) });
    await chart('Requests').getByText('Total: 3', { exact: true }).waitFor();
    await chart('Bytes').getByText('Total: 30 B', { exact: true }).waitFor();
    await chart('Denials').first().getByText('Total: 1', { exact: true }).waitFor();
    await chart('Requests').getByText('Show as a table').click();
    await chart('Requests').getByRole('cell', { name: '3', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Last 30 days' }).click();
    await chart('Requests').getByText('Total: 3', { exact: true }).waitFor();
  });

  await t.test('"Why was this denied?" in one click', async () => {
    const denials = page.getByRole('region', { name: 'Latest denials' });
    await denials.getByText('PutObject').waitFor();
    await denials.getByRole('button', { name: 'Why was this denied?' }).click();
    const explain = page.getByRole('region', { name: 'Would this be allowed?' });
    await explain.getByText('Denied', { exact: true }).waitFor();
    await explain.getByText('permission: read-only lacks WRITE').waitFor();
  });

  await t.test('from a request id to the token and the rule', async () => {
    const refused = await s3(server, other, 'GET', '/photos/cat.txt');
    assert.equal(refused.status, 403);
    await page.getByPlaceholder('Request ID').fill(refused.headers.get('x-amz-request-id'));
    await page.getByRole('button', { name: 'Find' }).click();
    const found = page.getByRole('region', { name: 'Find a denial by its request ID' });
    await found.getByText('GetObject').waitFor();
    await found.getByText('other', { exact: true }).waitFor();
    await page.getByPlaceholder('Request ID').fill('none-such');
    await page.getByRole('button', { name: 'Find' }).click();
    await found.getByText('No kept denial').waitFor();
  });

  await t.test('what would be allowed is said without doing it', async () => {
    const explain = page.getByRole('region', { name: 'Would this be allowed?' });
    await page.getByLabel('Token', { exact: true }).selectOption({ label: `reader (${reader.accessKeyId})` });
    await explain.getByLabel('Operation').fill('GetObject');
    await explain.getByLabel(/^Object key/).fill('cat.txt');
    await explain.getByRole('button', { name: 'Explain' }).click();
    await explain.getByText('Allowed', { exact: true }).waitFor();
    await explain.getByLabel('Operation').fill('NoSuchOperation');
    await explain.getByRole('button', { name: 'Explain' }).click();
    await explain.getByRole('alert').getByText('Correct what is named below').waitFor();
  });

  await t.test('the audit log of the bucket', async () => {
    const audit = page.getByRole('region', { name: 'Audit log' });
    await audit.getByText('token.create').first().waitFor();
    await audit.getByText('bucket.create').waitFor();
  });

  await t.test('operators: accounts, keys, keyring, audit, address', async () => {
    await go(page, '/administration/keys');
    await page.getByRole('button', { name: 'Create operator key' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('second operator');
    await dialog.getByRole('button', { name: 'Create operator key' }).click();
    await dialog.getByText('Copy the secret now').waitFor();
    const made = {
      accessKeyId: await dialog.getByLabel('Access key ID', { exact: true }).inputValue(),
      secret: await dialog.getByLabel('Secret access key', { exact: true }).inputValue(),
    };
    await dialog.getByRole('button', { name: 'Done' }).click();
    const second = await openPage(t, browser, server);
    await signIn(second, made);
    await second.getByRole('link', { name: 'Administration', exact: true }).waitFor();

    await page.getByRole('button', { name: 'Actions for second operator' }).waitFor();
    // The key of this session cannot be revoked here: nobody could sign in again.
    assert.equal(await page.getByRole('button', { name: /^Actions for/ }).count(), 1);
    await page.getByRole('button', { name: 'Actions for second operator' }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    await dialog.getByLabel(/^Type/).fill(made.accessKeyId);
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('Revoked', { exact: true }).waitFor();
    await go(second, '/administration/keyring');
    await second.getByRole('dialog', { name: 'Sign in again' }).getByText('This key cannot be used').waitFor();

    await go(page, '/administration/keyring');
    await page.getByText('Active', { exact: true }).waitFor();
    await go(page, '/administration/audit');
    await page.getByText('operator_key.create').first().waitFor();
    await go(page, '/administration/address');
    await page.getByText('127.0.0.1').first().waitFor();
  });
});
