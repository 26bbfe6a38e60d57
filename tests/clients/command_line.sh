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

step 'expiry and limits'
bucketry token edit --bucket "$bucket" "$AWS_ACCESS_KEY_ID" --requests-per-second 1000 >/dev/null
edited=$(bucketry token edit "$AWS_ACCESS_KEY_ID" --bytes-per-day 1000000000 --no-expiry --output json)
[[ $(field token.limits.requestsPerSecond <<<"$edited") == 1000 ]] || fail 'one limit took the other away'
[[ $(field token.limits.bytesPerDay <<<"$edited") == 1000000000 ]] || fail 'the limit was not set'
if grep -q expireTime <<<"$edited"; then fail 'the expiry was not lifted'; fi
bucketry token edit --bucket "$bucket" "$AWS_ACCESS_KEY_ID" --no-limits --expires-in 1h |
  grep -E '^Expires: .*\((in 1h|in 59m)\)$' >/dev/null || fail 'the expiry is not shown'
if bucketry token edit --bucket "$bucket" "$AWS_ACCESS_KEY_ID" 2>edit.err; then fail 'nothing was edited'; fi
grep 'nothing to change' edit.err >/dev/null || fail "an edit of nothing: $(<edit.err)"

step 'explain, before it is tried, and denials, after'
explained() { bucketry token explain --bucket "$bucket" "$AWS_ACCESS_KEY_ID" "$@"; }
explained --operation PutObject --key k --address 127.0.0.1 | grep -E '^Answer: +allowed$' >/dev/null ||
  fail 'a writer is not allowed to write'
explained --operation GetObject --at 2999-01-01T00:00:00Z | grep -F 'the token has expired' >/dev/null ||
  fail 'it does not expire'
explained --operation PutBucketCors | grep -F 'for administrators' >/dev/null || fail 'a token may administer'
if explained --operation ListObject 2>explain.err; then fail 'an unknown operation was explained'; fi
grep -F 'ListObjects' explain.err >/dev/null || fail "nothing alike is proposed: $(<explain.err)"
[[ $(explained --operation GetObject --target-bucket another-bucket --output json | field reason) == \
  DECISION_REASON_OTHER_BUCKET ]] || fail 'another bucket'
bucketry token edit --bucket "$bucket" "$AWS_ACCESS_KEY_ID" --deny-ip 127.0.0.0/8 >/dev/null 2>warnings
grep -F 'your own address' warnings >/dev/null || fail 'no warning of locking oneself out'
if aws s3 ls "s3://$bucket/" 2>/dev/null; then fail 'a disallowed address lists'; fi
bucketry token denials --bucket "$bucket" "$AWS_ACCESS_KEY_ID" | grep -F 'disallowed_ips: 127.0.0.0/8' >/dev/null ||
  fail 'the refused request is not shown'
bucketry token edit --bucket "$bucket" "$AWS_ACCESS_KEY_ID" --deny-no-ip >/dev/null

step 'usage'
usage=$(bucketry token usage --bucket "$bucket" "$AWS_ACCESS_KEY_ID" --since 2h)
for words in 'last used' '█' 'CLASS' 'write' 'the address is disallowed'; do
  grep -F "$words" <<<"$usage" >/dev/null || fail "usage lacks $words: $usage"
done
bucketry token usage --bucket "$bucket" "$AWS_ACCESS_KEY_ID" --since 400d 2>usage.err && fail '400 days of usage'
grep -F INVALID_ARGUMENT usage.err >/dev/null || fail "400 days of usage: $(<usage.err)"

step 'purge, and what is left'
if bucketry token purge --bucket "$bucket" "$AWS_ACCESS_KEY_ID" 2>purge.err; then fail 'a usable token was purged'; fi
grep -F TOKEN_USABLE purge.err >/dev/null || fail "purging a usable token: $(<purge.err)"
bucketry token purge --bucket "$bucket" "$id" >/dev/null
if bucketry token show --bucket "$bucket" "$id" 2>/dev/null; then fail 'a purged token is shown'; fi
bucketry token audit --bucket "$bucket" "$id" | grep -F token.purge >/dev/null || fail 'the audit is gone'
bucketry audit --limit 500 | grep -F bucket.create >/dev/null || fail 'the making of the bucket is not in the audit'
[[ $(bucketry audit --limit 1 --output json | field events.0.action) == token.purge ]] || fail 'not the newest event'

step 'a token whose bucket is gone'
bucketry bucket create short-lived-bucket
orphan=$(bucketry token create --bucket short-lived-bucket --name orphan --permission read-only --output json |
  field token.tokenId)
bucketry bucket delete short-lived-bucket
bucketry bucket create short-lived-bucket
[[ $(bucketry token list --bucket short-lived-bucket) == 'no tokens' ]] || fail 'the new bucket has the old token'
bucketry token list --orphaned | grep -E '^orphan .* orphaned ' >/dev/null || fail 'the orphan is not listed'
bucketry token purge "$orphan" >/dev/null
[[ $(bucketry token list --orphaned) == 'no tokens' ]] || fail 'the orphan is not gone'

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

step 'a key of an account is replaced'
(
  # shellcheck disable=SC1091
  source ./account.env
  export BUCKETRY_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID BUCKETRY_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY
  old=$BUCKETRY_ACCESS_KEY_ID
  if bucketry key revoke "$old" 2>revoke.err; then fail 'an account revoked its last key'; fi
  grep -F LAST_ADMIN_KEY revoke.err >/dev/null || fail "revoking the last key: $(<revoke.err)"
  grep -F 'bucketry key create --administrator' revoke.err >/dev/null || fail "no way out: $(<revoke.err)"
  bucketry key create --administrator laptop --output env >key.env
  [[ $(wc -l <key.env) -eq 2 ]] || fail 'there is more than the two variables'
  set -a
  # shellcheck disable=SC1091
  source ./key.env
  set +a
  [[ $BUCKETRY_ACCESS_KEY_ID != "$old" ]] || fail 'the same key'
  bucketry key revoke "$old" | grep -Fx "revoked $old" >/dev/null || fail 'the old key is not revoked'
  [[ $(bucketry key list | tail -n +2 | wc -l) -eq 2 ]] || fail 'an account lists other keys than its own'
  [[ $(bucketry key list --output json | field keys.1.createdBy) == "$old" ]] || fail 'another creator'
  bucketry bucket list | grep another-teams-bucket >/dev/null || fail 'the new key does not see the bucket'
  if bucketry account list 2>/dev/null; then fail 'an account lists accounts'; fi
  if BUCKETRY_ACCESS_KEY_ID=$old BUCKETRY_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY bucketry key list 2>/dev/null; then
    fail 'a revoked key lists keys'
  fi
)
team=$(bucketry account list --output json | python3 -c '
import json, sys
print(next(account["accountId"] for account in json.load(sys.stdin)["accounts"] if account["displayName"] == "Another Team"))')
if bucketry key create --administrator spare 2>/dev/null; then fail 'an operator created a key of no account'; fi
made=$(bucketry key create --administrator spare --account "$team" --output json)
[[ $(field key.accountId <<<"$made") == "$team" ]] || fail 'a key of another account'
bucketry key list --account "$team" | grep -E '^spare +account ' >/dev/null || fail 'the key is not listed'
bucketry key revoke "$(field key.keyId <<<"$made")" >/dev/null
echo 'command line: all passed'
