#!/usr/bin/env bash
# Pattern 4, layers across accounts: a publisher's signed layer in a consumer's signed function.
# shellcheck source=steps.sh
. "$(dirname "$0")/steps.sh"
export AWS_PROFILE=publisher
organization=(--principal '*' --organization-id o-w4lk7hr0gh --action lambda:GetLayerVersion --statement-id organization)

step "Publisher: a profile, and a layer signed with it"
layer_publisher=$(aws signer put-signing-profile --profile-name layers_g1 --platform-id AWSLambda-SHA384-ECDSA \
  --query profileVersionArn)
bucket walk-layers
archive "$work/layer.zip" "layer"
version=$(aws s3api put-object --bucket walk-layers --key layer.zip --body "$work/layer.zip" --query VersionId)
key=$(sign walk-layers layer.zip "$version" layers_g1)
aws s3api get-object --bucket walk-layers --key "$key" "$work/signed.zip" >/dev/null
python3 tamper.py "$work/signed.zip" "$work/tampered.zip"

step "Publisher: publishing checks nothing, so all three of these are published"
for kind in signed layer tampered; do
  read -r arn number signer < <(aws lambda publish-layer-version --layer-name "walk-$kind" \
    --zip-file "fileb://$work/$kind.zip" --query '[LayerVersionArn, Version, Content.SigningProfileVersionArn]')
  aws lambda add-layer-version-permission --layer-name "walk-$kind" --version-number "$number" \
    "${organization[@]}" >/dev/null
  printf '   %s: signed by %s\n' "$arn" "$signer"
  declare "$kind=$arn" "${kind}_by=$signer"
done
same "signer of the signed layer" "$layer_publisher" "$signed_by"
same "signer of the unsigned layer" None "$layer_by"

step "Publisher: the same layer once more, opened to another organization only"
read -r foreign number < <(aws lambda publish-layer-version --layer-name walk-foreign \
  --zip-file "fileb://$work/signed.zip" --query '[LayerVersionArn, Version]')
aws lambda add-layer-version-permission --layer-name walk-foreign --version-number "$number" --principal '*' \
  --organization-id o-f0re1gn0rg --action lambda:GetLayerVersion --statement-id organization >/dev/null

step "Consumer: a profile of its own, and a config that trusts both"
export AWS_PROFILE=consumer
publisher=$(aws signer put-signing-profile --profile-name consumer_g1 --platform-id AWSLambda-SHA384-ECDSA \
  --query profileVersionArn)
config=$(aws lambda create-code-signing-config \
  --allowed-publishers "SigningProfileVersionArns=$publisher,$layer_publisher" \
  --code-signing-policies UntrustedArtifactOnDeployment=Enforce --query CodeSigningConfig.CodeSigningConfigArn)

step "Consumer: a function of its own signed code"
bucket walk-consumer
archive "$work/code.zip" "consumer"
version=$(aws s3api put-object --bucket walk-consumer --key code.zip --body "$work/code.zip" --query VersionId)
role=$(aws iam create-role --role-name walk-consumer --assume-role-policy-document "$trust_lambda" --query Role.Arn)
same "signed by" "$publisher" "$(aws lambda create-function --function-name walk-consumer --runtime python3.13 \
  --handler index.handler --role "$role" --code-signing-config-arn "$config" \
  --code "S3Bucket=walk-consumer,S3Key=$(sign walk-consumer code.zip "$version" consumer_g1)" \
  --query SigningProfileVersionArn)"

step "Consumer: takes the signed layer on; now its signature is checked"
attach=(aws lambda update-function-configuration --function-name walk-consumer)
same "layer" "$signed" "$("${attach[@]}" --layers "$signed" --query 'Layers[].Arn')"

step "Consumer: the unsigned and the tampered layer are refused"
refused "signed using a signature that the client is not configured to accept" "${attach[@]}" --layers "$layer"
refused "not properly signed" "${attach[@]}" --layers "$tampered"

step "Consumer: a layer that is open to another organization only is out of reach, signed or not"
refused "not authorized to perform: lambda:GetLayerVersion" aws lambda get-layer-version-by-arn --arn "$foreign"
refused "not authorized to perform: lambda:GetLayerVersion" "${attach[@]}" --layers "$foreign"

step "Consumer: under a config without the layer's publisher, the signed layer is refused too"
own=$(aws lambda create-code-signing-config --allowed-publishers "SigningProfileVersionArns=$publisher" \
  --code-signing-policies UntrustedArtifactOnDeployment=Enforce --query CodeSigningConfig.CodeSigningConfigArn)
aws lambda put-function-code-signing-config --function-name walk-consumer --code-signing-config-arn "$own" >/dev/null
refused "signed using a signature that the client is not configured to accept" "${attach[@]}" --layers "$signed"
