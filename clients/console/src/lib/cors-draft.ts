// Cross-origin rules as a form holds them: lists one entry a line.

import type { CorsRule } from '../gen/bucketry/v1/bucket_pb.js';

export const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'];

export interface RuleDraft {
  id: string;
  origins: string;
  methods: string[];
  headers: string;
  expose: string;
  maxAgeSeconds: number | null;
}

export function emptyRule(): RuleDraft {
  return { id: '', origins: '', methods: ['GET', 'HEAD'], headers: '', expose: '', maxAgeSeconds: null };
}

export function draftOfRule(rule: CorsRule): RuleDraft {
  return {
    id: rule.id,
    origins: rule.allowedOrigins.join('\n'),
    methods: [...rule.allowedMethods],
    headers: rule.allowedHeaders.join('\n'),
    expose: rule.exposeHeaders.join('\n'),
    maxAgeSeconds: rule.maxAgeSeconds ?? null,
  };
}

export function ruleOfDraft(draft: RuleDraft) {
  return {
    id: draft.id,
    allowedOrigins: entries(draft.origins),
    allowedMethods: METHODS.filter((method) => draft.methods.includes(method)),
    allowedHeaders: entries(draft.headers),
    exposeHeaders: entries(draft.expose),
    maxAgeSeconds: draft.maxAgeSeconds ?? undefined,
  };
}

function entries(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== '');
}
