// The keys directly below a prefix, page by page. A million of them stay in a plain array, which no proxy slows down.

import { objects } from './api.js';
import { type Problem, problemOf } from './errors.js';
import type { Timestamp } from '@bufbuild/protobuf/wkt';

const PAGE_SIZE = 1_000;

export type Entry =
  | { kind: 'folder'; key: string }
  | { kind: 'object'; key: string; size: bigint; modifyTime: Timestamp | undefined };

/** Objects that are fetched as they are looked at. */
export interface ObjectList {
  readonly prefix: string;
  /** Grows; `count` says how far. */
  readonly entries: Entry[];
  readonly count: number;
  readonly loading: boolean;
  readonly complete: boolean;
  readonly problem: Problem | undefined;
  /** Fetches the next page unless there is none or it is on its way. */
  more(): Promise<void>;
}

export class Listing implements ObjectList {
  readonly entries: Entry[] = [];
  count = $state(0);
  loading = $state(false);
  complete = $state(false);
  problem = $state<Problem | undefined>(undefined);
  #pageToken = '';

  constructor(
    readonly bucket: string,
    readonly prefix: string,
  ) {}

  async more(): Promise<void> {
    if (this.loading || this.complete) return;
    this.loading = true;
    this.problem = undefined;
    try {
      const { bucket, prefix } = this;
      const request = { bucket, prefix, delimiter: '/', pageSize: PAGE_SIZE, pageToken: this.#pageToken };
      const page = await objects.listObjects(request);
      const folders = page.commonPrefixes.map((key): Entry => ({ kind: 'folder', key }));
      const files = page.objects.map(({ key, size, modifyTime }): Entry => ({ kind: 'object', key, size, modifyTime }));
      this.entries.push(...merged(folders, files));
      this.count = this.entries.length;
      this.#pageToken = page.nextPageToken;
      this.complete = page.nextPageToken === '';
    } catch (thrown) {
      this.problem = problemOf(thrown);
    } finally {
      this.loading = false;
    }
  }
}

/** Both are sorted by key. */
function merged(folders: Entry[], files: Entry[]): Entry[] {
  const all: Entry[] = [];
  let next = 0;
  for (const file of files) {
    for (let folder = folders[next]; folder !== undefined && folder.key < file.key; folder = folders[next]) {
      all.push(folder);
      next += 1;
    }
    all.push(file);
  }
  return all.concat(folders.slice(next));
}
