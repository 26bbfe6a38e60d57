// One request that sends a file or a part of it to a presigned URL, with progress.

import { TransferError } from '../errors.js';
import type { PresignedUrl } from '../../gen/bucketry/v1/object_service_pb.js';

/** Resolves with the ETag. Aborting `signal` rejects with its reason. */
export function send(
  url: PresignedUrl,
  content: Blob,
  signal: AbortSignal,
  onProgress: (sent: number) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url.url);
    for (const [name, value] of Object.entries(url.headers)) {
      // The browser sets these itself and lets no script do so.
      if (name !== 'content-length' && name !== 'host') request.setRequestHeader(name, value);
    }
    const abort = () => request.abort();
    signal.addEventListener('abort', abort);
    request.onloadend = () => signal.removeEventListener('abort', abort);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      if (request.status === 200) resolve(request.getResponseHeader('etag') ?? '');
      else reject(refusal(request));
    };
    request.onerror = () => reject(new TransferError(0, '', 'the connection failed', ''));
    request.onabort = () => reject(signal.reason as Error);
    if (signal.aborted) reject(signal.reason as Error);
    // Without a type of its own the blob's would be sent, which the signature may not cover.
    else request.send(content.slice(0, content.size, url.headers['content-type'] ?? ''));
  });
}

function refusal(request: XMLHttpRequest): TransferError {
  const xml = new DOMParser().parseFromString(request.responseText, 'application/xml');
  const text = (name: string) => xml.querySelector(name)?.textContent ?? '';
  const requestId = request.getResponseHeader('x-amz-request-id') ?? text('RequestId');
  return new TransferError(request.status, text('Code'), text('Message') || request.statusText, requestId);
}
