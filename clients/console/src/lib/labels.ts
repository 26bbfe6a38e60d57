// Names of the contract's enumerations.

import {
  DecisionReason,
  Permission,
  RequestClass,
  TokenState,
} from '../gen/bucketry/v1/token_service_pb.js';
import type { MessageKey } from './i18n/index.svelte.js';

export const permissionName: Record<Permission, MessageKey> = {
  [Permission.UNSPECIFIED]: 'unknown',
  [Permission.READ_ONLY]: 'permission.readOnly',
  [Permission.WRITE_ONLY]: 'permission.writeOnly',
  [Permission.READ_WRITE]: 'permission.readWrite',
};

export const stateName: Record<TokenState, MessageKey> = {
  [TokenState.UNSPECIFIED]: 'unknown',
  [TokenState.ACTIVE]: 'state.active',
  [TokenState.SUSPENDED]: 'state.suspended',
  [TokenState.EXPIRED]: 'state.expired',
  [TokenState.REVOKED]: 'state.revoked',
  [TokenState.ORPHANED]: 'state.orphaned',
};

export const className: Record<RequestClass, MessageKey> = {
  [RequestClass.UNSPECIFIED]: 'unknown',
  [RequestClass.READ]: 'class.read',
  [RequestClass.LIST]: 'class.list',
  [RequestClass.WRITE]: 'class.write',
  [RequestClass.DELETE]: 'class.delete',
  [RequestClass.OTHER]: 'class.other',
};

export const reasonName: Record<DecisionReason, MessageKey> = {
  [DecisionReason.UNSPECIFIED]: 'unknown',
  [DecisionReason.PERMITTED]: 'reason.permitted',
  [DecisionReason.FOR_ANY_KEY]: 'reason.forAnyKey',
  [DecisionReason.SIGNATURE]: 'reason.signature',
  [DecisionReason.SUSPENDED]: 'reason.suspended',
  [DecisionReason.REVOKED]: 'reason.revoked',
  [DecisionReason.EXPIRED]: 'reason.expired',
  [DecisionReason.ADDRESS_UNKNOWN]: 'reason.addressUnknown',
  [DecisionReason.ADDRESS_DISALLOWED]: 'reason.addressDisallowed',
  [DecisionReason.ADDRESS_NOT_ALLOWED]: 'reason.addressNotAllowed',
  [DecisionReason.OTHER_BUCKET]: 'reason.otherBucket',
  [DecisionReason.PERMISSION]: 'reason.permission',
  [DecisionReason.ADMINISTRATORS_ONLY]: 'reason.administratorsOnly',
  [DecisionReason.OPERATORS_ONLY]: 'reason.operatorsOnly',
  [DecisionReason.POLICY]: 'reason.policy',
  [DecisionReason.REQUEST_LIMIT]: 'reason.requestLimit',
  [DecisionReason.BYTE_LIMIT]: 'reason.byteLimit',
};
