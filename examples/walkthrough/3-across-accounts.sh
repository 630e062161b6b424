#!/usr/bin/env bash
# Pattern 3, centralized across accounts: a StackSet puts the config into a member account; drift is found and reverted.
# shellcheck source=steps.sh
. "$(dirname "$0")/steps.sh"
export AWS_PROFILE=security
set_options=(--stack-set-name code-signing --call-as DELEGATED_ADMIN)

# operation ID: wait for a StackSet operation and insist on its success.
operation() {
  local status=RUNNING
  while [[ $status == RUNNING || $status == QUEUED ]]; do
    status=$(aws cloudformation describe-stack-set-operation "${set_options[@]}" --operation-id "$1" \
      --query StackSetOperation.Status)
  done
  same "operation" SUCCEEDED "$status"
}

step "Security: a profile, and a StackSet with the config that trusts it"
publisher=$(aws signer put-signing-profile --profile-name payments_g1 --platform-id AWSLambda-SHA384-ECDSA \
  --query profileVersionArn)
aws cloudformation create-stack-set "${set_options[@]}" --template-body file://code-signing-config.yaml \
  --parameters "ParameterKey=Publisher,ParameterValue=$publisher" --capabilities CAPABILITY_NAMED_IAM \
  --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=true >/dev/null

step "Security: rolls it out to an organizational unit"
operation "$(aws cloudformation create-stack-instances "${set_options[@]}" --regions eu-west-1 \
  --deployment-targets OrganizationalUnitIds=ou-w4lk-00000001 --query OperationId)"

step "Payments: the config is there, and enforces"
config=$(aws lambda list-code-signing-configs --profile payments \
  --query 'CodeSigningConfigs[].[CodeSigningConfigArn, CodeSigningPolicies.UntrustedArtifactOnDeployment]')
like "config" 'arn:aws:lambda:eu-west-1:444444444403:code-signing-config:csc-[0-9a-z]{17}	Enforce' "$config"
config=${config%%	*}

step "Payments: somebody with too many rights weakens it"
aws lambda update-code-signing-config --profile payments --code-signing-config-arn "$config" \
  --code-signing-policies UntrustedArtifactOnDeployment=Warn >/dev/null

step "Security: drift detection finds it"
operation "$(aws cloudformation detect-stack-set-drift "${set_options[@]}" --query OperationId)"
read -r account stack drift < <(aws cloudformation list-stack-instances "${set_options[@]}" \
  --query 'Summaries[].[Account, StackId, DriftStatus]')
same "drifted account" "444444444403 DRIFTED" "$account $drift"

step "Payments: the remediator reverts it with a drift-aware change set, which says what it will do"
export AWS_PROFILE=payments
aws cloudformation create-change-set --stack-name "$stack" --change-set-name revert --deployment-mode REVERT_DRIFT \
  --use-previous-template --parameters ParameterKey=Publisher,UsePreviousValue=true \
  --capabilities CAPABILITY_NAMED_IAM >/dev/null
aws cloudformation wait change-set-create-complete --stack-name "$stack" --change-set-name revert
same "change" "Modify	Config" "$(aws cloudformation describe-change-set --stack-name "$stack" --change-set-name revert \
  --query 'Changes[].ResourceChange.[Action, LogicalResourceId]')"
aws cloudformation execute-change-set --stack-name "$stack" --change-set-name revert
aws cloudformation wait stack-update-complete --stack-name "$stack"
same "policy" Enforce "$(aws lambda get-code-signing-config --code-signing-config-arn "$config" \
  --query CodeSigningConfig.CodeSigningPolicies.UntrustedArtifactOnDeployment)"

step "Security: no drift is left"
export AWS_PROFILE=security
operation "$(aws cloudformation detect-stack-set-drift "${set_options[@]}" --query OperationId)"
same "drift" IN_SYNC "$(aws cloudformation list-stack-instances "${set_options[@]}" --query 'Summaries[].DriftStatus')"
