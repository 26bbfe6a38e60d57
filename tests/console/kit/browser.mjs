// Pages that fail their test if they call a foreign host, violate the content security policy or throw.

import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

import { OPERATOR } from './server.mjs';

const CHROMIUM = process.env.BUCKETRY_CHROMIUM ?? '/usr/bin/chromium';
const ACTION_MS = 10_000;

export async function startBrowser(t, options = []) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Chromium has no sandbox for root, which CI often is.
    args: process.getuid() === 0 ? ['--no-sandbox', ...options] : options,
  });
  t.after(() => browser.close());
  return browser;
}

/** A page in a context of its own; what it did wrong fails `t` when that ends. */
export async function openPage(t, browser, server, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', acceptDownloads: true, ...options });
  const page = await context.newPage();
  watch(t, page, server);
  t.after(() => context.close());
  page.setDefaultTimeout(ACTION_MS);
  await page.goto(server.console);
  return page;
}

/** Another page of the same browser profile, as a second tab. */
export async function openTab(t, page, server) {
  const tab = await page.context().newPage();
  watch(t, tab, server);
  tab.setDefaultTimeout(ACTION_MS);
  await tab.goto(server.console);
  return tab;
}

export async function signIn(page, key = OPERATOR) {
  await page.getByLabel('Access key ID').fill(key.accessKeyId);
  await page.getByLabel('Secret access key').fill(key.secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

export async function createBucket(page, name) {
  await go(page, '/buckets');
  await page.getByRole('button', { name: 'Create bucket' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Bucket Name').fill(name);
  await dialog.getByRole('button', { name: 'Create bucket' }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

/** Adds a token on the bucket's tab "API access" and answers its key. */
export async function addToken(page, bucket, name, permission, fields = {}) {
  await go(page, `/buckets/${bucket}/access`);
  await page.getByRole('button', { name: 'Add token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Token Name').fill(name);
  await dialog.getByRole('radio', { name: permission }).check();
  for (const [label, value] of Object.entries(fields)) await dialog.getByRole('textbox', { name: label }).fill(value);
  await dialog.getByRole('button', { name: 'Create token' }).click();
  // The address rules of a test may well bar the test.
  const anyway = dialog.getByRole('button', { name: 'Create anyway' });
  const created = page.getByRole('heading', { name: 'S3 Credentials' });
  await anyway.or(created).waitFor();
  if (await anyway.isVisible()) await anyway.click();
  await created.waitFor();
  const accessKeyId = await dialog.getByLabel('AWS Access Key ID', { exact: true }).inputValue();
  const secret = await dialog.getByLabel('AWS Secret Access Key', { exact: true }).inputValue();
  await dialog.getByRole('button', { name: 'Done' }).click();
  return { accessKeyId, secret };
}

export async function go(page, path) {
  await page.evaluate((to) => {
    location.hash = to;
  }, path);
}

export async function menu(page, of, item) {
  await page.getByRole('button', { name: `Actions for ${of}`, exact: true }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

function watch(t, page, server) {
  const wrong = [];
  const known = [server.console, server.endpoint].map((url) => new URL(url).host);
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && !known.includes(url.host)) wrong.push(`request to ${url}`);
  });
  page.on('pageerror', (error) => wrong.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) wrong.push(message.text());
  });
  // The page does not end while its test runs, so that this sees everything.
  t.after(() => assert.deepEqual(wrong, [], 'what the page did wrong'));
}
