// What went wrong, in a form that a screen can show: words, the server's reason, the request id, the next step.

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { Code, ConnectError } from '@connectrpc/connect';

import type { MessageKey } from './i18n/index.svelte.js';

const ERROR_DOMAIN = 'bucketry';
const ERROR_INFO = 'google.rpc.ErrorInfo';

export interface Problem {
  /** The server's words. */
  message: string;
  /** A name of `ErrorReason` without its prefix, or an S3 error code; empty if the server gave none. */
  reason: string;
  /** Empty if no server answered. */
  requestId: string;
  advice: MessageKey;
  /** For the places in the advice. */
  adviceValues?: Record<string, string>;
  /** The field of the request at fault, as the contract names it; empty: none. */
  field: string;
}

/** A transfer that the S3 endpoint refused or that did not reach it. */
export class TransferError extends Error {
  override readonly name = 'TransferError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
  ) {
    super(message);
  }
}

/** For an answer whose body is not read. */
export function refusalOf(answer: Response): TransferError {
  const requestId = answer.headers.get('x-amz-request-id') ?? '';
  return new TransferError(answer.status, '', answer.statusText || `HTTP ${answer.status}`, requestId);
}

/** An error whose text is a message of the catalogue's own making. */
export class ConsoleError extends Error {
  override readonly name = 'ConsoleError';

  constructor(
    message: string,
    readonly advice: MessageKey,
  ) {
    super(message);
  }
}

export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ConsoleError) {
    return { message: thrown.message, reason: '', requestId: '', advice: thrown.advice, field: '' };
  }
  if (thrown instanceof TransferError) {
    const advice = thrown.status === 0 ? 'advice.dataUnreachable' : adviceOfStatus(thrown.status);
    return { message: thrown.message, reason: thrown.code, requestId: thrown.requestId, advice, field: '' };
  }
  const error = ConnectError.from(thrown);
  const { reason, field } = errorInfoOf(error);
  const requestId = error.metadata.get('x-request-id') ?? '';
  return { message: error.rawMessage, reason, requestId, advice: adviceOf(reason, error, requestId), field };
}

/** The problem at the input of `field`, without the field's name in the contract; empty: none there. */
export function inputError(problem: Problem | undefined, field: string): string {
  if (problem === undefined || problem.field !== field) return '';
  const { message } = problem;
  const named = `${field}: `;
  return message.startsWith(named) ? message.slice(named.length) : message;
}

interface ErrorInfo {
  reason: string;
  domain: string;
  field: string;
}

function errorInfoOf(error: ConnectError): ErrorInfo {
  for (const detail of error.details) {
    if ('type' in detail && detail.type === ERROR_INFO && detail.value instanceof Uint8Array) {
      const info = decodeErrorInfo(detail.value);
      if (info.domain === ERROR_DOMAIN) return info;
    }
  }
  return { reason: '', domain: '', field: '' };
}

const ADVICE: Record<string, MessageKey> = {
  ACCESS_DENIED: 'advice.accessDenied',
  INVALID_ACCESS_KEY_ID: 'advice.invalidKey',
  SIGNATURE_DOES_NOT_MATCH: 'advice.wrongSecret',
  INVALID_TOKEN: 'advice.signInAgain',
  INSECURE_TRANSPORT: 'advice.insecureTransport',
  BUCKET_NOT_EMPTY: 'advice.bucketNotEmpty',
  BUCKET_ALREADY_EXISTS: 'advice.bucketExists',
  INVALID_BUCKET_NAME: 'advice.bucketName',
  NO_SUCH_BUCKET: 'advice.gone',
  NO_SUCH_KEY: 'advice.gone',
  NO_SUCH_TOKEN: 'advice.gone',
  NO_SUCH_UPLOAD: 'advice.uploadGone',
  VERSION_CONFLICT: 'advice.versionConflict',
  TOKEN_REVOKED: 'advice.tokenRevoked',
  TOKEN_USABLE: 'advice.tokenUsable',
  IMMUTABLE_FIELD: 'advice.immutable',
  SLOW_DOWN: 'advice.later',
  BYTE_LIMIT_EXCEEDED: 'advice.byteLimit',
  SERVICE_UNAVAILABLE: 'advice.later',
  LAST_ADMIN_KEY: 'advice.lastAdminKey',
  ACCOUNT_ALREADY_EXISTS: 'advice.accountExists',
};

function adviceOf(reason: string, error: ConnectError, requestId: string): MessageKey {
  const known = ADVICE[reason];
  if (known !== undefined) return known;
  // Without a request id there was no answer of the server: the network failed.
  if (requestId === '' && reason === '') return 'advice.unreachable';
  switch (error.code) {
    case Code.InvalidArgument:
    case Code.OutOfRange:
    case Code.FailedPrecondition:
      return 'advice.correctInput';
    case Code.NotFound:
      return 'advice.gone';
    case Code.PermissionDenied:
      return 'advice.accessDenied';
    case Code.Unauthenticated:
      return 'advice.signInAgain';
    case Code.Unavailable:
    case Code.ResourceExhausted:
    case Code.DeadlineExceeded:
      return 'advice.later';
    default:
      return 'advice.report';
  }
}

function adviceOfStatus(status: number): MessageKey {
  if (status === 403) return 'advice.accessDenied';
  if (status === 404) return 'advice.gone';
  if (status === 503 || status === 429) return 'advice.later';
  return 'advice.report';
}

/** google.rpc.ErrorInfo: reason = 1, domain = 2, metadata = 3, a map, of whose entries `field` is read. */
function decodeErrorInfo(bytes: Uint8Array): ErrorInfo {
  const info = { reason: '', domain: '', field: '' };
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited && field === 1) info.reason = reader.string();
    else if (wireType === WireType.LengthDelimited && field === 2) info.domain = reader.string();
    else if (wireType === WireType.LengthDelimited && field === 3) {
      const { key, value } = decodeMapEntry(reader.bytes());
      if (key === 'field') info.field = value;
    } else reader.skip(wireType, field);
  }
  return info;
}

function decodeMapEntry(bytes: Uint8Array): { key: string; value: string } {
  const entry = { key: '', value: '' };
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited && field === 1) entry.key = reader.string();
    else if (wireType === WireType.LengthDelimited && field === 2) entry.value = reader.string();
    else reader.skip(wireType, field);
  }
  return entry;
}
