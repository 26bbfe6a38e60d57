// How an object can be shown without letting it act: nothing of it runs on the console's origin.

import { PresignedMethod } from '../gen/bucketry/v1/object_service_pb.js';
import { TransferError } from './errors.js';
import { presign } from './presign.js';

export type PreviewKind = 'image' | 'audio' | 'video' | 'pdf' | 'text' | 'none';

const TEXT_BYTES = 256 * 1024;
const TEXT_NAME = /\.(txt|md|csv|tsv|json|ya?ml|toml|ini|conf|log|xml|html?|css|m?[jt]sx?|py|rs|go|java|sh|sql)$/i;

export function previewKind(contentType: string, key: string): PreviewKind {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type.startsWith('image/')) return 'image';
  if (type.startsWith('audio/')) return 'audio';
  if (type.startsWith('video/')) return 'video';
  if (type === 'application/pdf') return 'pdf';
  if (type.startsWith('text/') || /\b(json|xml|yaml|javascript)\b/.test(type) || TEXT_NAME.test(key)) return 'text';
  return 'none';
}

/** A URL whose answer has the type that was decided on here: a PDF's can then be nothing but a PDF. */
export async function previewUrl(bucket: string, key: string, contentType: string): Promise<string> {
  const responseOverrides = { contentType, contentDisposition: 'inline' };
  return (await presign(bucket, { method: PresignedMethod.GET, key, responseOverrides })).url;
}

/** The beginning of the content as text, and whether that is all of it. */
export async function previewText(bucket: string, key: string, size: bigint): Promise<{ text: string; whole: boolean }> {
  if (size === 0n) return { text: '', whole: true };
  const { url } = await presign(bucket, { method: PresignedMethod.GET, key });
  const answer = await fetch(url, { headers: { range: `bytes=0-${TEXT_BYTES - 1}` } });
  if (!answer.ok) {
    const requestId = answer.headers.get('x-amz-request-id') ?? '';
    throw new TransferError(answer.status, '', answer.statusText, requestId);
  }
  return { text: await answer.text(), whole: size <= BigInt(TEXT_BYTES) };
}
