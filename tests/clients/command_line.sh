#!/usr/bin/env bash
# The admin commands of the server's own binary, and what they print in the hands of an S3 client.
# The binary comes from BUCKETRY_BINARY; it finds server and key by the variables that the operator sets.
set -euo pipefail

bucket=command-line

fail() {
  echo "command line: $*" >&2
  exit 1
}

step() { echo "--- $*"; }

bucketry() { "$BUCKETRY_BINARY" "$@"; }

# $1: a path in the JSON of standard input, as in token.tokenId.
field() {
  python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[int(name)] if name.isdigit() else value[name]
print(value)' "$1"
}

step 'a bucket'
bucketry bucket create "$bucket"
bucketry bucket list | grep "$bucket" >/dev/null || fail 'the bucket is not listed'

step 'a token as variables of a shell'
bucketry token create --bucket "$bucket" --name writer --permission read-write --expires-in 30d --output env >token.env
for name in AWS_ENDPOINT_URL BUCKET_NAME AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
  grep "^$name=" token.env >/dev/null || fail "$name is missing in: $(sed 's/\(SECRET[^=]*=\).*/\1…/' token.env)"
done
[[ $(wc -l <token.env) -eq 4 ]] || fail 'there is more than the four variables'
set -a
# shellcheck disable=SC1091
source ./token.env
set +a
[[ $BUCKET_NAME == "$bucket" ]] || fail "another bucket: $BUCKET_NAME"
printf 'content\n' >file
aws s3 cp file "s3://$BUCKET_NAME/file" --no-progress
[[ $(aws s3 cp "s3://$BUCKET_NAME/file" -) == content ]] || fail 'what came back differs'

step 'a token as JSON'
made=$(bucketry token create --bucket "$bucket" --name reader --permission read-only --allow-ip 127.0.0.1 --output json)
id=$(field token.tokenId <<<"$made")
[[ $(field token.permission <<<"$made") == PERMISSION_READ_ONLY ]] || fail 'another permission'
[[ $(field token.allowedIps.0 <<<"$made") == 127.0.0.1 ]] || fail 'another address'
reader_id=$(field credentials.accessKeyId <<<"$made")
reader_secret=$(field credentials.secretAccessKey <<<"$made")

as_reader() { AWS_ACCESS_KEY_ID=$reader_id AWS_SECRET_ACCESS_KEY=$reader_secret aws s3 cp "$@" --no-progress; }

as_reader "s3://$bucket/file" read >/dev/null || fail 'a reader may not read'
if as_reader file "s3://$bucket/other" 2>/dev/null; then fail 'a reader may write'; fi

step 'edit, suspend, resume, clone, revoke'
bucketry token edit --bucket "$bucket" "$id" --name 'renamed reader' >/dev/null
bucketry token list --bucket "$bucket" | grep 'renamed reader' >/dev/null || fail 'the new name is not listed'
bucketry token suspend --bucket "$bucket" "$id" >/dev/null
if as_reader "s3://$bucket/file" read 2>/dev/null; then fail 'a suspended token reads'; fi
bucketry token resume --bucket "$bucket" "$id" >/dev/null
as_reader "s3://$bucket/file" read >/dev/null || fail 'a resumed token does not read'
clone=$(bucketry token clone --bucket "$bucket" "$id" --output json)
[[ $(field token.permission <<<"$clone") == PERMISSION_READ_ONLY ]] || fail 'the clone has another permission'
[[ $(field credentials.accessKeyId <<<"$clone") != "$reader_id" ]] || fail 'the clone has the same key'
bucketry token revoke --bucket "$bucket" "$id" >/dev/null
if as_reader "s3://$bucket/file" read 2>/dev/null; then fail 'a revoked token reads'; fi
if bucketry token resume --bucket "$bucket" "$id" 2>/dev/null; then fail 'a revoked token was resumed'; fi

step 'an account'
bucketry account create 'Another Team' --output env >account.env
for name in ACCOUNT_ID DISPLAY_NAME; do
  grep "^$name=" account.env >/dev/null || fail "$name is missing"
done
(
  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
  set -a
  # shellcheck disable=SC1091
  source ./account.env
  set +a
  aws s3 mb s3://another-teams-bucket >/dev/null
  [[ $(aws s3api list-buckets --query Owner.ID --output text) == "$ACCOUNT_ID" ]] || fail 'another owner'
  [[ $(aws s3api list-buckets --query 'Buckets[].Name' --output text) == another-teams-bucket ]] ||
    fail 'an account sees the buckets of others'
)
echo 'command line: all passed'
