// How an object can be shown without letting it act: nothing of it runs on the console's origin.

import { PresignedMethod } from '../gen/bucketry/v1/object_service_pb.js';
import { refusalOf } from './errors.js';
import { presign } from './presign.js';

export type PreviewKind = 'image' | 'audio' | 'video' | 'pdf' | 'text' | 'none';

export interface PreviewPlan {
  kind: PreviewKind;
  /** The type of the answer that is shown. */
  mediaType: string;
}

const TEXT_BYTES = 256 * 1024;
const TEXT_NAME = /\.(txt|md|csv|tsv|json|ya?ml|toml|ini|conf|log|xml|html?|css|m?[jt]sx?|py|rs|go|java|sh|sql)$/i;

const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

/**
 * Chooses by the media type without its parameters. The stored type is never sent back: browsers take a comma for the
 * end of one type and use the last, so that `application/pdf;,text/html` is a page to them.
 */
export function previewPlan(contentType: string, key: string): PreviewPlan {
  if (contentType.includes(',')) return { kind: 'none', mediaType: '' };
  const stored = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const mediaType = MEDIA_TYPE.test(stored) ? stored : '';
  return { kind: kindOf(mediaType, key), mediaType };
}

function kindOf(type: string, key: string): PreviewKind {
  // SVG included: as the source of an `img` it runs no script.
  if (type.startsWith('image/')) return 'image';
  if (type.startsWith('audio/')) return 'audio';
  if (type.startsWith('video/')) return 'video';
  if (type === 'application/pdf') return 'pdf';
  if (type.startsWith('text/') || /\b(json|xml|yaml|javascript)\b/.test(type) || TEXT_NAME.test(key)) return 'text';
  return 'none';
}

/** A URL whose answer has the type of `plan`, which for a frame is a constant: the browser makes no page of it. */
export async function previewUrl(bucket: string, key: string, plan: PreviewPlan): Promise<string> {
  const contentType = plan.kind === 'pdf' ? 'application/pdf' : plan.mediaType;
  const responseOverrides = { contentType, contentDisposition: 'inline' };
  return (await presign(bucket, { method: PresignedMethod.GET, key, responseOverrides })).url;
}

/** The beginning of the content as text, and whether that is all of it. */
export async function previewText(bucket: string, key: string, size: bigint): Promise<{ text: string; whole: boolean }> {
  if (size === 0n) return { text: '', whole: true };
  const { url } = await presign(bucket, { method: PresignedMethod.GET, key });
  const answer = await fetch(url, { headers: { range: `bytes=0-${TEXT_BYTES - 1}` } });
  if (!answer.ok) throw refusalOf(answer);
  return { text: await answer.text(), whole: size <= BigInt(TEXT_BYTES) };
}
