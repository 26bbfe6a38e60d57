// What tokens did, what was refused and why, and what operators see.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addToken, createBucket, go, menu, openPage, signIn, startBrowser } from './kit/browser.mjs';
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
    await explain.getByText(/^Denied then: /).waitFor();
    await explain.getByText('permission: read-only lacks WRITE').first().waitFor();
  });

  await t.test('the recorded rule is the answer, whatever would be decided now', async () => {
    await go(page, '/buckets/photos/access');
    await menu(page, 'reader', 'Suspend');
    await page.getByText('Token reader suspended.').waitFor();
    assert.equal((await s3(server, reader, 'GET', '/photos/cat.txt')).status, 403);
    await menu(page, 'reader', 'Resume');
    await page.getByText('Token reader resumed.').waitFor();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByLabel('Token', { exact: true }).selectOption({ label: `reader (${reader.accessKeyId})` });
    const denials = page.getByRole('region', { name: 'Latest denials' });
    const suspended = denials.getByRole('listitem').filter({ hasText: 'GetObject' });
    await suspended.getByRole('button', { name: 'Why was this denied?' }).click();
    const explain = page.getByRole('region', { name: 'Would this be allowed?' });
    await explain.getByText('Denied then: the token is suspended').waitFor();
    await explain.getByText("Now: Allowed: the token's permission includes it").waitFor();
  });

  await t.test('each rule heads its denials once', async () => {
    assert.equal((await s3(server, reader, 'PUT', '/photos/again.txt', 'x')).status, 403);
    await page.getByRole('link', { name: 'API access' }).click();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByLabel('Token', { exact: true }).selectOption({ label: `reader (${reader.accessKeyId})` });
    const denials = page.getByRole('region', { name: 'Latest denials' });
    await denials.getByText('photos/again.txt').waitFor();
    assert.equal(await denials.getByText('permission: read-only lacks WRITE').count(), 1);
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
    await found.getByText('No denial with this request ID').waitFor();
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
    await explain.getByRole('alert').getByText('Correct the input named below').waitFor();
  });

  await t.test('the audit log of the bucket', async () => {
    await page.getByRole('link', { name: 'Audit log' }).click();
    const audit = page.getByRole('region', { name: 'Audit log' });
    await audit.getByRole('cell', { name: 'token.create' }).first().waitFor();
    await audit.getByRole('cell', { name: 'bucket.create' }).waitFor();
    await audit.getByLabel('Action').selectOption('token.create');
    assert.equal(await audit.getByRole('cell', { name: 'bucket.create' }).count(), 0);
    // Names and values, not JSON.
    await audit.getByRole('row').nth(1).getByText('Show', { exact: true }).click();
    await audit.getByRole('term').filter({ hasText: 'permission' }).first().waitFor();
    assert.equal(await audit.getByText('{"').count(), 0);
  });

  await t.test('operators: accounts, keys, keyring, audit, address', async () => {
    await go(page, '/administration/keys');
    await page.getByRole('button', { name: 'Create operator key' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('second operator');
    await dialog.getByRole('button', { name: 'Create operator key' }).click();
    await dialog.getByRole('heading', { name: 'Key second operator created' }).waitFor();
    await dialog.getByText('Copy the secret now').waitFor();
    // It is shown only once: nothing but "Done" closes it.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    assert.equal(await dialog.getByRole('button', { name: 'Close' }).count(), 0);
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
    const again = second.getByRole('dialog', { name: 'Sign in again' });
    await again.getByText('This key cannot be used').waitFor();
    await again.getByRole('button', { name: 'Sign out' }).click();
    await second.getByLabel('Access key ID').waitFor();
    assert.equal(await second.getByRole('dialog').count(), 0);

    await go(page, '/administration/keyring');
    await page.getByText('Active', { exact: true }).waitFor();
    await go(page, '/administration/audit');
    await page.getByRole('cell', { name: 'operator_key.create' }).first().waitFor();
    await go(page, '/administration/address');
    await page.getByText('127.0.0.1').first().waitFor();
  });
});
