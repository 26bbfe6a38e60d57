// The fields of a token as a form holds them.

import { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';

import { Permission, type Token } from '../gen/bucketry/v1/token_service_pb.js';

const MIB = 1024 * 1024;

export interface TokenDraft {
  name: string;
  permission: Permission;
  /** One address a line. */
  allowed: string;
  disallowed: string;
  /** Local, as `<input type=datetime-local>` has it; empty: never. */
  expiry: string;
  requestsPerSecond: number | null;
  mebibytesPerDay: number | null;
}

/** What the RPCs take. */
export interface TokenFields {
  name: string;
  allowedIps: string[];
  disallowedIps: string[];
  expireTime: Timestamp | undefined;
  limits: { requestsPerSecond: bigint; bytesPerDay: bigint } | undefined;
}

export function emptyDraft(): TokenDraft {
  return {
    name: '',
    permission: Permission.READ_ONLY,
    allowed: '',
    disallowed: '',
    expiry: '',
    requestsPerSecond: null,
    mebibytesPerDay: null,
  };
}

export function draftOf(token: Token): TokenDraft {
  const limits = token.limits;
  return {
    name: token.name,
    permission: token.permission,
    allowed: token.allowedIps.join('\n'),
    disallowed: token.disallowedIps.join('\n'),
    expiry: token.expireTime === undefined ? '' : localTime(timestampDate(token.expireTime)),
    requestsPerSecond: limits && limits.requestsPerSecond > 0n ? Number(limits.requestsPerSecond) : null,
    mebibytesPerDay: limits && limits.bytesPerDay > 0n ? Number(limits.bytesPerDay) / MIB : null,
  };
}

export function fieldsOf(draft: TokenDraft): TokenFields {
  const requestsPerSecond = BigInt(Math.round(draft.requestsPerSecond ?? 0));
  const bytesPerDay = BigInt(Math.round((draft.mebibytesPerDay ?? 0) * MIB));
  return {
    name: draft.name,
    allowedIps: addresses(draft.allowed),
    disallowedIps: addresses(draft.disallowed),
    expireTime: draft.expiry === '' ? undefined : timestampFromDate(new Date(draft.expiry)),
    limits: requestsPerSecond > 0n || bytesPerDay > 0n ? { requestsPerSecond, bytesPerDay } : undefined,
  };
}

/** The paths whose fields an edit changed. */
export function changedPaths(before: TokenDraft, after: TokenDraft): string[] {
  const paths: string[] = [];
  if (before.name !== after.name) paths.push('name');
  if (before.allowed !== after.allowed) paths.push('allowed_ips');
  if (before.disallowed !== after.disallowed) paths.push('disallowed_ips');
  if (before.expiry !== after.expiry) paths.push('expire_time');
  const limits = ({ requestsPerSecond, mebibytesPerDay }: TokenDraft) => `${requestsPerSecond} ${mebibytesPerDay}`;
  if (limits(before) !== limits(after)) paths.push('limits');
  return paths;
}

function addresses(text: string): string[] {
  return text.split(/[\s,;]+/).filter((entry) => entry !== '');
}

function localTime(date: Date): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day}T${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/**
 * Whether warnings need a second press before saving. That clients of one address family only are allowed is usually
 * intended: it is shown afterwards.
 */
export function needConfirmation(warnings: string[]): boolean {
  return warnings.some((warning) => !/^only IPv[46] is allowed/.test(warning));
}
