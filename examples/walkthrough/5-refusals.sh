#!/usr/bin/env bash
# The negative walks: unsigned, expired, revoked and tampered code, under a config that enforces and one that warns.
# shellcheck source=steps.sh
. "$(dirname "$0")/steps.sh"
export AWS_PROFILE=refusals

step "Two publishers, whose signatures are good for eleven years and for one day"
publisher=$(aws signer put-signing-profile --profile-name refusals_g1 --platform-id AWSLambda-SHA384-ECDSA \
  --query profileVersionArn)
short=$(aws signer put-signing-profile --profile-name refusals_short --platform-id AWSLambda-SHA384-ECDSA \
  --signature-validity-period value=1,type=DAYS --query profileVersionArn)

step "One archive, signed three times, of which one signature is revoked and one expires"
bucket walk-refusals
archive "$work/unsigned.zip" "refusals"
version=$(aws s3api put-object --bucket walk-refusals --key code.zip --body "$work/unsigned.zip" --query VersionId)
good=$(sign walk-refusals code.zip "$version" refusals_g1)
revoked=$(sign walk-refusals code.zip "$version" refusals_g1)
expired=$(sign walk-refusals code.zip "$version" refusals_short)
aws s3api get-object --bucket walk-refusals --key "$good" "$work/good.zip" >/dev/null
python3 tamper.py "$work/good.zip" "$work/tampered.zip"
job=$(basename "$revoked" .zip)
aws signer revoke-signature --job-id "$job" --reason "walk"
later 2 days

step "A function under a config that enforces, and one under a config that warns"
role=$(aws iam create-role --role-name walk-refusals --assume-role-policy-document "$trust_lambda" --query Role.Arn)
for policy in Enforce Warn; do
  config=$(aws lambda create-code-signing-config --allowed-publishers "SigningProfileVersionArns=$publisher,$short" \
    --code-signing-policies UntrustedArtifactOnDeployment=$policy --query CodeSigningConfig.CodeSigningConfigArn)
  read -r signer "$policy" < <(aws lambda create-function --function-name "walk-$policy" \
    --runtime python3.13 --handler index.handler --role "$role" --code-signing-config-arn "$config" \
    --code "S3Bucket=walk-refusals,S3Key=$good" --query '[SigningProfileVersionArn, FunctionArn]')
  same "$policy: signed by" "$publisher" "$signer"
done

update() { aws lambda update-function-code --function-name "walk-$1" "${@:2}" --query FunctionName; }

step "Enforce: all four are refused"
refused "signed using a signature that the client is not configured to accept" \
  update Enforce --zip-file "fileb://$work/unsigned.zip"
refused CodeVerificationFailedException update Enforce --s3-bucket walk-refusals --s3-key "$expired"
refused CodeVerificationFailedException update Enforce --s3-bucket walk-refusals --s3-key "$revoked"
refused "not properly signed" update Enforce --zip-file "fileb://$work/tampered.zip"

step "Warn: three are let in and counted; what was changed after signing is refused here too"
same "unsigned code accepted for" walk-Warn "$(update Warn --zip-file "fileb://$work/unsigned.zip")"
same "expired code accepted for" walk-Warn "$(update Warn --s3-bucket walk-refusals --s3-key "$expired")"
same "revoked code accepted for" walk-Warn "$(update Warn --s3-bucket walk-refusals --s3-key "$revoked")"
refused "not properly signed" update Warn --zip-file "fileb://$work/tampered.zip"
same "signature validation errors" 3.0 "$(aws cloudwatch get-metric-statistics --namespace AWS/Lambda \
  --metric-name SignatureValidationErrors --dimensions Name=FunctionName,Value=walk-Warn --statistics Sum \
  --start-time "$(($(date +%s) - 86400))" --end-time "$(($(date +%s) + 604800))" --period 864000 \
  --query 'Datapoints[0].Sum')"

step "CloudTrail has the status of every signature that is intact, under both configs"
failed=CodeVerificationFailedException
same "records of walk-Enforce" \
  "(no status) $failed
EXPIRED $failed
MISMATCH $failed
REVOKED $failed
VALID accepted" "$(audited "$Enforce")"
same "records of walk-Warn" \
  "(no status) $failed
EXPIRED accepted
MISMATCH accepted
REVOKED accepted
VALID accepted" "$(audited "$Warn")"
