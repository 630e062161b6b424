"""Finds, explains and reverts drift of code signing in every account: a schedule, a state machine, signed functions."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.cdk.drift_alarms import DriftAlarms
from constructs_pkg.cdk.drift_functions import EncryptedLogGroup, ServiceRole, SignedFunction
from constructs_pkg.cdk.drift_state_machine import TASKS, drift_definition, placeholder
from constructs_pkg.cdk.drift_storage import DriftStorage, partition_of
from constructs_pkg.cdk.drift_triggers import DriftTriggers
from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning, ImportedCodeSigning
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import DriftRights, PolicyDocument
from constructs_pkg.runtime.drift.settings import BUCKET, CALL_AS, HANDLERS, MOST_REPAIRS, TEMPLATES_URL, TOPIC

__all__ = ["DriftRemediation", "StackSetCaller"]

StackSetCaller = Literal["DELEGATED_ADMIN", "SELF"]
"""As whom StackSets are operated: as the delegated administrator of an organization, or as their own account."""

_SHORTEST, _LONGEST = 15, 24 * 60
_MOST_PERIODS = 7
_MOST_CONCURRENT = 1000
"""Functions of an account that run at a time share 1,000 where nobody asked for more (Lambda guide, "Quotas")."""
_REPAIRING = ("inspect_batch", "repair")
_DESCRIPTIONS = {
    "start": "decides whether a run begins, and takes the lease of its StackSet",
    "detect": "starts CloudFormation's drift detection and asks how far it is",
    "list_instances": "lists the stack instances and makes batches of them",
    "inspect_batch": "looks into member accounts and explains what differs",
    "gather": "collects what is to be repaired",
    "repair": "puts one stack instance back, or proposes to",
    "report": "writes the report, tells the topic, gives the lease back",
}


class DriftRemediation(Construct):
    """A state machine that looks for drift of code signing in all member accounts and puts it back.

    It runs in the delegated administrator's account, for each StackSet on a schedule and when a member account tells
    of tampering. What is done about drift (detect, propose, remediate) is said for each wave in the expectations that
    travel inside the signed code. Replacing or deleting something always waits for a human.

    All functions are signed code under a code signing config. No helper functions of CDK are made. Of the roles, only
    that of the two functions which look into member accounts may assume the members' remediator role.

    What it does not do: make the members' roles and rules (the rollout does), sign the code, or prove that AWS Step
    Functions and CloudFormation behave as their documentation says (``docs/live-checks.md``).

    Args:
        scope: The parent construct; a stack in the delegated administrator's account and the home Region.
        construct_id: Id within the scope.
        organization: The organization's short name; the name of every resource begins with it.
        organization_id: ``o-…``; only roles of accounts in it are assumed.
        stack_sets: The names of the StackSets that are watched, each with a schedule of its own.
        stack_set_account: Whose the StackSets are: the management account where they are service-managed.
        call_as: As whom they are operated.
        code: The functions' code, such as ``SignedCode.at_publish`` of what ``stage_drift_asset`` staged.
        code_signing: The config that all functions are under.
        event_bus_name: The central bus that member accounts forward events to; None where there is none.
        every: The period of the schedules: whole minutes, 15 minutes to a day.
        enabled: Whether the schedules run; events start runs all the same.
        max_concurrency: How many batches of instances, and how many repairs, run at a time: 1 to 1,000.
        tolerated_failure_percentage: How many percent of them may fail before a run stops; 0 to 100.
        most_repairs: How many instances one run puts back without a human; where more would be, all are proposed.
        missing_periods: After how many periods without a finished run somebody is told, 1 to 7.
        longest_run: When a run is ended by force.
        emails: Whom the topic writes to.
        log_retention_days: How long logs are kept; one of the periods of CloudWatch Logs.
        report_days: How long runs and their reports are kept.

    Attributes:
        storage: The key, bucket, topic and dead-letter queue.
        functions: By task.
        repairing_role: Of the functions that assume members' roles.
        state_machine: The state machine.
        triggers: Schedules and rules.
        alarms: Alarms and the dashboard.

    Raises:
        ConstructError: An argument is out of its range, or another one in this App has the same names.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        organization: str,
        organization_id: str,
        stack_sets: Sequence[str],
        stack_set_account: str,
        call_as: StackSetCaller = "DELEGATED_ADMIN",
        code: lambda_.Code,
        code_signing: EnforcedCodeSigning | ImportedCodeSigning,
        event_bus_name: str | None = None,
        every: cdk.Duration | None = None,
        enabled: bool = True,
        max_concurrency: int = 40,
        tolerated_failure_percentage: float = 10,
        most_repairs: int = 100,
        missing_periods: int = 2,
        longest_run: cdk.Duration | None = None,
        emails: Sequence[str] = (),
        log_retention_days: int = 365,
        report_days: int = 365,
    ) -> None:
        every, longest_run = every or cdk.Duration.hours(1), longest_run or cdk.Duration.hours(6)
        _require_one_of("call_as", call_as, get_args(StackSetCaller))
        _require_between("every", every.to_minutes(), _SHORTEST, _LONGEST, "minutes")
        _require_between("longest_run", longest_run.to_minutes(), _SHORTEST, _LONGEST, "minutes")
        _require_between("max_concurrency", max_concurrency, 1, _MOST_CONCURRENT, "at a time")
        _require_between("tolerated_failure_percentage", tolerated_failure_percentage, 0, 100, "percent")
        _require_between("most_repairs", most_repairs, 0, 100_000, "instances")
        _require_between("missing_periods", missing_periods, 1, _MOST_PERIODS, "periods")
        if not stack_sets or len(set(stack_sets)) != len(stack_sets):
            raise ConstructError(f"stack_sets={list(stack_sets)!r}: name at least one StackSet, each once")
        super().__init__(scope, construct_id)
        self._prefix = f"{organization}-drift-remediation"
        claim_name(self, "organization", organization, "Declare one drift remediation for each organization")
        self._stack = cdk.Stack.of(self)
        self._names = {task: f"{organization}-drift-{task.replace('_', '-')}" for task in TASKS}
        self._log_retention_days = log_retention_days
        states_log = f"/aws/vendedlogs/states/{self._prefix}"
        self.storage = DriftStorage(
            self,
            "Storage",
            prefix=self._prefix,
            log_groups=[f"/aws/lambda/{organization}-drift-*", states_log],
            emails=emails,
            report_days=report_days,
            organization_id=organization_id,
            remediator_role=f"{organization}-drift-remediator",
        )
        rights = self._rights(organization, organization_id, stack_sets, stack_set_account)
        self.repairing_role = self._role(
            "RepairingRole", self._prefix, "Looks into member accounts, repairs there", "lambda", rights.repairing()
        )
        self._bookkeeping_role = self._role(
            "BookkeepingRole", f"{organization}-drift-run", "Lists, gathers, reports", "lambda", rights.bookkeeping()
        )
        self._beginning_role = self._role(
            "BeginningRole", f"{organization}-drift-start", "Decides what begins", "lambda", rights.beginning()
        )
        environment = {
            BUCKET: rights.bucket,
            TEMPLATES_URL: self.storage.templates_url,
            TOPIC: rights.topic_arn,
            CALL_AS: call_as,
            MOST_REPAIRS: str(most_repairs),
        }
        self.functions = {task: self._function(task, code, code_signing, environment) for task in TASKS}
        definition = drift_definition(
            timeouts={task: handler.timeout_seconds for task, handler in HANDLERS.items()},
            max_concurrency=max_concurrency,
            tolerated_failure_percentage=tolerated_failure_percentage,
            longest_run_seconds=int(longest_run.to_seconds()),
        )
        self.state_machine = self._state_machine(definition, rights, states_log)
        starting = rights.starting()
        self.triggers = DriftTriggers(
            self,
            "Triggers",
            prefix=f"{organization}-drift",
            state_machine_arn=self.state_machine.attr_arn,
            stack_sets=tuple(stack_sets),
            every=every,
            enabled=enabled,
            event_bus_name=event_bus_name,
            scheduler_role=self._role(
                "SchedulerRole", f"{organization}-drift-schedule", "Starts runs by the clock", "scheduler", starting
            ),
            events_role=self._role(
                "EventsRole", f"{organization}-drift-events", "Starts runs upon events", "events", starting
            ),
            storage=self.storage,
        )
        self.alarms = DriftAlarms(
            self,
            "Alarms",
            prefix=self._prefix,
            state_machine_arn=self.state_machine.attr_arn,
            stack_sets=stack_sets,
            functions=list(self._names.values()),
            dead_letters=f"{self._prefix}-dead-letters",
            topic_arn=self.storage.topic.attr_topic_arn,
            every_seconds=int(every.to_seconds()),
            missing_periods=missing_periods,
        )

    def _rights(
        self, organization: str, organization_id: str, stack_sets: Sequence[str], stack_set_account: str
    ) -> DriftRights:
        return DriftRights(
            partition=partition_of(self),
            region=self._stack.region,
            account=self._stack.account,
            stack_set_account=stack_set_account,
            organization=organization,
            organization_id=organization_id,
            stack_sets=tuple(stack_sets),
            functions=tuple(self._names.values()),
            bucket=self.storage.bucket_name,
            key_arn=self.storage.key.attr_arn,
            topic_arn=self.storage.topic.attr_topic_arn,
            dead_letters_arn=self.storage.dead_letters.attr_arn,
        )

    def _role(
        self, construct_id: str, name: str, description: str, service: str, document: PolicyDocument
    ) -> ServiceRole:
        return ServiceRole(
            self,
            construct_id,
            name=name,
            description=f"Drift remediation: {description[0].lower()}{description[1:]}",
            service=f"{service}.amazonaws.com",
            document=document,
            states_source_account=service != "lambda",
        )

    def _function(
        self,
        task: str,
        code: lambda_.Code,
        code_signing: EnforcedCodeSigning | ImportedCodeSigning,
        environment: Mapping[str, str],
    ) -> SignedFunction:
        handler = HANDLERS[task]
        return SignedFunction(
            self,
            placeholder(task),
            name=self._names[task],
            description=f"Drift remediation: {_DESCRIPTIONS[task]}",
            code=code,
            code_signing=code_signing,
            handler=handler.handler,
            timeout_seconds=handler.timeout_seconds,
            memory_mib=handler.memory_mib,
            role=self._role_of(task),
            environment=environment,
            key_arn=self.storage.key.attr_arn,
            retention_days=self._log_retention_days,
        )

    def _role_of(self, task: str) -> ServiceRole:
        if task == "start":
            return self._beginning_role
        return self.repairing_role if task in _REPAIRING else self._bookkeeping_role

    def _state_machine(
        self, definition: str, rights: DriftRights, log_group_name: str
    ) -> stepfunctions.CfnStateMachine:
        log_group = EncryptedLogGroup(
            self,
            "StateMachineLogs",
            name=log_group_name,
            key_arn=self.storage.key.attr_arn,
            retention_days=self._log_retention_days,
        )
        role = self._role(
            "StateMachineRole", f"{self._prefix}-states", "Calls the functions", "states", rights.state_machine()
        )
        return stepfunctions.CfnStateMachine(
            self,
            "StateMachine",
            state_machine_name=rights.state_machine_name,
            state_machine_type="STANDARD",
            role_arn=role.arn,
            definition_string=definition,
            definition_substitutions={
                "Partition": rights.partition,
                **{placeholder(task): function.arn for task, function in self.functions.items()},
            },
            logging_configuration=stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                # Inputs name accounts and drift, no secrets; a history without them explains nothing.
                include_execution_data=True,
                destinations=[
                    stepfunctions.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log_group.l1.attr_arn
                        )
                    )
                ],
            ),
            tracing_configuration=stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )


def _require_between(argument: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:
        raise ConstructError(f"{argument}={value:g} {unit} is out of range. Use {least:g} to {most:g} {unit}")


def _require_one_of(argument: str, value: str, values: Sequence[str]) -> None:
    if value not in values:
        raise ConstructError(f"{argument}={value!r}. Use {' or '.join(map(repr, values))}")
