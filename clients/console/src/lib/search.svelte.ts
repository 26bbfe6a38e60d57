// Objects of a whole prefix by a part of their key, or in another order than that of the keys: the server's search.

import { ObjectOrder, SearchCoverage } from '../gen/bucketry/v1/object_service_pb.js';
import { objects } from './api.js';
import { type Problem, problemOf } from './errors.js';
import type { Entry, ObjectList } from './listing.svelte.js';

const PAGE_SIZE = 1_000;

export const SORTS = ['key', '-key', 'size', '-size', 'time', '-time'] as const;
export type Sort = (typeof SORTS)[number];

const ORDERS: Record<Sort, { orderBy: ObjectOrder; descending: boolean }> = {
  key: { orderBy: ObjectOrder.KEY, descending: false },
  '-key': { orderBy: ObjectOrder.KEY, descending: true },
  size: { orderBy: ObjectOrder.SIZE, descending: false },
  '-size': { orderBy: ObjectOrder.SIZE, descending: true },
  time: { orderBy: ObjectOrder.MODIFY_TIME, descending: false },
  '-time': { orderBy: ObjectOrder.MODIFY_TIME, descending: true },
};

export class Search implements ObjectList {
  readonly entries: Entry[] = [];
  count = $state(0);
  loading = $state(false);
  complete = $state(false);
  problem = $state<Problem | undefined>(undefined);
  /** Set if the server did not look at all keys, and will not: how many it looked at. */
  bound = $state<bigint | undefined>(undefined);
  #pageToken = '';

  constructor(
    readonly bucket: string,
    readonly prefix: string,
    readonly contains: string,
    readonly sort: Sort,
  ) {}

  async more(): Promise<void> {
    if (this.loading || this.complete) return;
    this.loading = true;
    this.problem = undefined;
    try {
      const before = this.count;
      // A page may be empty although there are more.
      while (!this.complete && this.count === before) await this.#page();
    } catch (thrown) {
      this.problem = problemOf(thrown);
    } finally {
      this.loading = false;
    }
  }

  async #page(): Promise<void> {
    const { bucket, prefix, contains } = this;
    const order = ORDERS[this.sort];
    const request = { bucket, prefix, contains, ignoreCase: true, ...order, pageSize: PAGE_SIZE, pageToken: this.#pageToken };
    const page = await objects.searchObjects(request);
    this.entries.push(
      ...page.objects.map(({ key, size, modifyTime }): Entry => ({ kind: 'object', key, size, modifyTime })),
    );
    this.count = this.entries.length;
    this.#pageToken = page.nextPageToken;
    this.complete = page.nextPageToken === '';
    // In key order the following pages go on where this one ended.
    const bounded = page.coverage === SearchCoverage.BOUNDED && order.orderBy !== ObjectOrder.KEY;
    this.bound = bounded ? page.scannedCount : undefined;
  }
}
