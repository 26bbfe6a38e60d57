#!/usr/bin/env bash
# The whole quick start with grpcurl alone: it knows the contract by reflection only.
# Endpoint and operator key come from BUCKETRY_ENDPOINT, BUCKETRY_ACCESS_KEY_ID and BUCKETRY_SECRET_ACCESS_KEY.
set -euo pipefail

address=${BUCKETRY_ENDPOINT#http://}
operator=$BUCKETRY_ACCESS_KEY_ID.$BUCKETRY_SECRET_ACCESS_KEY
bucket=quick-start

fail() {
  echo "grpcurl: $*" >&2
  exit 1
}

step() { echo "--- $*"; }

# $1: credentials; $2: method; $3: the request in JSON.
call() { grpcurl -plaintext -H "authorization: Bearer $1" -d "$3" "$address" "bucketry.v1.$2"; }

# $1: a path in the JSON of standard input, as in token.tokenId.
field() {
  python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[int(name)] if name.isdigit() else value[name]
print(value)' "$1"
}

# $1: the reason that the refusal must carry; the rest: a call.
refused() {
  local reason=$1 output
  shift
  if output=$(call "$@" 2>&1); then fail "was not refused: $2"; fi
  [[ $output == *"$reason"* ]] || fail "refused otherwise than by $reason: $output"
}

step 'reflection, both versions'
services=$(grpcurl -plaintext "$address" list)
for service in ObjectService TokenService AdminService; do
  grep -qx "bucketry.v1.$service" <<<"$services" || fail "$service is not listed: $services"
done
for version in v1 v1alpha; do
  grep -qx "grpc.reflection.$version.ServerReflection" <<<"$services" || fail "no reflection $version: $services"
  grpcurl -plaintext -d '{"list_services": ""}' "$address" \
    "grpc.reflection.$version.ServerReflection/ServerReflectionInfo" | grep 'bucketry.v1.ObjectService' >/dev/null ||
    fail "reflection $version lists no services"
done
grpcurl -plaintext "$address" describe bucketry.v1.ObjectService | grep PutSmallObjectRequest >/dev/null ||
  fail 'the service is not described'

step 'health and capabilities, without a key'
grpcurl -plaintext "$address" grpc.health.v1.Health/Check | grep '"SERVING"' >/dev/null || fail 'not serving'
grpcurl -plaintext "$address" bucketry.v1.ObjectService/GetCapabilities | field maxChunkBytes | grep -x 2097152 >/dev/null ||
  fail 'the chunk limit is not told'

step 'a bucket and a token'
call "$operator" ObjectService/CreateBucket "{\"bucket\": \"$bucket\"}" >/dev/null
made=$(call "$operator" TokenService/CreateToken \
  "{\"bucket\": \"$bucket\", \"name\": \"quick start\", \"permission\": \"PERMISSION_READ_WRITE\"}")
token=$(field credentials.accessKeyId <<<"$made").$(field credentials.secretAccessKey <<<"$made")
token_id=$(field token.tokenId <<<"$made")
[[ $(field credentials.bucket <<<"$made") == "$bucket" ]] || fail 'the credentials name no bucket'
[[ $(field credentials.endpointUrl <<<"$made") == http* ]] || fail 'the credentials name no endpoint'

step 'an object, written, read and listed with the token'
data=$(printf 'hello' | base64)
call "$token" ObjectService/PutSmallObject \
  "{\"spec\": {\"bucket\": \"$bucket\", \"key\": \"greeting\"}, \"data\": \"$data\"}" >/dev/null
got=$(call "$token" ObjectService/GetSmallObject "{\"object\": {\"bucket\": \"$bucket\", \"key\": \"greeting\"}}")
[[ $(field data <<<"$got") == "$data" ]] || fail 'what came back differs'
listed=$(call "$token" ObjectService/ListObjects "{\"bucket\": \"$bucket\"}")
[[ $(field objects.0.key <<<"$listed") == greeting ]] || fail 'the object is not listed'

step 'refusals carry their reason'
refused NO_SUCH_KEY "$token" ObjectService/GetSmallObject "{\"object\": {\"bucket\": \"$bucket\", \"key\": \"none\"}}"
refused ACCESS_DENIED "$token" TokenService/ListTokens "{\"bucket\": \"$bucket\"}"
refused INVALID_ACCESS_KEY_ID AAAAAAAAAAAAAAAAAAAA.wrong ObjectService/ListObjects "{\"bucket\": \"$bucket\"}"

step 'revoked'
call "$operator" TokenService/RevokeToken "{\"bucket\": \"$bucket\", \"token_id\": \"$token_id\"}" >/dev/null
refused INVALID_ACCESS_KEY_ID "$token" ObjectService/ListObjects "{\"bucket\": \"$bucket\"}"
echo 'grpcurl: all passed'
