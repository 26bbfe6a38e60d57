// Multipart uploads that a reload or a closed tab interrupted. Each has an entry of its own, so that tabs do not
// overwrite each other's.

const PREFIX = 'bucketry.upload.';
/** A tab that has not shown life for so long no longer sends. */
const ACTIVE_MS = 10_000;

export interface Unfinished {
  bucket: string;
  key: string;
  uploadId: string;
  size: number;
  lastModified: number;
  partSize: number;
  /** When a tab last worked on it. */
  activeAt: number;
}

export function remember(upload: Unfinished): void {
  localStorage.setItem(PREFIX + upload.uploadId, JSON.stringify(upload));
}

export function forget(uploadId: string): void {
  localStorage.removeItem(PREFIX + uploadId);
}

/** Those of a bucket that no tab works on. */
export function unfinishedOf(bucket: string): Unfinished[] {
  const found: Unfinished[] = [];
  for (let at = 0; at < localStorage.length; at += 1) {
    const name = localStorage.key(at);
    if (name?.startsWith(PREFIX) !== true) continue;
    const upload = parse(localStorage.getItem(name) ?? '');
    if (upload?.bucket === bucket && Date.now() - upload.activeAt > ACTIVE_MS) found.push(upload);
  }
  return found;
}

/** Marks an upload as abandoned, so that it can be resumed at once. */
export function release(upload: Unfinished): void {
  remember({ ...upload, activeAt: 0 });
}

export function isSameFile(upload: Unfinished, file: File): boolean {
  return file.size === upload.size && file.lastModified === upload.lastModified;
}

function parse(text: string): Unfinished | undefined {
  try {
    const value = JSON.parse(text) as Partial<Unfinished>;
    return typeof value.uploadId === 'string' && typeof value.key === 'string' ? (value as Unfinished) : undefined;
  } catch {
    return undefined;
  }
}
