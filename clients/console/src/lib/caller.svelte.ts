// What the key of this session may do. The server decides on every call; this only keeps screens from offering what it
// would refuse.

import type { Bucket } from '../gen/bucketry/v1/bucket_pb.js';
import { CallerKind, Permission } from '../gen/bucketry/v1/token_service_pb.js';
import { all, objects, tokens } from './api.js';
import { ConsoleError } from './errors.js';
import { t } from './i18n/index.svelte.js';
import { permissionName } from './labels.js';

export type Role = 'operator' | 'account' | 'token';

export interface Rights {
  administer: boolean;
  read: boolean;
  write: boolean;
  remove: boolean;
}

const NOTHING: Rights = { administer: false, read: false, write: false, remove: false };
const EVERYTHING: Rights = { administer: true, read: true, write: true, remove: true };

const rightsOfPermission: Record<Permission, Rights> = {
  [Permission.UNSPECIFIED]: NOTHING,
  [Permission.READ_ONLY]: { ...NOTHING, read: true },
  [Permission.WRITE_ONLY]: { ...NOTHING, write: true },
  [Permission.READ_WRITE]: { ...EVERYTHING, administer: false },
};

class Caller {
  role = $state<Role | undefined>(undefined);
  rights = $state<Rights>(EVERYTHING);
  /** The bucket of a token; else empty. */
  bucket = $state('');
  #permission = $state<Permission>(Permission.UNSPECIFIED);

  async find(): Promise<void> {
    const { kind, bucket, permission } = await tokens.describeCaller({});
    const role = roleOf(kind);
    this.rights = role === 'token' ? rightsOfPermission[permission] : EVERYTHING;
    this.bucket = bucket;
    this.#permission = permission;
    this.role = role;
  }

  forget(): void {
    this.role = undefined;
    this.rights = EVERYTHING;
    this.bucket = '';
  }

  /** The kind of the key in words; empty before it is known. */
  get kindName(): string {
    switch (this.role) {
      case 'operator':
        return t('kind.operator');
      case 'account':
        return t('kind.account');
      case 'token':
        return t('kind.token', { permission: t(permissionName[this.#permission]) });
      case undefined:
        return '';
    }
  }
}

export const caller = new Caller();

export function listBuckets(): Promise<Bucket[]> {
  return all(async (pageToken) => {
    const page = await objects.listBuckets({ pageToken });
    return { items: page.buckets, nextPageToken: page.nextPageToken };
  });
}

function roleOf(kind: CallerKind): Role {
  switch (kind) {
    case CallerKind.OPERATOR:
      return 'operator';
    case CallerKind.ACCOUNT:
      return 'account';
    case CallerKind.TOKEN:
      return 'token';
    case CallerKind.EDGE:
    case CallerKind.UNSPECIFIED:
      throw new ConsoleError('this kind of key cannot use the console', 'advice.accessDenied');
  }
}
