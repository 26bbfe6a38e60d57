// What every JavaScript client's work is made of: odd names, contents to be checked byte by byte, one result line.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const MIB = 1024 * 1024;
export const MIN_PART = 5 * MIB;
export const BUCKET = process.env.BUCKET_NAME;
export const ENDPOINT = process.env.AWS_ENDPOINT_URL;
export const REGION = process.env.AWS_REGION;
export const PATH_STYLE = process.env.CLIENT_ADDRESSING === 'path';

/** The odd names, without those that the client cannot express. */
export function names(excluded = () => false) {
  const found = readFileSync(process.env.CLIENT_NAMES, 'utf8').split('\n').filter((name) => name && !excluded(name));
  assert.ok(found.length >= 150, `only ${found.length} names are left to test with`);
  return found;
}

/** The content of a small object: of its own, 0 to about 12 KiB. */
export function content(name) {
  const digest = createHash('sha256').update(name).digest();
  const times = digest[0] > 10 ? digest[0] + (digest[1] >> 1) : 0;
  return Buffer.concat(Array.from({ length: times }, () => digest));
}

/** Bytes that do not repeat, so that a swapped or shifted part is noticed. */
export function pattern(size, seed = 1) {
  return createHash('shake128', { outputLength: size }).update(`pattern ${seed}`).digest();
}

/** An object of three parts. */
export const LARGE = pattern(13 * MIB + 4321);

/** Compares bytes without printing megabytes. */
export function same(got, wanted, what) {
  assert.ok(Buffer.compare(got, wanted) === 0, `${what}: got ${got.length} other bytes, wanted ${wanted.length}`);
}

/** S3 lists in the order of UTF-8. */
export const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The bytes of a stream. */
export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Does this many at once. */
export async function each(list, action, atOnce = 8) {
  const iterator = list.values();
  const workers = Array.from({ length: atOnce }, async () => {
    for (const item of iterator) await action(item);
  });
  await Promise.all(workers);
}

/** Runs one client's steps and prints the result, or exits with 1. */
export async function run(client, version, steps) {
  const begin = performance.now();
  const exercised = [];
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
    } catch (error) {
      console.error(error);
      console.error(`FAILED ${client} ${version}, in: ${name}`);
      process.exit(1);
    }
    exercised.push(name);
  }
  console.error(`${client}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  console.log(`RESULT ${JSON.stringify({ client, version, exercised })}`);
}
