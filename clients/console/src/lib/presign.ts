// URLs by which the browser reads and writes objects at the S3 endpoint.

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CallOptions } from '@connectrpc/connect';

import {
  type PresignedUrl,
  PresignedMethod,
  type PresignedUrlSpecSchema,
} from '../gen/bucketry/v1/object_service_pb.js';
import { objects } from './api.js';
import { ConsoleError } from './errors.js';

export async function presign(
  bucket: string,
  spec: MessageInitShape<typeof PresignedUrlSpecSchema>,
  options: CallOptions = {},
): Promise<PresignedUrl> {
  const { urls } = await objects.createPresignedUrls({ bucket, urls: [spec] }, options);
  const [url] = urls;
  if (url === undefined) throw new ConsoleError('the server made no URL', 'advice.report');
  return url;
}

/** A URL that browsers save as a file instead of showing it. */
export async function downloadUrl(bucket: string, key: string): Promise<string> {
  const contentDisposition = `attachment; filename*=UTF-8''${encoded(fileName(key))}`;
  const spec = { method: PresignedMethod.GET, key, responseOverrides: { contentDisposition } };
  return (await presign(bucket, spec)).url;
}

/** The last segment of a key. */
export function fileName(key: string): string {
  const segments = key.split('/').filter((segment) => segment !== '');
  return segments.at(-1) ?? 'object';
}

/** RFC 8187. */
function encoded(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
