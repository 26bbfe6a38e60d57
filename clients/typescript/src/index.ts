export {
  Client,
  type ClientOptions,
  type Download,
  type PutOptions,
  type Range,
  type TokenField,
  type TokenOptions,
} from './client.js';
export { BucketryError, ErrorKind } from './errors.js';
export { ObjectOrder, PresignedMethod, SearchCoverage } from './gen/bucketry/v1/object_service_pb.js';
export { DecisionReason, Permission, TokenState } from './gen/bucketry/v1/token_service_pb.js';
