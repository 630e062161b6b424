#!/usr/bin/env bash
# Pattern 2, centralized enforcement: the security team owns profiles and configs, developers may only use them.
# The profile lives in the security team's own account. Where both share one account, leave --profile-owner out.
# shellcheck source=steps.sh
. "$(dirname "$0")/steps.sh"
export AWS_PROFILE=shop

step "Security: a profile, and the developers' right to sign with it"
publisher=$(aws signer put-signing-profile --profile security --profile-name walk_orders_g1 \
  --platform-id AWSLambda-SHA384-ECDSA --query profileVersionArn)
aws iam create-role --role-name orders-developer --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444444444402:root"}, "Action": "sts:AssumeRole"}]}' >/dev/null
aws signer add-profile-permission --profile security --profile-name walk_orders_g1 --statement-id developers \
  --principal arn:aws:iam::444444444402:role/orders-developer --action signer:StartSigningJob >/dev/null

step "Security: the config of the shop's account"
config=$(aws lambda create-code-signing-config --allowed-publishers "SigningProfileVersionArns=$publisher" \
  --code-signing-policies UntrustedArtifactOnDeployment=Enforce --query CodeSigningConfig.CodeSigningConfigArn)

step "Security: the developer policy that this project writes for the config"
cat organization.toml - >"$work/organization.toml" <<'TOML'
[[developer_guardrails]]
application = "orders"
functions = ["orders-*"]
execution_roles = ["orders-*-execution"]
TOML
lambda-code-signing guardrail show orders --organization "$work/organization.toml" --document developer \
  --config-arn "$config" --write-to "$work/policies" >/dev/null
for policy in "$work"/policies/*.json; do
  aws iam put-role-policy --role-name orders-developer --policy-name "$(basename "$policy" .json)" \
    --policy-document "file://$policy"
done
aws iam put-role-policy --role-name orders-developer --policy-name artifacts --policy-document '{"Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObject"], "Resource": "arn:aws:s3:::walk-orders/*"}]}'
bucket walk-orders
role=$(aws iam create-role --role-name orders-basket-execution --assume-role-policy-document "$trust_lambda" \
  --query Role.Arn)

step "Developer: has the code signed with the central profile"
export AWS_PROFILE=developer
archive "$work/code.zip" "orders"
version=$(aws s3api put-object --bucket walk-orders --key code.zip --body "$work/code.zip" --query VersionId)
signed=$(sign walk-orders code.zip "$version" walk_orders_g1 --profile-owner 222222222222)
like "signed copy" 'signed/[0-9a-f-]{36}\.zip' "$signed"

function=(--function-name orders-basket --runtime python3.13 --handler index.handler --role "$role"
  --code "S3Bucket=walk-orders,S3Key=$signed")
denied=AccessDenied

step "Developer: may not create the function without a config, nor under another one"
refused "$denied" aws lambda create-function "${function[@]}"
refused "$denied" aws lambda create-function "${function[@]}" \
  --code-signing-config-arn "${config%:*}:csc-00000000000000000"

step "Developer: may create it under the approved config"
same "signed by" "$publisher" \
  "$(aws lambda create-function "${function[@]}" --code-signing-config-arn "$config" --query SigningProfileVersionArn)"

step "Developer: unsigned code is refused by Lambda itself"
refused CodeVerificationFailedException \
  aws lambda update-function-code --function-name orders-basket --zip-file "fileb://$work/code.zip"

step "Developer: may neither make, change nor detach a config, nor make a profile"
refused "$denied" aws lambda create-code-signing-config --allowed-publishers "SigningProfileVersionArns=$publisher"
refused "$denied" aws lambda update-code-signing-config --code-signing-config-arn "$config" \
  --code-signing-policies UntrustedArtifactOnDeployment=Warn
refused "$denied" aws lambda delete-function-code-signing-config --function-name orders-basket
refused "$denied" aws signer put-signing-profile --profile-name mine --platform-id AWSLambda-SHA384-ECDSA
