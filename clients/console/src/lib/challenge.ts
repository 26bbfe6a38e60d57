// The bytes of a sign-in by challenge. They are specified at AnswerChallengeRequest in the contract.

import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const PURPOSE = 'client';

/** What both sides know before the answer. */
export interface Challenge {
  accessKeyId: string;
  clientNonce: Uint8Array;
  serverNonce: Uint8Array;
  endpoint: string;
}

/** The session that the server's proof covers. */
export interface ProvenSession {
  sessionToken: string;
  expireTime: Timestamp;
  lifetimeSeconds: number;
}

export function challengeKey(secret: string): Uint8Array {
  return hmac(sha256, utf8ToBytes('bucketry challenge v1'), utf8ToBytes(secret));
}

export function answerSignature(key: Uint8Array, challenge: Challenge): Uint8Array {
  return hmac(sha256, key, fields('bucketry challenge v1 answer', ...challengeFields(challenge)));
}

export function serverProof(key: Uint8Array, challenge: Challenge, session: ProvenSession): Uint8Array {
  const expiry = new DataView(new ArrayBuffer(12));
  expiry.setBigInt64(0, session.expireTime.seconds);
  expiry.setInt32(8, session.expireTime.nanos);
  const proven = fields(
    'bucketry challenge v1 proof',
    ...challengeFields(challenge),
    session.sessionToken,
    new Uint8Array(expiry.buffer),
    bigEndian(session.lifetimeSeconds),
  );
  return hmac(sha256, key, proven);
}

/** Compares without an early exit. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at += 1) difference |= (one[at] ?? 0) ^ (other[at] ?? 0);
  return difference === 0;
}

function challengeFields(challenge: Challenge): (string | Uint8Array)[] {
  return [challenge.accessKeyId, challenge.clientNonce, challenge.serverNonce, challenge.endpoint, PURPOSE];
}

function fields(...values: (string | Uint8Array)[]): Uint8Array {
  const bytes = values.map((value) => (typeof value === 'string' ? utf8ToBytes(value) : value));
  return concatBytes(...bytes.flatMap((value) => [bigEndian(value.length), value]));
}

function bigEndian(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return new Uint8Array(view.buffer);
}
