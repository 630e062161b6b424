#!/usr/bin/env bash
# Pattern 1, basic: a signing profile, a code signing config that trusts it, a signed archive, a function.
# shellcheck source=steps.sh
. "$(dirname "$0")/steps.sh"
export AWS_PROFILE=basic

step "The administrator makes a signing profile and notes its profile version"
publisher=$(aws signer put-signing-profile --profile-name basic_g1 --platform-id AWSLambda-SHA384-ECDSA \
  --signature-validity-period value=12,type=MONTHS --query profileVersionArn)
like "profile version" 'arn:aws:signer:eu-west-1:444444444401:/signing-profiles/basic_g1/[0-9A-Za-z]{10}' "$publisher"

step "The administrator makes a config that trusts this version and refuses everything else"
config=$(aws lambda create-code-signing-config --description "basic" \
  --allowed-publishers "SigningProfileVersionArns=$publisher" \
  --code-signing-policies UntrustedArtifactOnDeployment=Enforce --query CodeSigningConfig.CodeSigningConfigArn)
like "config" 'arn:aws:lambda:eu-west-1:444444444401:code-signing-config:csc-[0-9a-z]{17}' "$config"

step "The developer uploads the archive to a versioned bucket"
aws s3api create-bucket --bucket walk-basic --create-bucket-configuration LocationConstraint=eu-west-1 >/dev/null
aws s3api put-bucket-versioning --bucket walk-basic --versioning-configuration Status=Enabled
archive "$work/code.zip" "signed and sound"
version=$(aws s3api put-object --bucket walk-basic --key code.zip --body "$work/code.zip" --query VersionId)
like "object version" '[0-9A-Za-z._-]{3,}' "$version"

step "The developer has it signed; the signed copy is named after the job"
job=$(aws signer start-signing-job --profile-name basic_g1 \
  --source "s3={bucketName=walk-basic,key=code.zip,version=$version}" \
  --destination "s3={bucketName=walk-basic,prefix=signed/}" --query jobId)
aws signer wait successful-signing-job --job-id "$job"
aws s3api get-object --bucket walk-basic --key "signed/$job.zip" "$work/signed.zip" >/dev/null
entries=$(python3 -m zipfile -l "$work/signed.zip")
[[ $entries == *META_INF/aws_signer_signature_v1.0.SF* ]] || fail "the archive has no signature: $entries"

step "The developer creates the function; Lambda checks the signature and says who signed"
role=$(aws iam create-role --role-name walk-basic --assume-role-policy-document "$trust_lambda" --query Role.Arn)
created=$(aws lambda create-function --function-name walk-basic --runtime python3.13 --handler index.handler \
  --role "$role" --zip-file "fileb://$work/signed.zip" --code-signing-config-arn "$config" \
  --query '[SigningProfileVersionArn, SigningJobArn]')
same "signed by" "$publisher	arn:aws:signer:eu-west-1:444444444401:/signing-jobs/$job" "$created"

step "The function runs"
aws lambda invoke --function-name walk-basic "$work/answer" >/dev/null
same "answer" '"signed and sound"' "$(<"$work/answer")"

step "The archive without its signature is refused"
refused "signed using a signature that the client is not configured to accept" \
  aws lambda update-function-code --function-name walk-basic --zip-file "fileb://$work/code.zip"
