import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { Code, ConnectError } from '@connectrpc/connect';

const ERROR_DOMAIN = 'bucketry';
const ERROR_INFO = 'google.rpc.ErrorInfo';

/** The kind of an error. */
export enum ErrorKind {
  /** No such bucket, object, upload or token. */
  NotFound = 'not_found',
  /** The key may not do this here. */
  AccessDenied = 'access_denied',
  /** No such key, or a wrong secret, or a key that is suspended, expired or revoked. */
  InvalidCredentials = 'invalid_credentials',
  /** The request is not valid. */
  InvalidArgument = 'invalid_argument',
  /** A condition of the request does not hold. */
  PreconditionFailed = 'precondition_failed',
  /** The request conflicts with the current state, such as an existing name. */
  Conflict = 'conflict',
  /** The server is out of reach or asks to be called later. */
  Unavailable = 'unavailable',
  /** What was received is not what was stored. */
  Corrupt = 'corrupt',
  /** Anything else. */
  Other = 'other',
}

/** A call that the server refused or that did not reach it. */
export class BucketryError extends Error {
  override readonly name = 'BucketryError';

  constructor(
    readonly kind: ErrorKind,
    /** Why: a name of `ErrorReason` without its prefix, as in `NO_SUCH_KEY`; empty if it is not the server's own. */
    readonly reason: string,
    message: string,
    /** What the reason is about. */
    readonly metadata: ReadonlyMap<string, string> = new Map(),
    options?: ErrorOptions,
  ) {
    super(reason === '' ? message : `${reason}: ${message}`, options);
  }
}

/** The typed error of a failed call. */
export function toBucketryError(thrown: unknown): BucketryError {
  if (thrown instanceof BucketryError) return thrown;
  const error = ConnectError.from(thrown);
  const { reason, metadata } = errorInfo(error);
  return new BucketryError(kindOf(error.code), reason, error.rawMessage, metadata, { cause: error });
}

function kindOf(code: Code): ErrorKind {
  switch (code) {
    case Code.NotFound:
      return ErrorKind.NotFound;
    case Code.PermissionDenied:
      return ErrorKind.AccessDenied;
    case Code.Unauthenticated:
      return ErrorKind.InvalidCredentials;
    case Code.InvalidArgument:
    case Code.OutOfRange:
      return ErrorKind.InvalidArgument;
    case Code.FailedPrecondition:
      return ErrorKind.PreconditionFailed;
    case Code.AlreadyExists:
    case Code.Aborted:
      return ErrorKind.Conflict;
    case Code.Unavailable:
    case Code.ResourceExhausted:
      return ErrorKind.Unavailable;
    default:
      return ErrorKind.Other;
  }
}

interface ErrorInfo {
  reason: string;
  domain: string;
  metadata: Map<string, string>;
}

function errorInfo(error: ConnectError): ErrorInfo {
  for (const detail of error.details) {
    if ('type' in detail && detail.type === ERROR_INFO && detail.value instanceof Uint8Array) {
      const info = decodeErrorInfo(detail.value);
      if (info.domain === ERROR_DOMAIN) return info;
    }
  }
  return { reason: '', domain: '', metadata: new Map() };
}

/** google.rpc.ErrorInfo: reason = 1, domain = 2, map<string, string> metadata = 3. */
function decodeErrorInfo(bytes: Uint8Array): ErrorInfo {
  const info: ErrorInfo = { reason: '', domain: '', metadata: new Map() };
  eachField(bytes, (field, reader) => {
    if (field === 1) info.reason = reader.string();
    else if (field === 2) info.domain = reader.string();
    else if (field === 3) {
      const entry: Record<number, string> = {};
      eachField(reader.bytes(), (part, inner) => {
        entry[part] = inner.string();
      });
      info.metadata.set(entry[1] ?? '', entry[2] ?? '');
    } else return false;
    return true;
  });
  return info;
}

function eachField(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => boolean | void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited || take(field, reader) === false) reader.skip(wireType, field);
  }
}
