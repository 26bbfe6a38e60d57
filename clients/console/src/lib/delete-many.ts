import { objects } from './api.js';
import { ConsoleError } from './errors.js';
import type { Entry } from './listing.svelte.js';

const BATCH = 1_000;

/** Deletes objects, and folders with all that lies below. Reports how many are gone so far. */
export async function deleteMany(bucket: string, entries: Entry[], onProgress: (done: number) => void): Promise<void> {
  let done = 0;
  const remove = async (keys: string[]) => {
    const request = { bucket, objects: keys.map((key) => ({ key })), allowMissing: true };
    const { results } = await objects.deleteObjects(request);
    const refused = results.find((result) => !result.deleted);
    if (refused) throw new ConsoleError(`${refused.key}: ${refused.errorMessage}`, 'advice.deletePartly');
    onProgress((done += keys.length));
  };
  const files = entries.filter((entry) => entry.kind === 'object').map((entry) => entry.key);
  for (let at = 0; at < files.length; at += BATCH) await remove(files.slice(at, at + BATCH));
  for (const { key } of entries.filter((entry) => entry.kind === 'folder')) {
    // What is deleted leaves the listing, so that its first page is always the next one.
    for (;;) {
      const page = await objects.listObjects({ bucket, prefix: key });
      if (page.objects.length === 0) break;
      await remove(page.objects.map((object) => object.key));
    }
  }
}
