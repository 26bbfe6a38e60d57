// The server's services, called with the session of this tab.

import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';

import { AdminService } from '../gen/bucketry/v1/admin_service_pb.js';
import { ObjectService } from '../gen/bucketry/v1/object_service_pb.js';
import { TokenService } from '../gen/bucketry/v1/token_service_pb.js';
import { problemOf } from './errors.js';
import { session } from './session.svelte.js';
import { transport } from './transport.js';

/** Sends the session, and repeats the call after the same user has signed in again. */
const withSession: Interceptor = (proceed) => async (request) => {
  const { generation } = session;
  for (;;) {
    const { token } = session;
    request.header.set('authorization', `Bearer ${token}`);
    try {
      return await proceed(request);
    } catch (thrown) {
      const ended = ConnectError.from(thrown).code === Code.Unauthenticated;
      if (!ended || session.generation !== generation) throw thrown;
      // Another call may have renewed the session meanwhile.
      if (token === session.token) await session.renewal(thrown, problemOf(thrown));
      if (session.generation !== generation) throw thrown;
    }
  }
};

const authenticated = transport(withSession);

export const objects = createClient(ObjectService, authenticated);
export const tokens = createClient(TokenService, authenticated);
export const admin = createClient(AdminService, authenticated);

/** The items of all pages. */
export async function all<Item>(
  page: (pageToken: string) => Promise<{ items: Item[]; nextPageToken: string }>,
): Promise<Item[]> {
  const found: Item[] = [];
  let pageToken = '';
  do {
    const { items, nextPageToken } = await page(pageToken);
    found.push(...items);
    pageToken = nextPageToken;
  } while (pageToken !== '');
  return found;
}
