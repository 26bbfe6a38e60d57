// What pages of other origins and stolen sessions can do: nothing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { addToken, createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { put } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

const CALL = {
  method: 'POST',
  headers: { 'content-type': 'application/grpc-web+proto' },
  body: Buffer.alloc(5),
};

test('security', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);

  await t.test('every file has the security headers, and nothing else is there', async () => {
    const page = await fetch(server.console);
    const policy = page.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
    assert.equal((await fetch(`${server.console}/buckets`)).status, 404);
    assert.equal((await fetch(`${server.console}/../Cargo.toml`)).status, 404);
  });

  await t.test('names of tokens are text', async () => {
    const page = await openPage(t, browser, server);
    await signIn(page);
    await createBucket(page, 'hostile');
    const name = '<img src=x onerror="window.acted=1"> שלום';
    await addToken(page, 'hostile', name, 'Read only');
    await page.getByText(name, { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => 'acted' in window), false);
  });

  await t.test('the type of a preview is not the one that the uploader wrote', async () => {
    const page = await openPage(t, browser, server);
    await signIn(page);
    await createBucket(page, 'previews');
    const html = '<h1>acted</h1><script>parent.postMessage("acted", "*")</script>';
    const types = {
      'list.pdf': 'application/pdf;,text/html',
      'second.pdf': 'application/pdf; charset=utf-8, text/html',
      'quoted.pdf': 'application/pdf;"\\",text/html',
      'image.png': 'image/png,text/html',
      'parameter.pdf': 'Application/PDF; x=text/html',
      'parameter.png': 'image/PNG; x=text/html',
    };
    for (const [name, type] of Object.entries(types)) await put(server, OPERATOR, 'previews', name, html, type);
    await page.evaluate(() => addEventListener('message', () => (window.acted = true)));
    await go(page, '/buckets/previews/objects');
    const dialog = page.getByRole('dialog');
    const open = (name) => page.getByRole('table', { name: 'Objects' }).getByRole('button', { name, exact: true }).click();
    const noPreview = dialog.getByText('There is no preview for this kind of object.');
    for (const [name] of Object.entries(types).filter(([, type]) => type.includes(','))) {
      await open(name);
      await noPreview.waitFor();
      await page.keyboard.press('Escape');
    }
    // The browser's PDF viewer would load its own files, which are requests to a foreign host here.
    await page.route((url) => url.searchParams.has('response-content-type') && url.pathname.endsWith('.pdf'), (route) =>
      route.fulfill({ status: 204 }),
    );
    await open('parameter.pdf');
    await dialog.getByRole('button', { name: 'Show preview' }).click();
    const frame = dialog.locator('iframe');
    assert.equal(await typeOf(await frame.getAttribute('src')), 'application/pdf');
    await page.keyboard.press('Escape');
    await open('parameter.png');
    const image = dialog.getByRole('img', { name: 'Preview of parameter.png' });
    assert.equal(await typeOf(await image.getAttribute('src')), 'image/png');
    assert.equal(await page.evaluate(() => 'acted' in window), false);
  });

  await t.test('another page cannot frame the console', async () => {
    const evil = await serve(t, `<iframe src="${server.console}" width="600" height="600"></iframe>`);
    const page = await browser.newPage();
    await page.goto(evil);
    await page.waitForLoadState('networkidle');
    const [, frame] = page.frames();
    assert.equal(await frame.getByLabel('Access key ID').count(), 0);
    await page.close();
  });

  await t.test('another page cannot call the services with a session, even if it has one', async () => {
    const page = await openPage(t, browser, server);
    const session = page.waitForRequest((request) => request.headers()['authorization'] !== undefined);
    await signIn(page);
    await createBucket(page, 'private');
    const { authorization } = (await session).headers();
    const url = `${server.console}/bucketry.v1.ObjectService/ListBuckets`;
    const own = await fetch(url, { ...CALL, headers: { ...CALL.headers, authorization } });
    assert.match(Buffer.from(await own.arrayBuffer()).toString('latin1'), /private/);
    const evil = await serve(t, 'another page');
    const other = await browser.newPage();
    await other.goto(evil);
    const answer = await other.evaluate(
      async ([to, bearer]) => {
        try {
          const headers = { 'content-type': 'application/grpc-web+proto', authorization: bearer };
          return (await fetch(to, { method: 'POST', headers, body: new Uint8Array(5) })).status;
        } catch {
          return 'refused';
        }
      },
      [url, authorization],
    );
    assert.equal(answer, 'refused');
    await other.close();
    const forged = await fetch(url, { ...CALL, headers: { ...CALL.headers, authorization, origin: evil } });
    assert.equal(forged.status, 403);
  });
});

/** The content type of the answer. */
async function typeOf(url) {
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  await answer.body.cancel();
  return answer.headers.get('content-type');
}

/** A page of another origin. */
async function serve(t, html) {
  const other = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(html));
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  return `http://127.0.0.1:${other.address().port}`;
}
