# What the walks share: say a step, compare an answer, insist on a refusal, sign an archive. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail
shopt -s inherit_errexit # or a failure inside $( ) would go unnoticed

case ${AWS_ENDPOINT_URL:-} in
http://127.0.0.1:*) ;;
*)
  echo "AWS_ENDPOINT_URL is '${AWS_ENDPOINT_URL:-}': the walks run against a local AWS only; see docs/walkthrough.md" >&2
  exit 2
  ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN # they would come before the accounts of accounts.ini
export AWS_CONFIG_FILE=$PWD/accounts.ini AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER='' AWS_DEFAULT_OUTPUT=text
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work # the AWS CLI keeps the credentials of roles there: those of the last server mean nothing to this one

step() { printf '\n-- %s\n' "$*"; }

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# same WHAT EXPECTED ACTUAL
same() {
  [[ $3 == "$2" ]] || fail "$1 is '$3', expected '$2'"
  printf '   %s: %s\n' "$1" "$3"
}

# like WHAT REGULAR-EXPRESSION ACTUAL
like() {
  [[ $3 =~ ^$2$ ]] || fail "$1 is '$3', expected to match '$2'"
  printf '   %s: %s\n' "$1" "$3"
}

# refused PART-OF-THE-MESSAGE COMMAND...: the command must fail, and with this message.
refused() {
  local part=$1 message
  shift
  if message=$("$@" 2>&1); then fail "this was accepted: $*"; fi
  [[ $message == *"$part"* ]] || fail "'$*' says '${message##*$'\n'}', expected '$part'"
  printf '   refused: %s\n' "${message##*$'\n'}"
}

# archive FILE TEXT: write a ZIP with a handler that answers TEXT.
archive() {
  mkdir -p "$work/source"
  printf 'def handler(event, context):\n    return "%s"\n' "$2" >"$work/source/index.py"
  (cd "$work/source" && python3 -m zipfile -c "$1" index.py)
}

# bucket NAME: make a bucket with versioning, which AWS Signer insists on.
bucket() {
  aws s3api create-bucket --bucket "$1" --create-bucket-configuration LocationConstraint=eu-west-1 >/dev/null
  aws s3api put-bucket-versioning --bucket "$1" --versioning-configuration Status=Enabled
}

# sign BUCKET KEY VERSION SIGNING-PROFILE [OPTION...]: have an object signed; print where the signed copy lies.
sign() {
  local job
  job=$(aws signer start-signing-job --profile-name "$4" "${@:5}" \
    --source "s3={bucketName=$1,key=$2,version=$3}" \
    --destination "s3={bucketName=$1,prefix=signed/}" --query jobId)
  aws signer wait successful-signing-job --job-id "$job"
  echo "signed/$job.zip"
}

# audited FUNCTION-ARN: print what CloudTrail recorded of its deployments, a line for each kind of signature and outcome.
audited() {
  aws cloudtrail lookup-events --lookup-attributes "AttributeKey=ResourceName,AttributeValue=$1" --output json \
    --query 'Events[].CloudTrailEvent' | python3 -c 'if True:
      import json, sys
      for record in map(json.loads, json.load(sys.stdin)):
          status = record["additionalEventData"].get("signatureStatus", "(no status)")
          print(status, record.get("errorCode", "accepted"))' | LC_ALL=C sort | uniq
}

trust_lambda='{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'

# later NUMBER days: move the clock of the local AWS forward, which is how a signature expires while one watches.
later() {
  python3 - "$AWS_ENDPOINT_URL/_local-aws/clock" "$1" <<'PYTHON'
import json, sys, urllib.request
url, days = sys.argv[1:]
request = urllib.request.Request(url, json.dumps({"advance_days": int(days)}).encode(), method="POST")
print("   the local AWS now believes that it is", json.load(urllib.request.urlopen(request))["now"])
PYTHON
}
