// A file in parts: begun or resumed, several parts at a time, completed at the end.

import { PresignedMethod } from '../../gen/bucketry/v1/object_service_pb.js';
import { objects } from '../api.js';
import { ConsoleError } from '../errors.js';
import { presign } from '../presign.js';
import { send } from './send.js';
import { forget, release, remember, type Unfinished } from './unfinished.js';

const MIB = 1024 * 1024;
const MIN_PART_BYTES = 16 * MIB;
const MAX_PARTS = 10_000;
const PARALLEL_PARTS = 4;
const HEARTBEAT_MS = 3_000;

export interface Source {
  bucket: string;
  key: string;
  file: File;
}

interface SentPart {
  partNumber: number;
  etag: string;
}

/** The size of the parts: larger for large files, since S3 limits the number of parts. */
export function partSizeOf(size: number): number {
  return Math.max(MIN_PART_BYTES, Math.ceil(size / MAX_PARTS / MIB) * MIB);
}

export async function begin(source: Source): Promise<Unfinished> {
  const { bucket, key, file } = source;
  const answer = await objects.createMultipartUpload({ bucket, key, attributes: { contentType: file.type } });
  const uploadId = answer.upload?.uploadId ?? '';
  if (uploadId === '') throw new ConsoleError('the server began no upload', 'advice.report');
  const { size, lastModified } = file;
  const upload = { bucket, key, uploadId, size, lastModified, partSize: partSizeOf(size), activeAt: Date.now() };
  remember(upload);
  return upload;
}

/** Sends the parts that the server does not have, and completes. */
export async function finish(
  upload: Unfinished,
  file: File,
  signal: AbortSignal,
  onProgress: (sent: number) => void,
): Promise<void> {
  const heartbeat = setInterval(() => remember({ ...upload, activeAt: Date.now() }), HEARTBEAT_MS);
  const leave = () => release(upload);
  addEventListener('pagehide', leave);
  try {
    const parts = await sendParts(upload, file, signal, onProgress);
    signal.throwIfAborted();
    const { bucket, key, uploadId } = upload;
    const request = { bucket, key, uploadId, parts, objectSize: BigInt(upload.size) };
    // Joining many parts may take long.
    await objects.completeMultipartUpload(request, { timeoutMs: 0 });
    forget(uploadId);
  } finally {
    clearInterval(heartbeat);
    removeEventListener('pagehide', leave);
  }
}

export async function abort(upload: Unfinished): Promise<void> {
  const { bucket, key, uploadId } = upload;
  await objects.abortMultipartUpload({ bucket, key, uploadId });
  forget(uploadId);
}

async function sendParts(
  upload: Unfinished,
  file: File,
  signal: AbortSignal,
  onProgress: (sent: number) => void,
): Promise<SentPart[]> {
  const stored = await storedParts(upload);
  const count = Math.max(Math.ceil(upload.size / upload.partSize), 1);
  const sent = new Map<number, number>();
  const report = () => onProgress([...sent.values()].reduce((sum, bytes) => sum + bytes, 0));
  const missing: number[] = [];
  for (let partNumber = 1; partNumber <= count; partNumber += 1) {
    if (stored.has(partNumber)) sent.set(partNumber, partOf(upload, file, partNumber).size);
    else missing.push(partNumber);
  }
  report();
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const worker = async () => {
    for (let partNumber = missing.shift(); partNumber !== undefined; partNumber = missing.shift()) {
      const part = partOf(upload, file, partNumber);
      const url = await partUrl(upload, partNumber, part.size, either);
      const number = partNumber;
      const etag = await send(url, part, either, (bytes) => {
        sent.set(number, Math.min(bytes, part.size));
        report();
      });
      sent.set(partNumber, part.size);
      stored.set(partNumber, etag);
      report();
    }
  };
  try {
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, worker));
  } catch (thrown) {
    failure.abort(thrown);
    throw thrown;
  }
  return [...stored].map(([partNumber, etag]) => ({ partNumber, etag })).sort((a, b) => a.partNumber - b.partNumber);
}

function partOf(upload: Unfinished, file: File, partNumber: number): Blob {
  const start = (partNumber - 1) * upload.partSize;
  return file.slice(start, Math.min(start + upload.partSize, upload.size));
}

function partUrl(upload: Unfinished, partNumber: number, size: number, signal: AbortSignal) {
  const { bucket, key, uploadId } = upload;
  const method = PresignedMethod.UPLOAD_PART;
  return presign(bucket, { method, key, uploadId, partNumber, contentLength: BigInt(size) }, { signal });
}

/** ETags of the parts that arrived whole, by number. */
async function storedParts(upload: Unfinished): Promise<Map<number, string>> {
  const { bucket, key, uploadId, partSize, size } = upload;
  const found = new Map<number, string>();
  let partNumberMarker = 0;
  do {
    const page = await objects.listParts({ bucket, key, uploadId, partNumberMarker });
    for (const part of page.parts) {
      const expected = Math.min(partSize, size - (part.partNumber - 1) * partSize);
      if (Number(part.size) === expected) found.set(part.partNumber, part.etag);
    }
    partNumberMarker = page.nextPartNumberMarker;
  } while (partNumberMarker !== 0);
  return found;
}
