import { createHash, type Hash } from 'node:crypto';

import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { type Client as RpcClient, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';

import { BucketryError, ErrorKind, toBucketryError } from './errors.js';
import {
  type AdminKey,
  AdminService,
  type CreateAccountKeyResponse,
  type CreateAccountResponse,
} from './gen/bucketry/v1/admin_service_pb.js';
import type { Bucket } from './gen/bucketry/v1/bucket_pb.js';
import {
  type Checksum,
  ChecksumAlgorithm,
  ChecksumType,
  type Object$,
  type PreconditionSchema,
} from './gen/bucketry/v1/object_pb.js';
import {
  type GetObjectResponse,
  type ListObjectsResponse,
  ObjectService,
  type PresignedUrl,
  type PresignedUrlSpecSchema,
  type PutObjectRequest,
  PutObjectRequestSchema,
  type SearchObjectsRequestSchema,
  type SearchObjectsResponse,
} from './gen/bucketry/v1/object_service_pb.js';
import {
  type CloneTokenResponse,
  type CreateTokenResponse,
  type GetTokenUsageResponse,
  type Permission,
  type Token,
  type TokenDenial,
  type TokenLimitsSchema,
  TokenService,
  type UpdateTokenResponse,
} from './gen/bucketry/v1/token_service_pb.js';

/** Small enough for processor caches, and under the contract's limit of 2 MiB. */
const CHUNK_BYTES = 1024 * 1024;
/** Room for a chunk of 2 MiB and its frame. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** The server and the key. */
export interface ClientOptions {
  /** `http://host:port` or `https://host:port`. */
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Bounds each call but streams of content; 60,000 by default. */
  timeoutMs?: number;
}

/** The settings of a new token. */
export interface TokenOptions {
  bucket: string;
  name: string;
  permission: Permission;
  allowedIps?: string[];
  disallowedIps?: string[];
  expiresAt?: Date;
  limits?: MessageInitShape<typeof TokenLimitsSchema>;
}

/** The fields of a token that can be edited. */
export type TokenField = 'name' | 'allowed_ips' | 'disallowed_ips' | 'expire_time' | 'limits';

/** The attributes of an object and the condition of its write. */
export interface PutOptions {
  contentType?: string;
  metadata?: Record<string, string>;
  precondition?: MessageInitShape<typeof PreconditionSchema>;
}

/** A part of an object, in bytes. */
export interface Range {
  /** The first byte; negative: that many at the end. */
  start: number;
  /** The last byte, inclusive; the end of the object if absent. */
  end?: number;
}

/** An object being read. `content` can be read once; where all of it is read, it is verified by the store's checksum. */
export interface Download {
  object: Object$;
  contentLength: number;
  content: AsyncIterable<Uint8Array>;
  /** All of the content. */
  read(): Promise<Buffer>;
}

type Content = string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Calls one server with one key. Every method rejects with a `BucketryError`. */
export class Client {
  readonly #objects: RpcClient<typeof ObjectService>;
  readonly #tokens: RpcClient<typeof TokenService>;
  readonly #admin: RpcClient<typeof AdminService>;
  readonly #timeoutMs: number;

  constructor(options: ClientOptions) {
    const transport = connect(options);
    this.#objects = createClient(ObjectService, transport);
    this.#tokens = createClient(TokenService, transport);
    this.#admin = createClient(AdminService, transport);
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  /** Creates a bucket; repeated by its owner it changes nothing. */
  async createBucket(bucket: string): Promise<Bucket> {
    const answer = await this.#call((options) => this.#objects.createBucket({ bucket }, options));
    return present(answer.bucket);
  }

  /** Deletes an empty bucket. */
  async deleteBucket(bucket: string): Promise<void> {
    await this.#call((options) => this.#objects.deleteBucket({ bucket }, options));
  }

  /** The caller's buckets by name; a token sees its one. */
  async *listBuckets(prefix = ''): AsyncGenerator<Bucket> {
    let pageToken = '';
    do {
      const page = await this.#call((options) => this.#objects.listBuckets({ prefix, pageToken }, options));
      yield* page.buckets;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Creates an account with its first administrator key. For operators. */
  createAccount(displayName: string): Promise<CreateAccountResponse> {
    return this.#call((options) => this.#admin.createAccount({ displayName }, options));
  }

  /** Creates another administrator key of an account: of the caller's own, or, for operators, of the one named. */
  createAccountKey(name: string, accountId = ''): Promise<CreateAccountKeyResponse> {
    return this.#call((options) => this.#admin.createAccountKey({ name, accountId }, options));
  }

  /** The keys that the caller administers, oldest first, revoked ones included; or those of the account named. */
  async *listAdminKeys(accountId = ''): AsyncGenerator<AdminKey> {
    let pageToken = '';
    do {
      const page = await this.#call((options) => this.#admin.listAdminKeys({ accountId, pageToken }, options));
      yield* page.keys;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Revokes a key permanently, by its id or access key id; an account keeps its last usable administrator key. */
  async revokeAdminKey(keyId: string): Promise<AdminKey> {
    const answer = await this.#call((options) => this.#admin.revokeAdminKey({ keyId }, options));
    return present(answer.key);
  }

  /** Creates a token of a bucket; `credentials` in the answer are for its user, `warnings` for the caller. */
  createToken({ expiresAt, ...token }: TokenOptions): Promise<CreateTokenResponse> {
    const expireTime = expiresAt === undefined ? undefined : timestampFromDate(expiresAt);
    return this.#call((options) => this.#tokens.createToken({ ...token, expireTime }, options));
  }

  /** The tokens of a bucket, oldest first, revoked ones included. */
  async *listTokens(bucket: string): AsyncGenerator<Token> {
    let pageToken = '';
    do {
      const page = await this.#call((options) => this.#tokens.listTokens({ bucket, pageToken }, options));
      yield* page.tokens;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** A token without its secret. Here and below `tokenId` may be its access key id, and `bucket` may be empty. */
  async getToken(bucket: string, tokenId: string): Promise<Token> {
    const answer = await this.#call((options) => this.#tokens.getToken({ bucket, tokenId }, options));
    return present(answer.token);
  }

  /** Edits the `fields` as they are in `token`; refused as a conflict if another edit came since it was read. */
  updateToken(token: Token, ...fields: TokenField[]): Promise<UpdateTokenResponse> {
    const request = { token, updateMask: { paths: fields } };
    return this.#call((options) => this.#tokens.updateToken(request, options));
  }

  /** Creates a token with the same settings and a new key: the way to rotate. */
  cloneToken(bucket: string, tokenId: string, name = ''): Promise<CloneTokenResponse> {
    return this.#call((options) => this.#tokens.cloneToken({ bucket, tokenId, name }, options));
  }

  /** Suspends a token until it is resumed. */
  async suspendToken(bucket: string, tokenId: string): Promise<Token> {
    const answer = await this.#call((options) => this.#tokens.suspendToken({ bucket, tokenId }, options));
    return present(answer.token);
  }

  /** Resumes a suspended token. */
  async resumeToken(bucket: string, tokenId: string): Promise<Token> {
    const answer = await this.#call((options) => this.#tokens.resumeToken({ bucket, tokenId }, options));
    return present(answer.token);
  }

  /** What a token has done, by hour; of the last 7 days by default. */
  tokenUsage(bucket: string, tokenId: string, from?: Date, to?: Date): Promise<GetTokenUsageResponse> {
    const startTime = from === undefined ? undefined : timestampFromDate(from);
    const endTime = to === undefined ? undefined : timestampFromDate(to);
    return this.#call((options) => this.#tokens.getTokenUsage({ bucket, tokenId, startTime, endTime }, options));
  }

  /** The latest refused requests of a token, newest first. */
  async tokenDenials(bucket: string, tokenId: string): Promise<TokenDenial[]> {
    return (await this.#call((options) => this.#tokens.listTokenDenials({ bucket, tokenId }, options))).denials;
  }

  /** Deletes the record of a token that can no longer be used, with its usage. */
  async purgeToken(bucket: string, tokenId: string): Promise<void> {
    await this.#call((options) => this.#tokens.purgeToken({ bucket, tokenId }, options));
  }

  /** Revokes a token permanently. */
  async revokeToken(bucket: string, tokenId: string): Promise<Token> {
    const answer = await this.#call((options) => this.#tokens.revokeToken({ bucket, tokenId }, options));
    return present(answer.token);
  }

  /** Writes an object. It becomes visible when the server has received all of it and verified its SHA-256. */
  async putObject(bucket: string, key: string, content: Content, options: PutOptions = {}): Promise<Object$> {
    const spec = create(PutObjectRequestSchema, {
      message: {
        case: 'spec',
        value: {
          bucket,
          key,
          attributes: { contentType: options.contentType ?? '', metadata: options.metadata ?? {} },
          precondition: options.precondition,
          checksumAlgorithm: ChecksumAlgorithm.SHA256,
        },
      },
    });
    try {
      return present((await this.#objects.putObject(putMessages(spec, content))).object);
    } catch (thrown) {
      throw toBucketryError(thrown);
    }
  }

  /** Begins to read an object or a range of it. */
  async getObject(bucket: string, key: string, range?: Range): Promise<Download> {
    const wanted =
      range === undefined
        ? undefined
        : { start: BigInt(range.start), end: range.end === undefined ? undefined : BigInt(range.end) };
    const answers = this.#objects.getObject({ bucket, key, range: wanted })[Symbol.asyncIterator]();
    const first = await next(answers);
    if (first?.message.case !== 'header') throw corrupt('the answer does not begin with a header');
    const header = first.message.value;
    const object = present(header.object);
    const contentLength = Number(header.contentLength);
    const whole = header.contentRange === undefined;
    const content = received(answers, contentLength, whole ? object.checksum : undefined);
    return {
      object,
      contentLength,
      content,
      async read() {
        const chunks: Uint8Array[] = [];
        for await (const chunk of content) chunks.push(chunk);
        return Buffer.concat(chunks);
      },
    };
  }

  /** An object without its content. */
  async headObject(bucket: string, key: string): Promise<Object$> {
    const answer = await this.#call((options) => this.#objects.headObject({ object: { bucket, key } }, options));
    return present(answer.header?.object);
  }

  /** Copies an object on the server, with its attributes. */
  async copyObject(bucket: string, key: string, source: { bucket: string; key: string }): Promise<Object$> {
    try {
      return present((await this.#objects.copyObject({ bucket, key, source })).object);
    } catch (thrown) {
      throw toBucketryError(thrown);
    }
  }

  /** Deletes an object. A missing one is refused as not found. */
  async deleteObject(bucket: string, key: string): Promise<void> {
    await this.#call((options) => this.#objects.deleteObject({ bucket, key }, options));
  }

  /**
   * URLs by which others may read or write objects of the bucket without a key, in the order of `urls`; at most 1,000. A
   * request must have the `headers` of its URL.
   */
  async createPresignedUrls(
    bucket: string,
    urls: MessageInitShape<typeof PresignedUrlSpecSchema>[],
  ): Promise<PresignedUrl[]> {
    return (await this.#call((options) => this.#objects.createPresignedUrls({ bucket, urls }, options))).urls;
  }

  /** The objects whose keys begin with `prefix`, in byte order; pages are fetched as they are needed. */
  async *listObjects(bucket: string, prefix = ''): AsyncGenerator<Object$> {
    for await (const page of this.#pages(bucket, prefix, '')) yield* page.objects;
  }

  /**
   * Pages of the objects whose keys begin with `prefix` and contain `contains`, in the order given. Each page says how
   * much the server looked at (`coverage`); in key order a page may be empty although others follow.
   */
  async *searchObjects(
    bucket: string,
    search: Omit<MessageInitShape<typeof SearchObjectsRequestSchema>, '$typeName' | 'bucket' | 'pageToken'> = {},
  ): AsyncGenerator<SearchObjectsResponse> {
    let pageToken = '';
    do {
      const request = { ...search, bucket, pageToken };
      const page = await this.#call((options) => this.#objects.searchObjects(request, options));
      yield page;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** What lies directly below `prefix`: the rolled-up prefixes and the objects. */
  async listFolder(bucket: string, prefix = '', delimiter = '/'): Promise<{ folders: string[]; objects: Object$[] }> {
    const found: { folders: string[]; objects: Object$[] } = { folders: [], objects: [] };
    for await (const page of this.#pages(bucket, prefix, delimiter)) {
      found.folders.push(...page.commonPrefixes);
      found.objects.push(...page.objects);
    }
    return found;
  }

  async *#pages(bucket: string, prefix: string, delimiter: string): AsyncGenerator<ListObjectsResponse> {
    let pageToken = '';
    do {
      const request = { bucket, prefix, delimiter, pageToken };
      const page = await this.#call((options) => this.#objects.listObjects(request, options));
      yield page;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  async #call<Answer>(run: (options: { timeoutMs: number }) => Promise<Answer>): Promise<Answer> {
    try {
      return await run({ timeoutMs: this.#timeoutMs });
    } catch (thrown) {
      throw toBucketryError(thrown);
    }
  }
}

function connect({ endpoint, accessKeyId, secretAccessKey }: ClientOptions): Transport {
  const authorize: Interceptor = (proceed) => (request) => {
    request.header.set('authorization', `Bearer ${accessKeyId}.${secretAccessKey}`);
    return proceed(request);
  };
  return createGrpcTransport({
    baseUrl: endpoint,
    interceptors: [authorize],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
  });
}

async function* putMessages(spec: PutObjectRequest, content: Content): AsyncGenerator<PutObjectRequest> {
  yield spec;
  const digest = createHash('sha256');
  let offset = 0n;
  for await (const data of chunks(content)) {
    digest.update(data);
    yield create(PutObjectRequestSchema, { message: { case: 'chunk', value: { offset, data } } });
    offset += BigInt(data.length);
  }
  const checksum = {
    algorithm: ChecksumAlgorithm.SHA256,
    value: new Uint8Array(digest.digest()),
    type: ChecksumType.FULL_OBJECT,
  };
  yield create(PutObjectRequestSchema, { message: { case: 'digests', value: { checksum } } });
}

/** Pieces that a message may carry. */
async function* chunks(content: Content): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  for await (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) yield piece.subarray(at, at + CHUNK_BYTES);
  }
}

async function next(answers: AsyncIterator<GetObjectResponse>): Promise<GetObjectResponse | undefined> {
  try {
    const result = await answers.next();
    return result.done === true ? undefined : result.value;
  } catch (thrown) {
    throw toBucketryError(thrown);
  }
}

async function* received(
  answers: AsyncIterator<GetObjectResponse>,
  contentLength: number,
  checksum: Checksum | undefined,
): AsyncGenerator<Uint8Array> {
  const digest = checksum === undefined ? undefined : hashOf(checksum);
  let length = 0;
  try {
    for (let answer = await next(answers); answer !== undefined; answer = await next(answers)) {
      if (answer.message.case !== 'chunk') throw corrupt('the answer has something else than content');
      const { data } = answer.message.value;
      length += data.length;
      digest?.update(data);
      yield data;
    }
  } finally {
    // A reader that stops early cancels the call.
    await answers.return?.();
  }
  if (length !== contentLength) throw corrupt('the content is shorter or longer than announced');
  if (digest !== undefined && checksum !== undefined && !digest.digest().equals(checksum.value)) {
    throw corrupt('the content does not have its checksum');
  }
}

/** Nothing, if the store's checksum is of a kind that Node.js cannot compute by itself. */
function hashOf(checksum: Checksum): Hash | undefined {
  if (checksum.type === ChecksumType.COMPOSITE) return undefined;
  if (checksum.algorithm === ChecksumAlgorithm.SHA256) return createHash('sha256');
  if (checksum.algorithm === ChecksumAlgorithm.SHA1) return createHash('sha1');
  if (checksum.algorithm === ChecksumAlgorithm.SHA512) return createHash('sha512');
  if (checksum.algorithm === ChecksumAlgorithm.MD5) return createHash('md5');
  return undefined;
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw corrupt('the answer lacks what it is about');
  return value;
}

function corrupt(message: string): BucketryError {
  return new BucketryError(ErrorKind.Corrupt, '', message);
}
