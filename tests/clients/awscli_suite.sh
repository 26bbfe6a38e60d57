#!/usr/bin/env bash
# The AWS command line against bucketry, with a key that may make buckets. Stops at the first fault.
set -euo pipefail

export AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1 AWS_PAGER=
bucket=awscli-$RANDOM-$$

fail() {
  echo "aws cli: $*" >&2
  exit 1
}

step() { echo "--- $*"; }

# $1: what is compared; $2: got; $3: wanted.
same() { [[ $2 == "$3" ]] || fail "$1: got '$2', wanted '$3'"; }

# $1: the code that the refusal must name; the rest: the command.
refused() {
  local code=$1 output
  shift
  if output=$("$@" 2>&1); then fail "was not refused: $*"; fi
  [[ $output == *"($code)"* || $output == *"$code"* ]] || fail "refused otherwise than by $code: $output"
}

keys() { aws s3 ls "s3://$bucket/${1:-}" --recursive | awk '{ $1 = $2 = $3 = ""; print substr($0, 4) }' | sort; }

step 'mb, ls, head-bucket'
aws s3 mb "s3://$bucket"
aws s3 ls | grep " $bucket\$" >/dev/null || fail 'the bucket is not listed'
same 'region' "$(aws s3api head-bucket --bucket "$bucket" --query BucketRegion --output text)" us-east-1
same 'an empty bucket' "$(aws s3 ls "s3://$bucket")" ''

step 'cp up, cp down, cp from and to a pipe'
mkdir -p tree/sub/empty-name
head -c 100000 /dev/urandom >tree/random.bin
printf 'text\n' >tree/plain.txt
printf 'spaces\n' >'tree/sub/with space+plus&amp.txt'
printf 'unicode\n' >'tree/sub/ünï☃.txt'
: >tree/empty
aws s3 cp tree/random.bin "s3://$bucket/random.bin" --no-progress
aws s3 cp "s3://$bucket/random.bin" back.bin --no-progress
cmp tree/random.bin back.bin || fail 'what came back differs'
printf 'piped' | aws s3 cp - "s3://$bucket/piped"
same 'piped' "$(aws s3 cp "s3://$bucket/piped" -)" piped
same 'type by name' \
  "$(aws s3 cp tree/plain.txt "s3://$bucket/plain.txt" --no-progress >/dev/null &&
    aws s3api head-object --bucket "$bucket" --key plain.txt --query ContentType --output text)" text/plain

step 'cp and rm --recursive'
aws s3 cp tree "s3://$bucket/copied/" --recursive --no-progress
same 'keys' "$(keys copied/)" \
  "$(printf '%s\n' copied/empty copied/plain.txt copied/random.bin 'copied/sub/with space+plus&amp.txt' \
    'copied/sub/ünï☃.txt' | sort)"
aws s3 cp "s3://$bucket/copied" "s3://$bucket/again" --recursive --no-progress
same 'keys copied' "$(keys again/ | wc -l)" 5
aws s3 rm "s3://$bucket/copied" --recursive --exclude '*.bin' >/dev/null
same 'keys left' "$(keys copied/)" copied/random.bin

step 'sync, up and down'
aws s3 sync tree "s3://$bucket/synced" --no-progress >/dev/null
same 'a second sync' "$(aws s3 sync tree "s3://$bucket/synced" --no-progress)" ''
printf 'changed text\n' >tree/plain.txt
rm tree/empty
aws s3 sync tree "s3://$bucket/synced" --delete --no-progress >changes
grep -q '^upload: .*plain.txt' changes || fail 'the change was not uploaded'
grep -q '^delete: .*empty' changes || fail 'the file that is gone was not deleted'
aws s3 sync "s3://$bucket/synced" down --no-progress >/dev/null
rmdir tree/sub/empty-name
diff -r tree down || fail 'what was synced down differs'

step 'mv and ls of folders'
aws s3 mv "s3://$bucket/synced/plain.txt" "s3://$bucket/moved.txt" --no-progress
same 'moved' "$(aws s3 cp "s3://$bucket/moved.txt" -)" 'changed text'
aws s3 ls "s3://$bucket/synced/" | grep 'PRE sub/' >/dev/null || fail 'the folder is not shown'
refused 404 aws s3 cp "s3://$bucket/synced/plain.txt" never

step 'a large file in parts, up and down'
aws configure set default.s3.multipart_threshold 8MB
aws configure set default.s3.multipart_chunksize 8MB
aws configure set default.s3.max_concurrent_requests 4
head -c 30000000 /dev/urandom >large.bin
aws s3 cp large.bin "s3://$bucket/large.bin" --no-progress
same 'parts' "$(aws s3api head-object --bucket "$bucket" --key large.bin --query ETag --output text | grep -o -- '-[0-9]*"')" '-4"'
aws s3 cp "s3://$bucket/large.bin" large.back --no-progress
cmp large.bin large.back || fail 'the large file that came back differs'
aws s3 cp "s3://$bucket/large.bin" "s3://$bucket/large.copy" --no-progress
same 'size of the copy' "$(aws s3api head-object --bucket "$bucket" --key large.copy --query ContentLength)" 30000000

step 'presign'
url=$(aws s3 presign "s3://$bucket/moved.txt" --expires-in 60)
same 'presigned' "$(curl --fail --silent --show-error "$url")" 'changed text'
same 'presigned, spoilt' "$(curl --silent --output /dev/null --write-out '%{http_code}' "${url}0")" 403

step 's3api'
etag=$(aws s3api put-object --bucket "$bucket" --key api --body tree/plain.txt --metadata a=1 --query ETag --output text)
same 'metadata' "$(aws s3api head-object --bucket "$bucket" --key api --query Metadata.a --output text)" 1
same 'range' "$(aws s3api get-object --bucket "$bucket" --key api --range bytes=0-6 part --query ContentRange --output text)" \
  'bytes 0-6/13'
same 'content of the range' "$(<part)" changed
refused 'PreconditionFailed' aws s3api put-object --bucket "$bucket" --key api --if-none-match '*'
refused '304' aws s3api get-object --bucket "$bucket" --key api --if-none-match "$etag" never
aws s3api put-object-tagging --bucket "$bucket" --key api --tagging 'TagSet=[{Key=k,Value=v}]'
same 'tags' "$(aws s3api get-object-tagging --bucket "$bucket" --key api --query 'TagSet[0].Value' --output text)" v
refused 'NoSuchKey' aws s3api get-object --bucket "$bucket" --key missing never

step 'rb'
refused 'BucketNotEmpty' aws s3 rb "s3://$bucket"
aws s3 rb "s3://$bucket" --force >/dev/null
refused 'NoSuchBucket' aws s3 ls "s3://$bucket"
echo 'aws cli: all passed'
