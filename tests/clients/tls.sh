#!/usr/bin/env bash
# S3 and gRPC over TLS, on one port, with a certificate that only CA_FILE vouches for. The binary comes from
# BUCKETRY_BINARY; server and operator key come from BUCKETRY_ENDPOINT, BUCKETRY_ACCESS_KEY_ID and
# BUCKETRY_SECRET_ACCESS_KEY.
set -euo pipefail

bucket=over-tls
address=${BUCKETRY_ENDPOINT#https://}

fail() {
  echo "tls: $*" >&2
  exit 1
}

step() { echo "--- $*"; }

step 'the command line'
if output=$("$BUCKETRY_BINARY" bucket list 2>&1); then fail 'an unknown certificate was taken'; fi
[[ $output == *--ca-file* ]] || fail "no advice: $output"
if "$BUCKETRY_BINARY" bucket list --endpoint "http://$address" 2>/dev/null; then fail 'plaintext was served'; fi
"$BUCKETRY_BINARY" bucket create "$bucket" --ca-file "$CA_FILE"
export BUCKETRY_CA_FILE=$CA_FILE
"$BUCKETRY_BINARY" token create --bucket "$bucket" --name tls --permission read-write --output env >token.env
set -a
# shellcheck disable=SC1091
source ./token.env
set +a
[[ $AWS_ENDPOINT_URL == https://* ]] || fail "the endpoint is $AWS_ENDPOINT_URL"

step 'curl, over both versions of HTTP'
for version in http1.1 http2; do
  printf 'content by %s' "$version" >sent
  curl --silent --show-error --fail --cacert "$CA_FILE" "--$version" --aws-sigv4 aws:amz:us-east-1:s3 \
    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
    --upload-file sent "$AWS_ENDPOINT_URL/$bucket/$version"
  spoken=$(curl --silent --show-error --fail --cacert "$CA_FILE" "--$version" --aws-sigv4 aws:amz:us-east-1:s3 \
    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
    --output got --write-out '%{http_version}' "$AWS_ENDPOINT_URL/$bucket/$version")
  cmp sent got || fail "what came back by $version differs"
  [[ http$spoken == "$version" ]] || fail "HTTP/$spoken was spoken instead of $version"
done

step 'aws and boto3'
export AWS_CA_BUNDLE=$CA_FILE AWS_DEFAULT_REGION=us-east-1
[[ $(aws s3 cp "s3://$bucket/http2" -) == 'content by http2' ]] || fail 'what came back by aws differs'
python3 - <<'PYTHON'
import os
import ssl
import urllib.request

import boto3
from botocore.config import Config

bucket = os.environ["BUCKET_NAME"]
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
s3.put_object(Bucket=bucket, Key="boto3", Body=b"x" * 100_000)
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "boto3"})
trust = ssl.create_default_context(cafile=os.environ["CA_FILE"])
assert len(urllib.request.urlopen(url, context=trust).read()) == 100_000
PYTHON

step 'grpcurl'
grpcurl -cacert "$CA_FILE" "$address" grpc.health.v1.Health/Check | grep '"SERVING"' >/dev/null || fail 'not serving'
grpcurl -cacert "$CA_FILE" -H "authorization: Bearer $AWS_ACCESS_KEY_ID.$AWS_SECRET_ACCESS_KEY" \
  -d "{\"bucket\": \"$bucket\"}" "$address" bucketry.v1.ObjectService/ListObjects | grep '"boto3"' >/dev/null ||
  fail 'the object is not listed'
echo 'tls: all passed'
