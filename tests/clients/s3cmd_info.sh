#!/usr/bin/env bash
# `s3cmd info` of a bucket and an object by a token that may read, by the pinned s3cmd and by the system's if there is
# one. The endpoint comes from AWS_ENDPOINT_URL, the bucket from BUCKET_NAME, the keys from READ_ONLY_ACCESS_KEY_ID,
# READ_WRITE_ACCESS_KEY_ID and so on.
set -euo pipefail

fail() {
  echo "s3cmd info: $*" >&2
  exit 1
}

host=${AWS_ENDPOINT_URL#http://}
touch empty.cfg

run() {
  local program=$1 permission=$2
  shift 2
  local id=${permission}_ACCESS_KEY_ID secret=${permission}_SECRET_ACCESS_KEY
  "$program" --config empty.cfg --no-ssl --host "$host" --host-bucket "$host" \
    --access_key "${!id}" --secret_key "${!secret}" "$@"
}

programs=("$(command -v s3cmd)")
if [[ -x /usr/bin/s3cmd && ${programs[0]} != /usr/bin/s3cmd ]]; then programs+=(/usr/bin/s3cmd); fi
echo content >object
for program in "${programs[@]}"; do
  echo "--- $("$program" --version)"
  run "$program" READ_WRITE put object "s3://$BUCKET_NAME/object"
  for permission in READ_ONLY READ_WRITE; do
    for url in "s3://$BUCKET_NAME" "s3://$BUCKET_NAME/object"; do
      shown=$(run "$program" "$permission" info "$url") || fail "$permission $url: status $?"
      [[ $shown == *'FULL_CONTROL'* ]] || fail "$permission $url: no grant of the owner: $shown"
      [[ $shown == *'CORS:      none'* ]] || fail "$permission $url: $shown"
    done
  done
done
