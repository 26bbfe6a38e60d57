// What a writer says of an object, as a form holds it.

import type { Object$ } from '../gen/bucketry/v1/object_pb.js';
import { ConsoleError } from './errors.js';

export interface MetadataDraft {
  contentType: string;
  cacheControl: string;
  contentDisposition: string;
  /** `name: value`, one a line. */
  metadata: string;
}

export function draftOfObject(object: Object$): MetadataDraft {
  const { contentType = '', cacheControl = '', contentDisposition = '', metadata = {} } = object.attributes ?? {};
  const lines = Object.entries(metadata).map(([name, value]) => `${name}: ${value}`);
  return { contentType, cacheControl, contentDisposition, metadata: lines.join('\n') };
}

/** The attributes of the object with those of the form; what the form does not show stays. */
export function attributesOf(object: Object$, draft: MetadataDraft) {
  const { contentEncoding = '', contentLanguage = '', expires = '' } = object.attributes ?? {};
  const websiteRedirectLocation = object.attributes?.websiteRedirectLocation ?? '';
  return {
    contentEncoding,
    contentLanguage,
    expires,
    websiteRedirectLocation,
    contentType: draft.contentType,
    cacheControl: draft.cacheControl,
    contentDisposition: draft.contentDisposition,
    metadata: pairs(draft.metadata),
  };
}

function pairs(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const at = line.indexOf(':');
    if (at <= 0) throw new ConsoleError(line, 'advice.metadataLine');
    found[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim();
  }
  return found;
}
