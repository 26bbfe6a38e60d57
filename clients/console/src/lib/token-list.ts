import type { Token } from '../gen/bucketry/v1/token_service_pb.js';
import { all, tokens } from './api.js';

/** The tokens of a bucket, newest first, revoked ones included; with an empty name those whose bucket was deleted. */
export async function listTokens(bucket: string): Promise<Token[]> {
  const oldestFirst = await all(async (pageToken) => {
    const page = await tokens.listTokens({ bucket, pageToken });
    return { items: page.tokens, nextPageToken: page.nextPageToken };
  });
  return oldestFirst.reverse();
}
