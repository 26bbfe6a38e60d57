// Takes the screenshots of the documentation: every main screen, in both themes and at 360 px.
//
//     node tests/console/screenshots.mjs [FOLDER]      clients/console/screenshots by default

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { addToken, createBucket, go, menu, openPage, signIn, startBrowser } from './kit/browser.mjs';
import { put, s3 } from './kit/s3.mjs';
import { OPERATOR, startServer } from './kit/server.mjs';

const FOLDER = process.argv[2] ?? new URL('../../clients/console/screenshots', import.meta.url).pathname;
const SHOTS = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1080, height: 680 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1080, height: 680 } },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 360, height: 740 } },
];

// The same interface as a test's context: what is started is stopped at the end, last first.
const endings = [];
const scope = { after: (end) => endings.unshift(end) };

async function furnish(server, browser) {
  const page = await openPage(scope, browser, server);
  await signIn(page);
  await createBucket(page, 'backups');
  await createBucket(page, 'photos');
  const app = await addToken(page, 'photos', 'production-app', 'Read & Write', {
    'Disallowed IP Addresses (optional)': '192.0.2.0/24',
  });
  const reader = await addToken(page, 'photos', 'website', 'Read only');
  await addToken(page, 'photos', 'backup-script', 'Write only', { 'Disallowed IP Addresses (optional)': '203.0.113.9' });
  await menu(page, 'backup-script', 'Suspend');
  for (const name of ['2025/lake.jpg', '2026/sea.jpg', 'logo.svg', 'notes.txt', 'report.csv', 'welcome.html']) {
    await put(server, OPERATOR, 'photos', name, 'Notes of the trip.\nThe lake was calm.\n'.repeat(20));
  }
  for (let at = 0; at < 40; at += 1) {
    await s3(server, at % 3 === 0 ? app : reader, 'GET', '/photos/notes.txt');
    if (at % 5 === 0) await s3(server, reader, 'PUT', '/photos/notes.txt', 'refused');
  }
}

async function shoot(server, browser, { name: kind, ...options }) {
  const page = await openPage(scope, browser, server, options);
  const shot = async (name) => {
    await page.waitForLoadState('networkidle');
    await page.waitForFunction(() => !document.body.innerText.includes('Loading…'));
    await page.screenshot({ path: join(FOLDER, `${name}-${kind}.png`), animations: 'disabled' });
  };
  await shot('sign-in');
  await signIn(page);
  await page.getByRole('link', { name: 'photos' }).waitFor();
  await shot('buckets');
  await go(page, '/buckets/backups/access');
  await page.getByText('no token added').waitFor();
  await shot('no-token');
  await page.getByRole('button', { name: 'Add token' }).click();
  await page.getByLabel('Token Name').fill('production-app');
  await shot('add-token');
  await page.keyboard.press('Escape');
  await go(page, '/buckets/photos/access');
  await page.getByRole('cell', { name: /^production-app/ }).waitFor();
  await shot('api-access');
  await page.getByRole('button', { name: 'Actions for production-app' }).click();
  await shot('token-menu');
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await shot('edit-token');
  await page.keyboard.press('Escape');
  await menu(page, 'production-app', 'Show secret');
  await page.getByRole('heading', { name: 'S3 Credentials' }).waitFor();
  await shot('token-details');
  await page.keyboard.press('Escape');
  await go(page, '/buckets/photos/objects');
  await page.getByRole('button', { name: 'notes.txt' }).waitFor();
  await shot('objects');
  await page.getByRole('button', { name: 'notes.txt' }).click();
  await page.getByRole('region', { name: 'Preview' }).waitFor();
  await shot('object');
  await page.keyboard.press('Escape');
  await go(page, '/buckets/photos/usage');
  await page.getByRole('heading', { name: 'Latest denials' }).waitFor();
  await shot('usage');
  await go(page, '/buckets/photos/audit');
  await page.getByRole('cell', { name: 'token.create' }).first().waitFor();
  await shot('audit');
  for (const tab of ['accounts', 'keys', 'keyring', 'audit', 'address']) {
    await go(page, `/administration/${tab}`);
    await shot(`administration-${tab}`);
  }
}

try {
  await mkdir(FOLDER, { recursive: true });
  const server = await startServer(scope);
  const browser = await startBrowser(scope);
  await furnish(server, browser);
  for (const kind of SHOTS) await shoot(server, browser, kind);
} finally {
  for (const end of endings) await end();
}
