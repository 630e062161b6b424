"""The one statement of intent from which all guardrail documents derive, checked when it is made."""

import re
from dataclasses import dataclass

from constructs_pkg.arns import CodeSigningConfigArn, SigningProfileArn
from constructs_pkg.errors import ArnError, GuardrailError
from constructs_pkg.guardrails.documents import is_token
from constructs_pkg.regions import REGIONS_BY_PARTITION

__all__ = ["DEFAULT_PIPELINE_SERVICES", "GuardrailIntent"]

DEFAULT_PIPELINE_SERVICES: tuple[str, ...] = (
    "acm",
    "apigateway",
    "application-autoscaling",
    "cloudformation",
    "cloudwatch",
    "cognito-idp",
    "dynamodb",
    "ec2:Describe*",  # what a function in a VPC needs; instances would run code that nobody signed
    "events",
    "firehose",
    "kinesis",
    "kms",
    "logs",
    "pipes",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm:*Parameter*",  # parameters; the rest of Systems Manager runs commands on machines
    "states",
    "tag",
    "xray",
)
"""What a pipeline of serverless applications deploys, without services that run other code (EC2, ECS, CodeBuild, …)."""

_OWN_STATEMENTS = frozenset({"iam", "lambda", "signer", "sts"})
_PART_OF_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_FUNCTION_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,140}")
_ROLE_PATTERN = re.compile(r"[A-Za-z0-9_+=,.@*?-]{1,64}")
_LAYER_PATTERN = re.compile(
    r"arn:(?P<partition>[a-z-]{3,20}):lambda:[a-z0-9*-]{1,20}:\d{12}:layer:[A-Za-z0-9_*?-]{1,140}:[0-9*?]{1,10}"
)
_SERVICE = re.compile(r"(?P<prefix>[a-z0-9-]{1,60})(?::[A-Za-z0-9*]{1,100})?")
_SERVICE_PRINCIPAL = re.compile(r"[a-z0-9.-]{1,100}\.amazonaws\.(?:com|com\.cn|eu)")
_INVOKING_PRINCIPAL = re.compile(r"\d{12}|arn:[a-z-]{3,20}:iam::\d{12}:(?:root|role/[A-Za-z0-9_+=,.@/-]{1,512})")
_TAG_KEY = re.compile(r"[A-Za-z0-9_.:/=+@-]{1,128}")


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardrailIntent:
    """What the developers and the pipelines of one application may do with Lambda, in one account.

    ``partition``, ``account``, ``regions`` and ``approved_configs`` may be (or hold) AWS CDK tokens, which are passed
    through unread. Names and patterns are letters; ``*`` stands for any text and ``?`` for any character.

    Attributes:
        prefix: The organization's short name; all names that the guardrail makes or protects begin with it.
        application: The application's name, part of the policies' names.
        partition: ``aws``, ``aws-cn``, ``aws-us-gov``, …
        account: The 12 digits of the account whose functions these are.
        regions: The Regions whose approved configs are listed here, at least one; the first is part of the names,
            because IAM is global and a code signing config is not.
        sibling_regions: Regions in which another guardrail of the same application lists the configs. Everywhere else
            functions can be neither created nor changed.
        approved_configs: ARNs of the code signing configs that functions may have. Only the service control policy can
            be made without one.
        functions: Patterns of the names of the application's functions, at least one; no pattern of wildcards alone.
        execution_roles: Patterns of the names of the roles that may be passed, at least one, likewise.
        layers: Patterns of layer version ARNs that functions may use; the account must be written out. None: no layers.
        signing_profiles: ARNs of the signing profiles that may sign, without versions. None: nobody signs.
        remediator_role: The name of the role that puts drifted configs back, exempt from the service control policy.
        self_managed_stack_sets: Whether StackSets with self-managed permissions are in use, so that
            ``AWSCloudFormationStackSetExecutionRole`` is exempt too.
        pass_roles_to: The services that the execution roles may be passed to.
        pipeline_services: What the permissions boundary lets a pipeline use besides Lambda, IAM, STS and Signer: a
            service prefix (``dynamodb``) or an action pattern (``ec2:Describe*``).
        invoking_principals: Who besides AWS services may be named in ``lambda:AddPermission``: account ids or ARNs of
            roles. No condition key tells *what* is granted, so that each of them could be given ``lambda:*``.
        exempt_functions: Patterns of function names that the service control policy lets anybody create unsigned.
        quarantine_tag: The key of the tag that freezes a function which predates the guardrail.

    Raises:
        GuardrailError: A value has the wrong form or contradicts another; the message names the field and the value.
    """

    prefix: str
    application: str
    partition: str
    account: str
    regions: tuple[str, ...]
    sibling_regions: tuple[str, ...] = ()
    approved_configs: tuple[str, ...] = ()
    functions: tuple[str, ...]
    execution_roles: tuple[str, ...]
    layers: tuple[str, ...] = ()
    signing_profiles: tuple[str, ...] = ()
    remediator_role: str
    self_managed_stack_sets: bool = False
    pass_roles_to: tuple[str, ...] = ("lambda.amazonaws.com",)
    pipeline_services: tuple[str, ...] = DEFAULT_PIPELINE_SERVICES
    invoking_principals: tuple[str, ...] = ()
    exempt_functions: tuple[str, ...] = ()
    quarantine_tag: str = "lambda-code-signing:quarantine"

    def __post_init__(self) -> None:
        """Check every field; tokens pass."""
        _matches("prefix", self.prefix, _PART_OF_NAME, "Use at most 40 letters, digits, '-' and '_'")
        _matches("application", self.application, _PART_OF_NAME, "Use at most 40 letters, digits, '-' and '_'")
        if not is_token(self.partition) and self.partition not in REGIONS_BY_PARTITION:
            raise GuardrailError(
                f"partition: {self.partition!r} is not known. Use one of {', '.join(REGIONS_BY_PARTITION)}"
            )
        if not is_token(self.account):
            _matches("account", self.account, re.compile(r"\d{12}"), "Write the 12 digits of the account")
        self._check_regions()
        self._check_configs()
        for field in ("functions", "execution_roles"):
            _at_least_one(field, getattr(self, field))
        for field in ("functions", "exempt_functions"):
            for pattern in getattr(self, field):
                _matches(field, pattern, _FUNCTION_PATTERN, "Write a pattern of function names such as 'payments-*'")
                _more_than_wildcards(field, pattern)
        for pattern in self.execution_roles:
            _matches("execution_roles", pattern, _ROLE_PATTERN, "Write a role name such as 'payments-*-execution'")
            _more_than_wildcards("execution_roles", pattern)
        self._check_layers_and_profiles()
        self._check_services_and_principals()

    def _check_regions(self) -> None:
        _at_least_one("regions", self.regions)
        for region in (*self.regions, *self.sibling_regions):
            known = REGIONS_BY_PARTITION.get(self.partition)
            if known is not None and not is_token(region) and region not in known:
                raise GuardrailError(f"regions: {region!r} is no Region of the partition {self.partition!r}")
        both = sorted(set(self.regions) & set(self.sibling_regions))
        if both:
            raise GuardrailError(
                f"sibling_regions: {', '.join(both)} also stands in regions. A Region has its configs in one document"
            )

    def _check_configs(self) -> None:
        for text in self.approved_configs:
            if is_token(text):
                continue
            try:
                arn = CodeSigningConfigArn.parse(text)
            except ArnError as error:
                raise GuardrailError(f"approved_configs: {error}") from error
            for field, wanted, found in (
                ("partition", self.partition, arn.partition),
                ("account", self.account, arn.account),
            ):
                if not is_token(wanted) and found != wanted:
                    raise GuardrailError(
                        f"approved_configs: {text} is of the {field} {found}, the guardrail of {wanted}. "
                        "A function can only have a config of its own account and Region"
                    )
            if arn.region not in self.regions and not any(map(is_token, self.regions)):
                raise GuardrailError(
                    f"approved_configs: {text} is of {arn.region}, which is not in regions ({', '.join(self.regions)})"
                )

    def _check_layers_and_profiles(self) -> None:
        for pattern in self.layers:
            example = "arn:aws:lambda:*:222222222222:layer:payments-*:*"
            _matches("layers", pattern, _LAYER_PATTERN, f"Write it like {example!r}, with the account in full")
        for text in self.signing_profiles:
            if is_token(text):
                continue
            try:
                SigningProfileArn.parse(text)
            except ArnError as error:
                raise GuardrailError(f"signing_profiles: {error}") from error

    def _check_services_and_principals(self) -> None:
        _matches(
            "remediator_role", self.remediator_role, re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}"), "Write a role's name"
        )
        _matches("quarantine_tag", self.quarantine_tag, _TAG_KEY, "Write a tag key without spaces")
        _at_least_one("pass_roles_to", self.pass_roles_to)
        for service in self.pass_roles_to:
            _matches("pass_roles_to", service, _SERVICE_PRINCIPAL, "Write it like 'lambda.amazonaws.com'")
            if service.split(".")[0] == "cloudformation":
                raise GuardrailError(
                    f"pass_roles_to: {service} would let a pipeline choose the role that deploys in its place. "
                    "Bootstrap CloudFormation's role with the permissions boundary instead"
                )
        for principal in self.invoking_principals:
            _matches("invoking_principals", principal, _INVOKING_PRINCIPAL, "Write 12 digits or the ARN of one role")
        for service in self.pipeline_services:
            match = _matches(
                "pipeline_services", service, _SERVICE, "Write a prefix such as 'dynamodb' or 'ec2:Describe*'"
            )
            if match["prefix"] in _OWN_STATEMENTS:
                raise GuardrailError(
                    f"pipeline_services: {service!r} would open what the boundary lists action by action. Leave it away"
                )

    @property
    def boundary_name(self) -> str:
        """Return the name of the permissions boundary."""
        return f"{self._boundary_stem}-{self.regions[0]}"

    def developer_policy_name(self, number: int) -> str:
        """Return the name of a developer policy, numbered from 1."""
        return f"{self.prefix}-guardrail-{self.application}-developer-{self.regions[0]}-{number}"

    def shared_developer_policy_name(self, number: int) -> str:
        """Return the name of a developer policy for all applications of an account, numbered from 1."""
        return f"{self.prefix}-guardrail-developer-{number}"

    def application_developer_policy_name(self, number: int) -> str:
        """Return the name of a developer policy for all Regions of an account, numbered from 1."""
        return f"{self.prefix}-guardrail-{self.application}-developer-{number}"

    @property
    def regional_developer_policy_name(self) -> str:
        """Return the name of the developer policy that approves the configs of one Region."""
        return f"{self.prefix}-guardrail-{self.application}-developer-{self.regions[0]}"

    def service_control_policy_name(self, number: int) -> str:
        """Return the name of a service control policy, numbered from 1; it is the same for all applications."""
        return f"{self.prefix}-guardrail-{number}"

    @property
    def _boundary_stem(self) -> str:
        return f"{self.prefix}-guardrail-{self.application}-boundary"

    @property
    def boundary_arns(self) -> str:
        """Return the pattern of the ARNs of the application's boundaries, of all Regions."""
        return f"arn:{self.partition}:iam::{self.account}:policy/{self._boundary_stem}-*"

    def guardrail_arns(self, account: str) -> str:
        """Return the pattern of the ARNs of all guardrails of the organization in an account, which may be ``*``."""
        return f"arn:{self.partition}:iam::{account}:policy/{self.prefix}-guardrail-*"

    @property
    def required_configs(self) -> tuple[str, ...]:
        """Return ``approved_configs`` where there is one.

        Raises:
            GuardrailError: There is none, so that no function could be created.
        """
        _at_least_one("approved_configs", self.approved_configs)
        return self.approved_configs

    @property
    def function_arns(self) -> tuple[str, ...]:
        """Return the patterns of the ARNs of the application's functions; a wildcard at the end covers versions too."""
        return tuple(f"arn:{self.partition}:lambda:*:{self.account}:function:{pattern}" for pattern in self.functions)

    @property
    def qualified_function_arns(self) -> tuple[str, ...]:
        """Return ``function_arns`` and the patterns of their versions and aliases (``:VERSION``)."""
        return tuple(
            arn for plain in self.function_arns for arn in ((plain,) if plain.endswith("*") else (plain, f"{plain}:*"))
        )

    @property
    def execution_role_arns(self) -> tuple[str, ...]:
        """Return the patterns of the ARNs of the application's execution roles."""
        return tuple(f"arn:{self.partition}:iam::{self.account}:role/{pattern}" for pattern in self.execution_roles)

    @property
    def own_layer_arns(self) -> tuple[str, ...]:
        """Return the patterns of the ARNs, without versions, of the allowed layers that are in the intent's account.

        Where the account is a token, any of them may be: a right to publish in another account is worth nothing.
        """
        own = ":layer:" if is_token(self.account) else f":{self.account}:layer:"
        return tuple(sorted({pattern.rpartition(":")[0] for pattern in self.layers if own in pattern}))

    def protected_role_arns(self, account: str) -> tuple[str, ...]:
        """Return the roles that are exempt from the service control policy and that nobody else may touch or become.

        Args:
            account: Twelve digits, or ``*`` for every account.
        """
        names = ["stacksets-exec-*", self.remediator_role]
        if self.self_managed_stack_sets:
            names.append("AWSCloudFormationStackSetExecutionRole")
        return tuple(f"arn:{self.partition}:iam::{account}:role/{name}" for name in names)


def _matches(field: str, value: str, pattern: re.Pattern[str], remedy: str) -> re.Match[str]:
    match = pattern.fullmatch(value)
    if match is None:
        raise GuardrailError(f"{field}: {value[:200]!r} cannot be used. {remedy}")
    return match


def _at_least_one(field: str, values: tuple[str, ...]) -> None:
    if not values:
        raise GuardrailError(f"{field}: is empty. Write at least one")


def _more_than_wildcards(field: str, pattern: str) -> None:
    if not pattern.strip("*?"):
        raise GuardrailError(
            f"{field}: {pattern!r} matches every name. Write what the names begin with, such as 'payments-*'"
        )
