// Objects: upload, browse, look at, share, delete.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { scratch } from './kit/files.mjs';
import { put, s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

test('objects', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const files = await scratch(t);
  const page = await openPage(t, browser, server);
  const dialog = page.getByRole('dialog');
  const entry = (name) => page.getByRole('table', { name: 'Objects' }).getByRole('button', { name, exact: true });
  await signIn(page);
  await createBucket(page, 'photos');
  await go(page, '/buckets/photos/objects');

  await t.test('an empty bucket says what to do', async () => {
    await page.getByText('This bucket is empty.').waitFor();
    await page.getByText('Drop files or folders here').waitFor();
  });

  await t.test('chosen files are uploaded and appear', async () => {
    const path = await files.write('hello.txt', 'hello, console');
    await page.locator('[data-purpose=files]').setInputFiles(path);
    await page.getByText('Uploads: 1 of 1 done').waitFor();
    await entry('hello.txt').waitFor();
    assert.equal(await (await s3(server, OPERATOR, 'GET', '/photos/hello.txt')).text(), 'hello, console');
  });

  await t.test('an empty file too', async () => {
    await page.locator('[data-purpose=files]').setInputFiles(await files.write('empty', ''));
    await entry('empty').waitFor();
  });

  await t.test('a chosen folder keeps its paths', async () => {
    await files.write('album/summer/sea.txt', 'sea');
    await files.write('album/winter/snow.txt', 'snow');
    await page.locator('[data-purpose=folder]').setInputFiles(`${files.folder}/album`);
    await entry('album/').click();
    await entry('summer/').click();
    await entry('sea.txt').waitFor();
    await page.getByRole('navigation', { name: 'Path' }).getByRole('button', { name: 'All objects' }).click();
  });

  await t.test('dropped files are uploaded', async () => {
    const transfer = await page.evaluateHandle(() => {
      const dropped = new DataTransfer();
      dropped.items.add(new File(['dropped'], 'dropped.txt', { type: 'text/plain' }));
      return dropped;
    });
    await page.getByRole('region', { name: 'Objects' }).dispatchEvent('drop', { dataTransfer: transfer });
    await entry('dropped.txt').waitFor();
  });

  await t.test('a text is shown, tagged, downloaded and shared', async () => {
    await entry('hello.txt').click();
    await dialog.getByRole('region', { name: 'Preview' }).getByText('hello, console').waitFor();
    await dialog.getByRole('button', { name: 'Add tag' }).click();
    await dialog.getByLabel('Key of tag 1').fill('project');
    await dialog.getByLabel('Value of tag 1').fill('console');
    await dialog.getByRole('button', { name: 'Save tags' }).click();
    await page.getByText('Tags saved.').waitFor();
    const download = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Download' }).click();
    const saved = await download;
    assert.equal(saved.suggestedFilename(), 'hello.txt');
    assert.equal(await readFile(await saved.path(), 'utf8'), 'hello, console');
    await dialog.getByRole('button', { name: 'Create link' }).click();
    const link = await dialog.getByLabel('Link', { exact: true }).inputValue();
    assert.equal(await (await fetch(link)).text(), 'hello, console');
    await page.keyboard.press('Escape');
    await entry('hello.txt').click();
    assert.equal(await dialog.getByLabel('Key of tag 1').inputValue(), 'project');
    await page.keyboard.press('Escape');
  });

  await t.test('a download that fails leaves the console open', async () => {
    await put(server, OPERATOR, 'photos', 'gone.bin', 'soon gone', 'application/octet-stream');
    await page.getByRole('button', { name: 'Reload' }).click();
    await entry('gone.bin').click();
    const isDownload = (url) => url.searchParams.has('response-content-disposition');
    await page.route(isDownload, (route) => route.fulfill({ status: 503, contentType: 'text/html', body: 'refused' }));
    const navigated = page.waitForEvent('framenavigated', (frame) => frame.url().startsWith(server.endpoint));
    await dialog.getByRole('button', { name: 'Download' }).click();
    assert.notEqual(await navigated, page.mainFrame());
    await page.unroute(isDownload);
    assert.equal((await s3(server, OPERATOR, 'DELETE', '/photos/gone.bin')).status, 204);
    await dialog.getByRole('button', { name: 'Download' }).click();
    await dialog.getByRole('alert').getByText('This no longer exists.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Reload' }).click();
    await entry('gone.bin').waitFor({ state: 'detached' });
  });

  await t.test('headers and metadata are edited, and the tags stay', async () => {
    await entry('hello.txt').click();
    await dialog.getByText('Edit headers and metadata').click();
    await dialog.getByLabel('Content type').fill('text/markdown');
    const metadata = dialog.getByLabel('User metadata');
    await metadata.fill('no colon');
    await dialog.getByRole('button', { name: 'Save metadata' }).click();
    await dialog.getByRole('alert').getByText('Write each line').waitFor();
    await metadata.fill('Camera: X100');
    await dialog.getByRole('button', { name: 'Save metadata' }).click();
    await dialog.getByRole('term').filter({ hasText: 'camera' }).waitFor();
    const stored = await s3(server, OPERATOR, 'GET', '/photos/hello.txt');
    assert.equal(stored.headers.get('content-type'), 'text/markdown');
    assert.equal(stored.headers.get('x-amz-meta-camera'), 'X100');
    assert.equal(await stored.text(), 'hello, console');
    assert.equal(await dialog.getByLabel('Key of tag 1').inputValue(), 'project');
    await page.keyboard.press('Escape');
  });

  await t.test('an image is shown', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>parent.acted = 1</script></svg>';
    await put(server, OPERATOR, 'photos', 'picture.svg', svg, 'image/svg+xml');
    await page.getByRole('button', { name: 'Reload' }).click();
    await entry('picture.svg').click();
    const image = dialog.getByRole('img', { name: 'Preview of picture.svg' });
    await image.waitFor();
    await page.waitForFunction(() => document.querySelector('img.preview')?.naturalWidth === 9);
    await page.keyboard.press('Escape');
  });

  await t.test('a stored page and hostile names are text', async () => {
    const page1 = '<script>window.acted = 1; document.title = "acted"</script>';
    const names = ['<img src=x onerror=acted=1>.html', 'gpj.\u202Eexe', 'n'.repeat(1024), 'a\nb', '"><script>acted=1</script>'];
    for (const name of names) await put(server, OPERATOR, 'photos', `hostile-${name}`.slice(0, 1024), page1, 'text/html');
    await page.getByRole('button', { name: 'Reload' }).click();
    await entry('hostile-<img src=x onerror=acted=1>.html').click();
    await dialog.getByRole('region', { name: 'Preview' }).getByText(page1).waitFor();
    await page.keyboard.press('Escape');
    const turned = 'hostile-gpj.⟨U+202E⟩exe';
    await entry(turned).click();
    await dialog.getByRole('heading', { name: turned, exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByRole('paragraph').filter({ hasText: turned }).waitFor();
    await page.keyboard.press('Escape');
    await entry(`hostile-${'n'.repeat(1016)}`).click();
    await dialog.getByRole('button', { name: 'Download' }).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => 'acted' in window), false);
    assert.equal(await page.title(), 'photos – Objects – Object Storage Administration');
  });

  await t.test('columns have headings', async () => {
    const headings = page.getByRole('table', { name: 'Objects' }).getByRole('columnheader');
    const texts = (await headings.allTextContents()).map((text) => text.replace(/\s+/g, ' ').trim());
    assert.deepEqual(texts, ['Selection', 'Name ↑', 'Size', 'Modified']);
  });

  await t.test('a list that cannot be fetched shows the problem, no count and no box', async () => {
    await page.route('**/ListObjects', (route) => route.abort());
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
    assert.equal(await page.getByText(/entries|entry/).count(), 0);
    assert.equal(await page.getByRole('table', { name: 'Objects' }).count(), 0);
    await page.unroute('**/ListObjects');
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
    await entry('album/').waitFor();
  });

  await t.test('an address that leads nowhere says so', async () => {
    await go(page, '/buckets/no-such-bucket/usage');
    await page.getByRole('heading', { name: 'No bucket named no-such-bucket' }).waitFor();
    await go(page, '/no-such-page');
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Buckets' }).click();
    await page.getByRole('link', { name: 'photos' }).waitFor();
    await go(page, '/buckets/photos/objects');
    await entry('album/').waitFor();
  });

  await t.test('many are deleted, a folder with all that is in it', async () => {
    await page.getByRole('checkbox', { name: 'Select album/' }).check();
    await page.getByRole('checkbox', { name: 'Select dropped.txt' }).check();
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const confirm = dialog.getByRole('button', { name: 'Delete', exact: true });
    assert.equal(await confirm.isDisabled(), true);
    await dialog.getByLabel(/^Type/).fill('photos');
    await confirm.click();
    await page.getByText('3 objects deleted.').waitFor();
    await entry('dropped.txt').waitFor({ state: 'detached' });
    assert.equal((await s3(server, OPERATOR, 'GET', '/photos/album/summer/sea.txt')).status, 404);
  });

  await t.test('a long list fetches as it is scrolled, and keeps few rows', async () => {
    const count = 2_500;
    const names = Array.from({ length: count }, (_, at) => `many/${String(at).padStart(6, '0')}`);
    while (names.length > 0) {
      await Promise.all(names.splice(0, 20).map((name) => put(server, OPERATOR, 'photos', name, '')));
    }
    await page.getByLabel('Go to prefix').fill('many/');
    await page.getByRole('button', { name: 'Go', exact: true }).click();
    const table = page.getByRole('table', { name: 'Objects' });
    await entry('000000').waitFor();
    const last = entry(String(count - 1).padStart(6, '0'));
    for (let at = 0; at < 10 && (await last.count()) === 0; at += 1) {
      await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await page.waitForLoadState('networkidle');
    }
    await last.waitFor();
    await page.getByText('2,500 entries').waitFor();
    assert.ok((await table.getByRole('row').count()) < 100);
  });
});
