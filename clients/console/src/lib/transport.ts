import type { Interceptor, Transport } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';

const TIMEOUT_MS = 60_000;

/** gRPC-Web to the server that this page comes from. */
export function transport(...interceptors: Interceptor[]): Transport {
  return createGrpcWebTransport({ baseUrl: location.origin, interceptors, defaultTimeoutMs: TIMEOUT_MS });
}
