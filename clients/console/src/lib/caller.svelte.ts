// What the key of this session may do. The server decides on every call; this only keeps screens from offering what it
// would refuse.

import { ConnectError } from '@connectrpc/connect';

import type { Bucket } from '../gen/bucketry/v1/bucket_pb.js';
import { admin, all, isDenied, objects } from './api.js';
import { reasonOf } from './errors.js';

export type Role = 'operator' | 'account' | 'token';

export interface Rights {
  administer: boolean;
  read: boolean;
  write: boolean;
  remove: boolean;
}

const EVERYTHING: Rights = { administer: true, read: true, write: true, remove: true };

class Caller {
  role = $state<Role | undefined>(undefined);
  rights = $state<Rights>(EVERYTHING);

  async find(): Promise<void> {
    const buckets = await listBuckets();
    const [own] = buckets;
    // Statistics are shown to administrators only, and a token sees exactly its own bucket.
    if (buckets.length === 1 && own !== undefined && own.statistics === undefined) {
      this.rights = await rightsOfToken(own.name);
      this.role = 'token';
    } else {
      this.rights = EVERYTHING;
      this.role = (await permitted(admin.getKeyring({}))) ? 'operator' : 'account';
    }
  }

  forget(): void {
    this.role = undefined;
    this.rights = EVERYTHING;
  }
}

export const caller = new Caller();

export function listBuckets(): Promise<Bucket[]> {
  return all(async (pageToken) => {
    const page = await objects.listBuckets({ pageToken });
    return { items: page.buckets, nextPageToken: page.nextPageToken };
  });
}

/** By calls that only check. What is refused here is recorded among the token's denials. */
async function rightsOfToken(bucket: string): Promise<Rights> {
  const read = await permitted(objects.listObjects({ bucket, validateOnly: true }));
  // An upload that does not exist is found missing only after the permission was checked. Who may not read may write.
  const write = !read || (await permitted(objects.listParts({ bucket, key: '-', uploadId: '-', validateOnly: true })));
  return { administer: false, read, write, remove: read && write };
}

async function permitted(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (thrown) {
    if (isDenied(thrown)) return false;
    // Any other refusal by the server comes after the decision on access.
    if (reasonOf(ConnectError.from(thrown)) === '') throw thrown;
    return true;
  }
}
