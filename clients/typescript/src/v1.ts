/** The messages and services of the contract, version 1. */
export * from './gen/bucketry/v1/admin_service_pb.js';
export * from './gen/bucketry/v1/bucket_pb.js';
export * from './gen/bucketry/v1/errors_pb.js';
export * from './gen/bucketry/v1/object_pb.js';
export * from './gen/bucketry/v1/object_service_pb.js';
export * from './gen/bucketry/v1/token_service_pb.js';
