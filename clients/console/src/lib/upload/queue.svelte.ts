// The uploads of this tab: some at a time, each with its progress, to be paused, resumed or cancelled.

import { PresignedMethod } from '../../gen/bucketry/v1/object_service_pb.js';
import { type Problem, problemOf } from '../errors.js';
import { presign } from '../presign.js';
import { toasts } from '../toasts.svelte.js';
import { abort, begin, finish, type Source } from './multipart.js';
import { Rate } from './rate.js';
import { send } from './send.js';
import { release, type Unfinished } from './unfinished.js';

/** Larger files go in parts. */
const SINGLE_PUT_BYTES = 16 * 1024 * 1024;
const PARALLEL_FILES = 3;

export type UploadState = 'waiting' | 'running' | 'paused' | 'done' | 'failed';

export class Upload {
  state = $state<UploadState>('waiting');
  sent = $state(0);
  /** Bytes a second. */
  rate = $state(0);
  problem = $state<Problem | undefined>(undefined);
  #controller = new AbortController();
  #rate = new Rate();

  constructor(
    readonly source: Source,
    private parts: Unfinished | undefined = undefined,
  ) {}

  get size(): number {
    return this.source.file.size;
  }

  get secondsLeft(): number | undefined {
    return this.rate > 0 ? (this.size - this.sent) / this.rate : undefined;
  }

  async run(): Promise<void> {
    this.#controller = new AbortController();
    this.#rate = new Rate();
    this.state = 'running';
    this.problem = undefined;
    try {
      if (this.parts !== undefined || this.size > SINGLE_PUT_BYTES) await this.#inParts();
      else await this.#atOnce();
      this.sent = this.size;
      this.state = 'done';
    } catch (thrown) {
      if (this.parts !== undefined) release(this.parts);
      if (this.#controller.signal.aborted) return;
      this.problem = problemOf(thrown);
      this.state = 'failed';
    }
  }

  pause(): void {
    this.state = 'paused';
    this.#controller.abort(new Error('paused'));
  }

  async cancel(): Promise<void> {
    this.pause();
    if (this.parts !== undefined) await abort(this.parts);
  }

  async #atOnce(): Promise<void> {
    const { bucket, key, file } = this.source;
    const contentLength = BigInt(file.size);
    const spec = { method: PresignedMethod.PUT, key, contentLength, contentType: file.type };
    await send(await presign(bucket, spec), file, this.#controller.signal, this.#report);
  }

  async #inParts(): Promise<void> {
    this.parts ??= await begin(this.source);
    await finish(this.parts, this.source.file, this.#controller.signal, this.#report);
  }

  #report = (sent: number): void => {
    this.sent = Math.min(sent, this.size);
    this.rate = this.#rate.measure(sent, performance.now());
  };
}

class Queue {
  uploads = $state.raw<Upload[]>([]);
  /** Rises with every upload that is done: listings watch it. */
  completed = $state(0);
  #running = 0;

  add(sources: Source[]): void {
    this.uploads = [...this.uploads, ...sources.map((source) => new Upload(source))];
    this.#fill();
  }

  resume(upload: Unfinished, file: File): void {
    const { bucket, key } = upload;
    this.uploads = [...this.uploads, new Upload({ bucket, key, file }, upload)];
    this.#fill();
  }

  /** Queues a paused or failed upload again. */
  retry(upload: Upload): void {
    upload.state = 'waiting';
    this.#fill();
  }

  async cancel(upload: Upload): Promise<void> {
    this.uploads = this.uploads.filter((other) => other !== upload);
    try {
      await upload.cancel();
    } catch (thrown) {
      // It stays among the unfinished uploads, where it can be discarded.
      toasts.add(problemOf(thrown).message);
    }
  }

  /** Stops everything, as when the user signs out. Uploads in parts can be resumed later. */
  stop(): void {
    for (const upload of this.uploads) upload.pause();
    this.uploads = [];
  }

  clearDone(): void {
    this.uploads = this.uploads.filter((upload) => upload.state !== 'done');
  }

  #fill(): void {
    for (const upload of this.uploads) {
      if (this.#running >= PARALLEL_FILES) return;
      if (upload.state === 'waiting') void this.#run(upload);
    }
  }

  async #run(upload: Upload): Promise<void> {
    this.#running += 1;
    await upload.run();
    this.#running -= 1;
    if (upload.state === 'done') this.completed += 1;
    this.#fill();
  }
}

export const queue = new Queue();
