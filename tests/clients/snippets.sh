#!/usr/bin/env bash
# Every text that `bucketry token show --snippet` prints, run by the tool that it is for, unmodified: with a token that
# only reads and with one that only writes. What the tool is told beside it is what the text's comment says.
# The binary comes from BUCKETRY_BINARY; it finds server and key by the variables that the operator sets.
set -euo pipefail

bucket=snippets-bucket
ran=0

fail() {
  echo "snippets: $*" >&2
  exit 1
}

bucketry() { "$BUCKETRY_BINARY" "$@"; }

# $1: a path in the JSON of standard input, as in token.tokenId.
field() {
  python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[name]
print(value)' "$1"
}

# $1: a permission; prints the access key id of a new token.
token() {
  bucketry token create --bucket "$bucket" --name "$1" --permission "$1" --output json | field credentials.accessKeyId
}

# Runs one snippet and prints what its tool prints. $1: the client; $2: the access key id.
run_snippet() {
  rm -f snippet*
  bucketry token show --bucket "$bucket" "$2" --snippet "$1" >snippet
  local command
  case $1 in
    aws-cli | grpcurl) bash -e snippet ;;
    env) (
      set -a
      # shellcheck disable=SC1091
      source ./snippet
      set +a
      if [[ $writes == only ]]; then
        aws s3 cp hello.txt "s3://$BUCKET_NAME/hello.txt" --no-progress
      else
        aws s3 ls "s3://$BUCKET_NAME/"
      fi
    ) ;;
    boto3) mv snippet snippet.py && python snippet.py ;;
    node-v2) mv snippet snippet.cjs && node snippet.cjs ;;
    # Modules are looked up beside the file, not by NODE_PATH.
    node-v3) mv snippet snippet.mjs && ln -sfn "$NODE_PATH" node_modules && node snippet.mjs ;;
    rclone)
      command=$(sed -n 's/^# rclone //p' snippet)
      [[ -n $command ]] || fail "no command in: $(grep -v secret snippet)"
      # shellcheck disable=SC2086
      rclone --config snippet ${command/FILE/hello.txt}
      ;;
    s3cmd)
      command=$(sed -n 's/^# s3cmd //p' snippet)
      [[ -n $command ]] || fail "no command in: $(grep -v secret snippet)"
      # shellcheck disable=SC2086
      s3cmd ${command/FILE/snippet}
      ;;
    *) fail "no test for the snippet $1" ;;
  esac
}

# $1: a method of ObjectService; $2: the request in JSON. As the operator.
call() {
  grpcurl -plaintext -H "authorization: Bearer $BUCKETRY_ACCESS_KEY_ID.$BUCKETRY_SECRET_ACCESS_KEY" -d "$2" \
    "${BUCKETRY_ENDPOINT#http://}" "bucketry.v1.ObjectService/$1"
}

bucketry bucket create "$bucket"
reader=$(token read-only)
writer=$(token write-only)
printf 'hello\n' >hello.txt
call PutSmallObject "{\"spec\": {\"bucket\": \"$bucket\", \"key\": \"already-there.txt\"}, \"data\": \"aGk=\"}" >/dev/null

# Whatever the command line offers is tried.
clients=$(bucketry token show --help | sed -n '/--snippet/,/--output/s/^ *- \([a-z0-9-]*\):.*/\1/p')
[[ $(sort <<<"$clients" | xargs) == 'aws-cli boto3 env grpcurl node-v2 node-v3 rclone s3cmd' ]] ||
  fail "other clients than are known here: $clients"

stored="{\"object\": {\"bucket\": \"$bucket\", \"key\": \"hello.txt\"}}"
for client in $clients; do
  writes=no
  printed=$(run_snippet "$client" "$reader" 2>&1) || fail "$client failed: $printed"
  [[ $printed == *already-there.txt* ]] || fail "$client does not list the object: $printed"
  writes=only
  printed=$(run_snippet "$client" "$writer" 2>&1) || fail "$client failed to store: $printed"
  data=$(call GetSmallObject "$stored" | field data | base64 -d) || fail "$client stored nothing: $printed"
  [[ $data == hello ]] || fail "$client stored something else: $data"
  call DeleteObject "{\"bucket\": \"$bucket\", \"key\": \"hello.txt\"}" >/dev/null
  ran=$((ran + 2))
done
echo "snippets: $ran runs, all passed"
