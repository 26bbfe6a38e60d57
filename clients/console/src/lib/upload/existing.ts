// Which of some keys a bucket has already, before they are overwritten.

import { objects } from '../api.js';

const PARALLEL = 8;
const PAGE_SIZE = 1_000;
/** Up to here each key is looked up by itself; more are found in the listing below what they have in common. */
const MAX_SINGLE_LOOKUPS = 50;

/** The keys that exist. Never takes more calls than there are keys. */
export async function existingKeys(bucket: string, keys: string[]): Promise<Set<string>> {
  const missing = new Set(keys);
  const found = new Set<string>();
  if (keys.length > MAX_SINGLE_LOOKUPS) await findInListing(bucket, missing, found);
  await lookUpEach(bucket, [...missing], found);
  return found;
}

/** Moves what the listing has to `found`, and takes what it rules out from `missing`. */
async function findInListing(bucket: string, missing: Set<string>, found: Set<string>): Promise<void> {
  const prefix = commonPrefix([...missing]);
  const mostPages = Math.floor(missing.size / 2);
  let pageToken = '';
  for (let page = 0; page < mostPages && missing.size > 0; page += 1) {
    const { objects: some, nextPageToken } = await objects.listObjects({ bucket, prefix, pageSize: PAGE_SIZE, pageToken });
    for (const { key } of some) if (missing.delete(key)) found.add(key);
    if (nextPageToken === '') {
      missing.clear();
      return;
    }
    pageToken = nextPageToken;
  }
}

async function lookUpEach(bucket: string, keys: string[], found: Set<string>): Promise<void> {
  const rest = [...keys];
  const worker = async () => {
    for (let key = rest.pop(); key !== undefined; key = rest.pop()) {
      // The first key with a prefix is the prefix itself, if it exists. A listing finds nothing without an error.
      const { objects: some } = await objects.listObjects({ bucket, prefix: key, pageSize: 1 });
      if (some[0]?.key === key) found.add(key);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

function commonPrefix(keys: string[]): string {
  const [first = '', ...others] = keys;
  let length = first.length;
  for (const key of others) {
    let at = 0;
    while (at < length && key[at] === first[at]) at += 1;
    length = at;
  }
  // Not within a pair of surrogates.
  return [...first.slice(0, length)].filter((mark) => !/^[\uD800-\uDFFF]$/.test(mark)).join('');
}
