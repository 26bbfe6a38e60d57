// Text to paste: what each client needs to use a token, with the token's own values. The settings are those of
// `bucketry token show --snippet`; where writing is allowed, the lines for the AWS CLI also upload an object.

import { type Credentials, Permission } from '../gen/bucketry/v1/token_service_pb.js';

/** What a snippet is made of. */
export interface Setup {
  credentials: Credentials;
  region: string;
  /** The snippet tries nothing that the token may not do. */
  permission: Permission;
}

export interface Snippet {
  name: string;
  text: (setup: Setup) => string;
}

export const snippets: Snippet[] = [
  { name: 'AWS CLI', text: awsCli },
  { name: 'boto3', text: boto3 },
  { name: 'Node.js SDK v3', text: nodeV3 },
  { name: 'Node.js SDK v2', text: nodeV2 },
  { name: 'rclone', text: rclone },
  { name: 's3cmd', text: s3cmd },
  { name: 'grpcurl', text: grpcurl },
  { name: '.env', text: env },
];

const literal = (text: string) => JSON.stringify(text);

const writesOnly = (setup: Setup) => setup.permission === Permission.WRITE_ONLY;

/** One word for a POSIX shell. */
function shellQuote(text: string): string {
  return /^[A-Za-z0-9_./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function lines(...parts: string[]): string {
  return `${parts.join('\n')}\n`;
}

function env({ credentials }: Setup): string {
  return lines(
    `AWS_ENDPOINT_URL=${shellQuote(credentials.endpointUrl)}`,
    `BUCKET_NAME=${shellQuote(credentials.bucket)}`,
    `AWS_ACCESS_KEY_ID=${shellQuote(credentials.accessKeyId)}`,
    `AWS_SECRET_ACCESS_KEY=${shellQuote(credentials.secretAccessKey)}`,
  );
}

/** Uploads first where it may, so that an empty bucket has something to list. */
function awsCli(setup: Setup): string {
  const { credentials, region } = setup;
  const bucket = shellQuote(credentials.bucket);
  return lines(
    `export AWS_ENDPOINT_URL=${shellQuote(credentials.endpointUrl)}`,
    `export AWS_DEFAULT_REGION=${shellQuote(region)}`,
    `export AWS_ACCESS_KEY_ID=${shellQuote(credentials.accessKeyId)}`,
    `export AWS_SECRET_ACCESS_KEY=${shellQuote(credentials.secretAccessKey)}`,
    ...(setup.permission === Permission.READ_ONLY ? [] : [`echo hello | aws s3 cp - s3://${bucket}/hello.txt`]),
    ...(writesOnly(setup) ? [] : [`aws s3 ls s3://${bucket}/`]),
  );
}

function boto3(setup: Setup): string {
  const { credentials, region } = setup;
  const bucket = literal(credentials.bucket);
  const call = writesOnly(setup)
    ? [`s3.put_object(Bucket=${bucket}, Key="hello.txt", Body=b"hello")`]
    : [`for entry in s3.list_objects_v2(Bucket=${bucket}).get("Contents", []):`, '    print(entry["Key"])'];
  return lines(
    'import boto3',
    '',
    's3 = boto3.client(',
    '    "s3",',
    `    endpoint_url=${literal(credentials.endpointUrl)},`,
    `    region_name=${literal(region)},`,
    `    aws_access_key_id=${literal(credentials.accessKeyId)},`,
    `    aws_secret_access_key=${literal(credentials.secretAccessKey)},`,
    ')',
    ...call,
  );
}

/** Without `signatureVersion` this SDK presigns by signature version 2 at every endpoint but Amazon's. */
function nodeV2(setup: Setup): string {
  const { credentials, region } = setup;
  const bucket = literal(credentials.bucket);
  const call = writesOnly(setup)
    ? [
        `s3.putObject({ Bucket: ${bucket}, Key: "hello.txt", Body: "hello" }).promise()`,
        '  .then(() => console.log("stored hello.txt"))',
      ]
    : [
        `s3.listObjectsV2({ Bucket: ${bucket} }).promise()`,
        '  .then((answer) => answer.Contents.forEach((entry) => console.log(entry.Key)))',
      ];
  return lines(
    'const AWS = require("aws-sdk");',
    '',
    'const s3 = new AWS.S3({',
    `  endpoint: ${literal(credentials.endpointUrl)},`,
    `  region: ${literal(region)},`,
    `  accessKeyId: ${literal(credentials.accessKeyId)},`,
    `  secretAccessKey: ${literal(credentials.secretAccessKey)},`,
    '  s3ForcePathStyle: true,',
    "  signatureVersion: 'v4',",
    '});',
    ...call,
    '  .catch((error) => { console.error(error.code, error.message); process.exitCode = 1; });',
  );
}

function nodeV3(setup: Setup): string {
  const { credentials, region } = setup;
  const bucket = literal(credentials.bucket);
  const command = writesOnly(setup) ? 'PutObjectCommand' : 'ListObjectsV2Command';
  const call = writesOnly(setup)
    ? [
        `await s3.send(new PutObjectCommand({ Bucket: ${bucket}, Key: "hello.txt", Body: "hello" }));`,
        'console.log("stored hello.txt");',
      ]
    : [
        `const answer = await s3.send(new ListObjectsV2Command({ Bucket: ${bucket} }));`,
        'for (const entry of answer.Contents ?? []) console.log(entry.Key);',
      ];
  return lines(
    `import { S3Client, ${command} } from "@aws-sdk/client-s3";`,
    '',
    'const s3 = new S3Client({',
    `  endpoint: ${literal(credentials.endpointUrl)},`,
    `  region: ${literal(region)},`,
    '  credentials: {',
    `    accessKeyId: ${literal(credentials.accessKeyId)},`,
    `    secretAccessKey: ${literal(credentials.secretAccessKey)},`,
    '  },',
    '  forcePathStyle: true,',
    '});',
    ...call,
  );
}

/** `no_check_bucket`: a token makes no buckets. `no_head`: a write-only token may not look at what it wrote. */
function rclone(setup: Setup): string {
  const { credentials, region } = setup;
  const { bucket } = credentials;
  const command = writesOnly(setup)
    ? `rclone copyto --ignore-times FILE ${bucket}:${bucket}/hello.txt`
    : `rclone ls ${bucket}:${bucket}`;
  return lines(
    `# ${command}`,
    `[${bucket}]`,
    'type = s3',
    'provider = Other',
    `endpoint = ${credentials.endpointUrl}`,
    `region = ${region}`,
    `access_key_id = ${credentials.accessKeyId}`,
    `secret_access_key = ${credentials.secretAccessKey}`,
    'no_check_bucket = true',
    ...(writesOnly(setup) ? ['no_head = true', 'no_head_object = true'] : []),
  );
}

/** `host_bucket` without `%(bucket)s` addresses buckets by the path. */
function s3cmd(setup: Setup): string {
  const { credentials, region } = setup;
  const { host, protocol } = new URL(credentials.endpointUrl);
  const { bucket } = credentials;
  const command = writesOnly(setup)
    ? `s3cmd -c FILE put hello.txt s3://${bucket}/hello.txt`
    : `s3cmd -c FILE ls s3://${bucket}/`;
  return lines(
    `# ${command}`,
    '[default]',
    `host_base = ${host}`,
    `host_bucket = ${host}`,
    `use_https = ${protocol === 'https:' ? 'True' : 'False'}`,
    `bucket_location = ${region}`,
    `access_key = ${credentials.accessKeyId}`,
    `secret_key = ${credentials.secretAccessKey}`,
  );
}

function grpcurl(setup: Setup): string {
  const { credentials } = setup;
  const { host, protocol } = new URL(credentials.endpointUrl);
  const plaintext = protocol === 'https:' ? '' : '-plaintext ';
  const bearer = `authorization: Bearer ${credentials.accessKeyId}.${credentials.secretAccessKey}`;
  const { bucket } = credentials;
  const method = writesOnly(setup) ? 'PutSmallObject' : 'ListObjects';
  const message = writesOnly(setup) ? { spec: { bucket, key: 'hello.txt' }, data: 'aGVsbG8=' } : { bucket };
  return lines(
    `grpcurl ${plaintext}-H ${shellQuote(bearer)} \\`,
    `  -d ${shellQuote(JSON.stringify(message))} \\`,
    `  ${shellQuote(host)} bucketry.v1.ObjectService/${method}`,
  );
}
