// Saves an object as a file.

import { PresignedMethod } from '../gen/bucketry/v1/object_service_pb.js';
import { refusalOf, TransferError } from './errors.js';
import { downloadUrl, presign } from './presign.js';

/** After so long the S3 endpoint has answered, and the browser goes on without the frame. */
const FRAME_MS = 60_000;

/**
 * Leaves the page where it is: the download begins in a hidden frame. Nothing is seen of an error there, so that a
 * request before it finds out whether the S3 endpoint has the object.
 */
export async function download(bucket: string, key: string): Promise<void> {
  const [probe, url] = await Promise.all([
    presign(bucket, { method: PresignedMethod.HEAD, key }),
    downloadUrl(bucket, key),
  ]);
  const answer = await fetch(probe.url, { method: 'HEAD' }).catch(() => {
    throw new TransferError(0, '', 'the connection failed', '');
  });
  if (!answer.ok) throw refusalOf(answer);
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.referrerPolicy = 'no-referrer';
  frame.sandbox.add('allow-downloads');
  frame.src = url;
  document.body.append(frame);
  setTimeout(() => frame.remove(), FRAME_MS);
}
