export { Client, type ClientOptions, type Download, type PutOptions, type Range, type TokenOptions } from './client.js';
export { BucketryError, ErrorKind } from './errors.js';
export { Permission, TokenState } from './gen/bucketry/v1/token_service_pb.js';
