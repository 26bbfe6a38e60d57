// How sessions begin and end, and that nothing entered is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addToken, createBucket, go, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

test('sessions', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);

  await t.test('a wrong secret is refused with the next step and a request id', async () => {
    const page = await openPage(t, browser, server);
    await page.getByLabel('Access key ID').fill(OPERATOR.accessKeyId);
    await page.getByLabel('Secret access key').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The access key ID or the secret is wrong').waitFor();
    await alert.getByText('Request ID').waitFor();
  });

  await t.test('the secret is neither sent nor stored', async () => {
    const page = await openPage(t, browser, server);
    const sent = [];
    page.on('request', (request) => sent.push(`${request.url()} ${request.postDataBuffer()?.toString('latin1') ?? ''}`));
    await signIn(page);
    assert.ok(sent.some((each) => each.includes('AnswerChallenge')));
    assert.ok(sent.every((each) => !each.includes(OPERATOR.secret)));
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!stored.includes(OPERATOR.secret));
    assert.equal(await page.evaluate(() => document.body.innerHTML.includes('a-secret-of')), false);
  });

  await t.test('a server without the secret is not believed', async () => {
    const page = await openPage(t, browser, server);
    await page.route('**/AnswerChallenge', async (route) => {
      const answer = await route.fetch();
      const body = await answer.body();
      // The proof is the last field of the message, whose length the frame's header says.
      body[5 + body.readUInt32BE(1) - 1] ^= 1;
      await route.fulfill({ response: answer, body });
    });
    await page.getByLabel('Access key ID').fill(OPERATOR.accessKeyId);
    await page.getByLabel('Secret access key').fill(OPERATOR.secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('this may not be your server').waitFor();
  });

  await t.test('a session that ended is renewed over the form, and the step is repeated', async () => {
    const page = await openPage(t, browser, server);
    await signIn(page);
    await createBucket(page, 'kept-input');
    await page.getByRole('button', { name: 'Add token' }).click();
    await page.getByLabel('Token Name').fill('typed before the end');
    await page.route('**/CreateToken', async (route) => {
      const headers = { ...route.request().headers(), authorization: 'Bearer ended' };
      await route.continue({ headers });
      await page.unroute('**/CreateToken');
    });
    await page.getByRole('button', { name: 'Create token' }).click();
    const prompt = page.getByRole('dialog', { name: 'Sign in again' });
    assert.equal(await prompt.getByLabel('Access key ID').inputValue(), OPERATOR.accessKeyId);
    await prompt.getByLabel('Secret access key').fill(OPERATOR.secret);
    await prompt.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Token created' }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: /^typed before the end/ }).waitFor();
  });

  await t.test('before its end the session says so', async () => {
    const page = await openPage(t, browser, server);
    await page.clock.install();
    await signIn(page);
    await page.clock.fastForward('16:00');
    await page.getByRole('dialog', { name: 'Sign in again' }).getByText('about to end').waitFor();
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  await t.test('a restart of the server is survived', async () => {
    const page = await openPage(t, browser, server);
    await signIn(page);
    await createBucket(page, 'before-restart');
    await server.stop();
    await go(page, '/buckets');
    const alert = page.getByRole('alert');
    await alert.getByText('The server cannot be reached').waitFor();
    await server.start();
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'before-restart' }).waitFor();
  });

  await t.test('signing out forgets', async () => {
    const page = await openPage(t, browser, server);
    await signIn(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    assert.equal(await page.getByLabel('Secret access key').inputValue(), '');
    await go(page, '/buckets/before-restart/access');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(await page.getByText('before-restart').count(), 0);
  });

  await t.test("a sign-in that was still in progress at sign-out does not replace the next user's session", async () => {
    const page = await openPage(t, browser, server);
    await page.clock.install();
    await signIn(page);
    await createBucket(page, 'of-the-next');
    const next = await addToken(page, 'of-the-next', 'next', 'Read only');
    await page.clock.fastForward('16:00');
    const prompt = page.getByRole('dialog', { name: 'Sign in again' });
    let hold;
    const held = new Promise((resolve) => (hold = resolve));
    await page.route('**/AnswerChallenge', (route) => hold(route), { times: 1 });
    await prompt.getByLabel('Secret access key').fill(OPERATOR.secret);
    await prompt.getByRole('button', { name: 'Sign in' }).click();
    const late = await held;
    await prompt.getByRole('button', { name: 'Not now' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, next);
    const finished = page.waitForEvent('requestfinished', (request) => request === late.request());
    await late.continue();
    await finished;
    await go(page, '/buckets/of-the-next/objects');
    await page.getByText('This bucket is empty.').waitFor();
    await page.getByRole('banner').getByText(next.accessKeyId, { exact: true }).waitFor();
    assert.equal(await page.getByText(OPERATOR.accessKeyId, { exact: true }).count(), 0);
  });

  await t.test("a call that waited for one user does not go on with the next one's session", async () => {
    const page = await openPage(t, browser, server);
    await signIn(page);
    await createBucket(page, 'of-the-first');
    await page.route('**/CreateToken', (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer ended' } }),
    );
    await page.getByRole('button', { name: 'Add token' }).click();
    await page.getByLabel('Token Name').fill('never made');
    await page.getByRole('button', { name: 'Create token' }).click();
    await page.getByRole('dialog', { name: 'Sign in again' }).getByRole('button', { name: 'Not now' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.keyboard.press('Escape');
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Sign out' }).click();
    let repeated = false;
    page.on('request', (request) => (repeated ||= request.url().endsWith('/CreateToken')));
    await signIn(page);
    await go(page, '/buckets/of-the-first/access');
    await page.getByText('no token added').waitFor();
    assert.equal(repeated, false);
  });
});
