// Over plain HTTP from a name that is not the browser's own machine, where there is neither `crypto.subtle` nor a
// clipboard.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addToken, createBucket, menu, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { startServer } from './kit/server.mjs';

test('plain HTTP', async (t) => {
  const server = await startServer(t, { consoleHost: 'console.test' });
  const browser = await startBrowser(t, ['--host-resolver-rules=MAP console.test 127.0.0.1']);
  const page = await openPage(t, browser, server, { locale: 'de-DE' });

  await t.test('says that the connection is not private, in the language of the browser', async () => {
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await page.getByText('Diese Verbindung ist nicht privat').waitFor();
    await page.getByLabel('Sprache').selectOption('en');
    await page.getByText('This connection is not private').waitFor();
  });

  await t.test('signing in and copying work', async () => {
    await signIn(page);
    await createBucket(page, 'photos');
    const key = await addToken(page, 'photos', 'app', 'Read only');
    await menu(page, 'app', 'Show secret');
    const dialog = page.getByRole('dialog');
    const copy = dialog.getByRole('button', { name: 'Copy AWS Secret Access Key' });
    await copy.click();
    await copy.getByText('Copied').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Add token' }).click();
    await page.getByLabel('Token Name').focus();
    await page.keyboard.press('Control+V');
    assert.equal(await page.getByLabel('Token Name').inputValue(), key.secret);
  });
});
