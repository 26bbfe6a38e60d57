// What a key may not do is not offered, and is refused all the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addToken, createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { scratch } from './kit/files.mjs';
import { put, s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

test('each key sees what it may do', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const files = await scratch(t);
  const operator = await openPage(t, browser, server);
  await signIn(operator);
  await createBucket(operator, 'photos');
  await createBucket(operator, 'secrets');
  await put(server, OPERATOR, 'photos', 'cat.txt', 'meow');
  const readOnly = await addToken(operator, 'photos', 'reader', 'Read only');
  const writeOnly = await addToken(operator, 'photos', 'writer', 'Write only');
  const elsewhere = await addToken(operator, 'photos', 'elsewhere', 'Read only', {
    'Disallowed IP Addresses (optional)': '127.0.0.0/8',
  });
  const readWrite = await addToken(operator, 'photos', 'both', 'Read & Write');

  const visible = async (page, name) => (await page.getByRole('button', { name, exact: true }).count()) > 0;
  const open = async (key) => {
    const page = await openPage(t, browser, server);
    await signIn(page, key);
    // A token lands in its bucket, and calls nothing that it may not.
    await page.getByRole('heading', { name: 'photos', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Buckets' }).click();
    await page.getByRole('link', { name: 'photos' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'secrets' }).count(), 0);
    assert.equal(await page.getByRole('link', { name: 'Administration', exact: true }).count(), 0);
    assert.equal(await visible(page, 'Create bucket'), false);
    assert.equal(await visible(page, 'Actions for photos'), false);
    await page.getByRole('link', { name: 'photos' }).click();
    await page.getByRole('link', { name: 'Objects', exact: true }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'API access' }).count(), 0);
    assert.equal(await page.getByRole('link', { name: 'Usage' }).count(), 0);
    return page;
  };

  await t.test('a read-only token: lists and reads', async () => {
    const page = await open(readOnly);
    await page.getByRole('button', { name: 'cat.txt' }).waitFor();
    assert.equal(await visible(page, 'Upload files'), false);
    assert.equal(await page.getByRole('checkbox').count(), 0);
    await page.getByRole('button', { name: 'cat.txt' }).click();
    await page.getByRole('region', { name: 'Preview' }).getByText('meow').waitFor();
    assert.equal(await visible(page, 'Delete'), false);
    assert.equal(await visible(page, 'Add tag'), false);
  });

  await t.test('a write-only token: uploads and sees nothing', async () => {
    const page = await open(writeOnly);
    await page.getByText('Your key is write only.').waitFor();
    assert.equal(await visible(page, 'Upload files'), true);
    assert.equal(await page.getByText('cat.txt').count(), 0);
    await page.locator('[data-purpose=files]').setInputFiles(await files.write('dog.txt', 'woof'));
    await page.getByText('Uploads: 1 of 1 done').waitFor();
    assert.equal(await (await s3(server, OPERATOR, 'GET', '/photos/dog.txt')).text(), 'woof');
  });

  await t.test('a token that may not use this address is refused with the reason', async () => {
    const page = await openPage(t, browser, server);
    await page.getByLabel('Access key ID').fill(elsewhere.accessKeyId);
    await page.getByLabel('Secret access key').fill(elsewhere.secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('This key may be barred from your address 127.0.0.1.').waitFor();
  });

  await t.test('signing in makes no denials', async () => {
    await go(operator, '/buckets/photos/usage');
    await operator.getByLabel('Token', { exact: true }).selectOption({ label: `writer (${writeOnly.accessKeyId})` });
    await operator.getByText('No request of this token was refused.').waitFor();
    await go(operator, '/buckets');
  });

  await t.test('a read-write token: deletes too', async () => {
    const page = await open(readWrite);
    await page.getByRole('banner').getByText('Token: Read & Write').waitFor();
    await page.getByRole('checkbox', { name: 'Select cat.txt' }).waitFor();
    assert.equal(await visible(page, 'Upload files'), true);
  });

  await t.test('an address typed by hand leads nowhere', async () => {
    const page = await open(readOnly);
    await go(page, '/administration');
    await page.getByRole('heading', { name: 'Buckets', level: 1 }).waitFor();
    await go(page, '/buckets/secrets/access');
    await page.getByRole('alert').getByText('This key does not permit that').waitFor();
    await page.getByRole('alert').getByText('Request ID').waitFor();
  });

  await t.test('tokens of a deleted bucket stay listed until they are purged', async () => {
    await createBucket(operator, 'short-lived');
    await addToken(operator, 'short-lived', 'left behind', 'Read only');
    await go(operator, '/buckets');
    await operator.getByRole('button', { name: 'Actions for short-lived' }).click();
    await operator.getByRole('menuitem', { name: 'Delete bucket' }).click();
    const dialog = operator.getByRole('dialog');
    assert.equal(await dialog.getByRole('button', { name: 'Delete bucket' }).isDisabled(), true);
    await dialog.getByLabel(/^Type/).fill('short-lived');
    await dialog.getByRole('button', { name: 'Delete bucket' }).click();
    const orphaned = operator.getByRole('region', { name: 'Tokens of deleted buckets' });
    await orphaned.getByRole('button', { name: 'Actions for left behind' }).click();
    await operator.getByRole('menuitem', { name: 'Purge' }).click();
    await dialog.getByRole('button', { name: 'Purge' }).click();
    await orphaned.waitFor({ state: 'detached' });
  });

  await t.test('a bucket that is not empty is not deleted, and the next step is said', async () => {
    await operator.getByRole('button', { name: 'Actions for photos' }).click();
    await operator.getByRole('menuitem', { name: 'Delete bucket' }).click();
    const dialog = operator.getByRole('dialog');
    await dialog.getByLabel(/^Type/).fill('photos');
    await dialog.getByRole('button', { name: 'Delete bucket' }).click();
    await dialog.getByText('Delete the objects of the bucket first.').waitFor();
    await operator.keyboard.press('Escape');
  });

  await t.test("an account's key administers its buckets and nothing else", async () => {
    await go(operator, '/administration/accounts');
    await operator.getByRole('button', { name: 'Create account' }).click();
    const dialog = operator.getByRole('dialog');
    await dialog.getByLabel('Account name').fill('second');
    await dialog.getByRole('button', { name: 'Create account' }).click();
    const account = {
      accessKeyId: await dialog.getByLabel('Access key ID', { exact: true }).inputValue(),
      secret: await dialog.getByLabel('Secret access key', { exact: true }).inputValue(),
    };
    const page = await openPage(t, browser, server);
    await signIn(page, account);
    await page.getByText('There is no bucket yet.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Administration', exact: true }).count(), 0);
    await createBucket(page, 'of-the-second');
    await page.getByRole('button', { name: 'Add token' }).waitFor();
  });
});
