// The user guide's page "Creating API Access Key", click by click. Its words are the selectors; each test names the
// sentences that it proves.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { createBucket, menu, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { put, s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

/** Where the AWS CLI is that `tests/prepare` installs. */
const CLIENTS = new URL('../../.cache/venv/bin', import.meta.url).pathname;
const DETAILS = ['Endpoint URL', 'Bucket Name', 'AWS Access Key ID', 'AWS Secret Access Key'];

test('the user guide, click by click', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await openPage(t, browser, server);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const dialog = page.getByRole('dialog');
  let details;

  await t.test('"navigate to Object Storage Administration → API access tab"', async () => {
    await signIn(page);
    await createBucket(page, 'my-bucket');
    assert.equal(await page.title(), 'my-bucket – API access – Object Storage Administration');
    await page.getByRole('link', { name: 'Object Storage Administration' }).click();
    await page.getByRole('link', { name: 'my-bucket' }).click();
    await page.getByRole('link', { name: 'API access' }).click();
  });

  await t.test('"currently there is no token added"', async () => {
    await page.getByText('Currently there is no token added.').waitFor();
  });

  await t.test('"Click on Add token": a prompt opens with the fields', async () => {
    await page.getByRole('button', { name: 'Add token' }).click();
    await dialog.getByLabel('Token Name').fill('production-app');
    for (const [name, text] of [
      ['Read only', 'Can only read and download objects.'],
      ['Write only', 'Can only upload and modify objects.'],
      ['Read & Write', 'Can read, upload, modify, and delete objects.'],
    ]) {
      await dialog.getByRole('group', { name: 'Permission' }).getByRole('radio', { name }).check();
      await dialog.getByText(text).waitFor();
    }
    await dialog.getByRole('textbox', { name: 'Allowed IP Addresses (optional)', exact: true }).fill('127.0.0.1\n10.0.0.0/8');
    await dialog.getByRole('textbox', { name: 'Disallowed IP Addresses (optional)' }).fill('10.1.0.0/16');
  });

  await t.test('"click Create token": it is shown immediately, with four values to copy', async () => {
    await dialog.getByRole('button', { name: 'Create token' }).click();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    await dialog.getByRole('heading', { name: 'S3 Credentials' }).waitFor();
    assert.equal(await dialog.getByText('recorded in the audit log').count(), 0);
    details = await copyDetails(page, dialog);
    assert.equal(details['Endpoint URL'], server.endpoint);
    assert.equal(details['Bucket Name'], 'my-bucket');
    assert.match(details['AWS Access Key ID'], /^[A-Z0-9]{20}$/);
    await dialog.getByText('You can copy them later as well').waitFor();
  });

  await t.test('the shell lines for the AWS CLI list the bucket', async () => {
    await put(server, OPERATOR, 'my-bucket', 'local-file.txt', 'hello');
    const snippet = dialog.getByRole('region', { name: 'AWS CLI' });
    assert.equal((await snippet.innerText()).includes(details['AWS Secret Access Key']), false);
    await dialog.getByRole('button', { name: 'Copy AWS CLI' }).click();
    await dialog.getByRole('button', { name: 'Copy AWS CLI' }).getByText('Copied').waitFor();
    const lines = await page.evaluate(() => navigator.clipboard.readText());
    const env = { ...process.env, PATH: `${CLIENTS}:${process.env.PATH}` };
    const { stdout } = await promisify(execFile)('bash', ['-ec', lines], { env });
    assert.match(stdout, /local-file\.txt/);
    await dialog.getByRole('button', { name: 'Show or hide AWS Secret Access Key' }).click();
    await snippet.getByText(details['AWS Secret Access Key']).waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
  });

  await t.test('"you can copy them later as well"', async () => {
    await menu(page, 'production-app', 'Show secret');
    assert.deepEqual(await copyDetails(page, dialog), details);
    await dialog.getByText('Showing it was recorded in the audit log.').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
  });

  await t.test('"click on the three-dotted menu and update and save it"', async () => {
    await menu(page, 'production-app', 'Edit');
    await dialog.getByLabel('Token Name').fill('backup-script');
    await dialog.getByRole('textbox', { name: 'Allowed IP Addresses (optional)', exact: true }).fill('');
    await dialog.getByRole('textbox', { name: 'Disallowed IP Addresses (optional)' }).fill('192.0.2.7');
    await dialog.getByText('You cannot change the permission level or regenerate the Access Key ID').waitFor();
    assert.equal(await dialog.getByRole('radio').count(), 0);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: /^backup-script/ }).waitFor();
    await page.getByRole('cell', { name: 'Not 192.0.2.7' }).waitFor();
  });

  await t.test('"Monitor Usage": the latest use is in the table', async () => {
    const key = { accessKeyId: details['AWS Access Key ID'], secret: details['AWS Secret Access Key'] };
    assert.equal((await s3(server, key, 'GET', '/my-bucket/local-file.txt')).status, 200);
    await page.getByRole('link', { name: 'Usage' }).click();
    // The snippet's upload and listing, and this request.
    await page.getByText('Total: 3', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'API access' }).click();
    await page.getByRole('cell', { name: /GetObject/ }).waitFor();
  });

  await t.test('"Rotate Regularly": clone, then revoke the old token', async () => {
    await menu(page, 'backup-script', 'Clone with new keys');
    await dialog.getByRole('heading', { name: 'Token cloned' }).waitFor();
    await page.getByRole('cell', { name: /^backup-script \(copy\)/ }).waitFor();
    const clone = await dialog.getByLabel('AWS Access Key ID', { exact: true }).inputValue();
    assert.notEqual(clone, details['AWS Access Key ID']);
    await dialog.getByRole('button', { name: 'Done' }).click();
    const old = page.getByRole('row').filter({ hasText: details['AWS Access Key ID'] });
    await old.getByRole('button', { name: 'Actions for backup-script' }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    await dialog.getByText(`Token backup-script, access key ID ${details['AWS Access Key ID']}.`).waitFor();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await old.getByText('Revoked', { exact: true }).waitFor();
  });

  await t.test('"Ensure the token is active and not revoked": the old key is refused', async () => {
    const key = { accessKeyId: details['AWS Access Key ID'], secret: details['AWS Secret Access Key'] };
    assert.equal((await s3(server, key, 'GET', '/my-bucket/local-file.txt')).status, 403);
  });
});

async function copyDetails(page, dialog) {
  const found = {};
  for (const name of DETAILS) {
    const button = dialog.getByRole('button', { name: `Copy ${name}` });
    await button.click();
    await button.getByText('Copied').waitFor();
    found[name] = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(found[name], await dialog.getByLabel(name, { exact: true }).inputValue());
  }
  return found;
}
