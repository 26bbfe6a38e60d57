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
  /** Of the latest run: what an earlier one still reports is ignored. */
  #run = new AbortController();
  /** The multipart upload, once it is begun; it outlives a pause. */
  #parts: Promise<Unfinished> | undefined;

  constructor(
    readonly source: Source,
    parts: Unfinished | undefined = undefined,
  ) {
    if (parts !== undefined) this.#parts = Promise.resolve(parts);
  }

  get size(): number {
    return this.source.file.size;
  }

  get secondsLeft(): number | undefined {
    return this.rate > 0 ? (this.size - this.sent) / this.rate : undefined;
  }

  async run(): Promise<void> {
    const run = new AbortController();
    const rate = new Rate();
    this.#run = run;
    this.state = 'running';
    this.problem = undefined;
    const report = (sent: number) => {
      if (this.#run !== run) return;
      this.sent = Math.min(sent, this.size);
      this.rate = rate.measure(sent, performance.now());
    };
    try {
      if (this.#parts !== undefined || this.size > SINGLE_PUT_BYTES) await this.#inParts(run.signal, report);
      else await this.#atOnce(run.signal, report);
      if (this.#run !== run) return;
      this.sent = this.size;
      this.state = 'done';
    } catch (thrown) {
      if (this.#run !== run) return;
      await this.#release();
      if (run.signal.aborted) return;
      this.problem = problemOf(thrown);
      this.state = 'failed';
    }
  }

  pause(): void {
    this.state = 'paused';
    this.#run.abort(new Error('paused'));
  }

  async cancel(): Promise<void> {
    this.pause();
    const parts = await this.#begun();
    if (parts !== undefined) await abort(parts);
  }

  async #atOnce(signal: AbortSignal, report: (sent: number) => void): Promise<void> {
    const { bucket, key, file } = this.source;
    const contentLength = BigInt(file.size);
    const spec = { method: PresignedMethod.PUT, key, contentLength, contentType: file.type };
    await send(await presign(bucket, spec, { signal }), file, signal, report);
  }

  async #inParts(signal: AbortSignal, report: (sent: number) => void): Promise<void> {
    this.#parts ??= begin(this.source).catch((thrown: unknown) => {
      this.#parts = undefined;
      throw thrown;
    });
    const parts = await this.#parts;
    signal.throwIfAborted();
    await finish(parts, this.source.file, signal, report);
  }

  /** Lets another tab resume what this one no longer sends. */
  async #release(): Promise<void> {
    const parts = await this.#begun();
    if (parts !== undefined && this.state !== 'running') release(parts);
  }

  #begun(): Promise<Unfinished | undefined> {
    return this.#parts?.catch(() => undefined) ?? Promise.resolve(undefined);
  }
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
