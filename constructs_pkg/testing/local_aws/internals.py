"""Every place where the overlay touches MiniStack's internals, so that a new release of it breaks loudly and by name.

MiniStack is untyped and its names begin with an underscore: it promises nothing about them, which is why one release is
pinned exactly. `INTERNALS` says what is touched and what for; a test compares the table with the installed release, and
another one with our sources.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = [
    "APP",
    "CLOUDFORMATION_DRIFT",
    "CLOUDFORMATION_HANDLERS",
    "CLOUDFORMATION_PROVISIONERS",
    "CLOUDTRAIL",
    "CLOUDWATCH",
    "EVENTBRIDGE",
    "IAM",
    "IAM_ACTIONS",
    "IAM_EVALUATOR",
    "INTERNALS",
    "LAMBDA",
    "ORGANIZATIONS",
    "PIPES",
    "RESPONSES",
    "ROUTER",
    "S3",
    "SCHEDULER",
    "SIGNER",
    "STEP_FUNCTIONS",
    "STS",
    "Internal",
]

APP: Any = import_module("ministack.app")
IAM_ACTIONS: Any = import_module("ministack.core.iam_actions")
IAM_EVALUATOR: Any = import_module("ministack.core.iam_evaluator")
RESPONSES: Any = import_module("ministack.core.responses")
ROUTER: Any = import_module("ministack.core.router")
CLOUDTRAIL: Any = import_module("ministack.services.cloudtrail")
CLOUDWATCH: Any = import_module("ministack.services.cloudwatch")
CLOUDFORMATION_DRIFT: Any = import_module("ministack.services.cloudformation.drift")
CLOUDFORMATION_HANDLERS: Any = import_module("ministack.services.cloudformation.handlers")
CLOUDFORMATION_PROVISIONERS: Any = import_module("ministack.services.cloudformation.provisioners")
EVENTBRIDGE: Any = import_module("ministack.services.eventbridge")
IAM: Any = import_module("ministack.services.iam")
LAMBDA: Any = import_module("ministack.services.lambda_svc")
ORGANIZATIONS: Any = import_module("ministack.services.organizations")
PIPES: Any = import_module("ministack.services.pipes")
S3: Any = import_module("ministack.services.s3")
SCHEDULER: Any = import_module("ministack.services.scheduler")
SIGNER: Any = import_module("ministack.services.signer")
STEP_FUNCTIONS: Any = import_module("ministack.services.stepfunctions")
STS: Any = import_module("ministack.services.sts")


@dataclass(frozen=True, slots=True)
class Internal:
    """One name of MiniStack that we touch.

    Attributes:
        module: The module, without ``ministack.``.
        name: The name in it.
        purpose: What it is for.
        parameters: The names of a function's parameters, in their order; None for what is no function.
    """

    module: str
    name: str
    purpose: str
    parameters: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """Return ``module.name``."""
        return f"{self.module}.{self.name}"


_REQUEST = ("method", "path", "headers", "body", "query_params")
_SCOPED = "where it keeps "

INTERNALS: tuple[Internal, ...] = (
    Internal("app", "app", "the ASGI application that is served", ("scope", "receive", "send")),
    Internal("app", "SERVICE_HANDLERS", "our services stand before MiniStack's"),
    Internal("app", "SERVICE_REGISTRY", "POST /_ministack/reset resets our state too"),
    Internal("app", "_state_map", "our state is stored and restored with MiniStack's"),
    Internal("app", "_loaded_modules", "our state is stored and restored with MiniStack's"),
    Internal("app", "_collect_scripts", "no scripts of the machine are run", ("dirs",)),
    Internal(
        "app",
        "_dispatch_service_request",
        "unknown accounts are refused; authorization sees the whole request",
        (*_REQUEST, "request_id"),
    ),
    Internal(
        "app",
        "_credential_failure",
        "a refusal in the shape of each service",
        ("service", "iam_action", "request_id", "denied", "headers"),
    ),
    Internal("core.router", "detect_service", "which service a request is for", (*_REQUEST[:3], "query_params")),
    Internal("core.router", "extract_access_key_id", "whose request it is", ("headers", "query_params")),
    Internal("core.responses", "AccountRegionScopedDict", "state of an account in a Region"),
    Internal("core.responses", "AccountScopedDict", "state of an account"),
    Internal("core.responses", "get_account_id", "the account of the request", ()),
    Internal("core.responses", "get_region", "the Region of the request", ()),
    Internal("core.responses", "set_request_account_id", "acting in another account", ("access_key_id",)),
    Internal("core.responses", "set_request_region", "acting in another Region", ("region",)),
    Internal("core.responses", "request_scope", "acting in another account and Region", ("account_id", "region")),
    Internal("core.responses", "json_response", "an answer", ("data", "status", "content_type")),
    Internal(
        "core.responses",
        "error_response_json",
        "an error",
        ("code", "message", "status", "extra", "message_key", "content_type"),
    ),
    Internal(
        "core.iam_actions",
        "extract_iam_action",
        "Lambda's actions are named by the API's model",
        ("service", *_REQUEST),
    ),
    Internal("core.iam_evaluator", "AuthError", "unknown credentials"),
    Internal("core.iam_evaluator", "PrincipalInfo", "who calls"),
    Internal("core.iam_evaluator", "EvalContext", "whether a role may deliver an event"),
    Internal("core.iam_evaluator", "evaluate", "whether a role may deliver an event", ("ctx", "policies", "limits")),
    Internal(
        "core.iam_evaluator",
        "enforce",
        "every resource of a request is checked, with our condition keys",
        ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
    ),
    Internal(
        "core.iam_evaluator",
        "resolve_principal",
        "service control policies limit principals",
        ("access_key_id", "account_id", "credential"),
    ),
    Internal(
        "core.iam_evaluator",
        "evaluate_resource_policy",
        "roles of other accounts meet a bucket's policy",
        ("doc", "ctx", "service", "named_only", "direct_only"),
    ),
    Internal("core.iam_evaluator", "_resolve_condition_key", "aws:PrincipalArn of a session", ("key", "ctx")),
    Internal("core.iam_evaluator", "_first_match", "policy variables are filled in", ("ctx", "stmts", "effect")),
    Internal("core.iam_evaluator", "_principal_org_id", "aws:PrincipalOrgID of member accounts", ("account_id",)),
    Internal("core.iam_evaluator", "parse_policy_document", "service control policies are parsed", ("doc",)),
    Internal("services.iam", "_roles", _SCOPED + "roles"),
    Internal("services.organizations", "_orgs", _SCOPED + "the organization"),
    Internal("services.organizations", "_accounts", _SCOPED + "accounts"),
    Internal("services.organizations", "_ous", _SCOPED + "organizational units"),
    Internal("services.organizations", "_roots", _SCOPED + "roots"),
    Internal("services.organizations", "_policies", _SCOPED + "policies"),
    Internal("services.organizations", "_attachments", _SCOPED + "attachments of policies"),
    Internal("services.organizations", "FULL_ACCESS_POLICY_ID", "the policy that every place has"),
    Internal("services.organizations", "_ensure_org", "makes the organization that ours replaces", ()),
    Internal("services.organizations", "_DISPATCH", "a delegated administrator sees the organization"),
    Internal("services.organizations", "_create_policy", "the guardrails' policies", ("payload",)),
    Internal("services.lambda_svc", "_functions", _SCOPED + "functions"),
    Internal("services.lambda_svc", "_layers", _SCOPED + "layers"),
    Internal("services.lambda_svc", "_now_iso", "Lambda's form of a time", ()),
    Internal("services.lambda_svc", "_create_function", "checked before", ("data",)),
    Internal("services.lambda_svc", "_update_code", "checked before", ("name", "data")),
    Internal("services.lambda_svc", "_update_config", "checked before", ("name", "data")),
    Internal("services.lambda_svc", "_list_functions", "lists published versions, too", ("query_params",)),
    Internal("services.lambda_svc", "_publish_layer_version", "says who signed", ("layer_name", "data")),
    Internal("services.lambda_svc", "_layer_config_from_version", "says who signed", ("layer_arn", "version_config")),
    Internal("services.lambda_svc", "_check_revision", "a stale revision is refused first", ("current", "data")),
    Internal("services.lambda_svc", "_fetch_code_from_s3", "an object is read once", ("bucket", "key", "version_id")),
    Internal("services.lambda_svc", "s3_code_region_message", "code of another Region", ("bucket", "layer")),
    Internal("services.lambda_svc", "_resolve_layer_version_for_attachment", "the code of a layer", ("layer_arn",)),
    Internal("services.s3", "_ensure_bucket", "whether a bucket exists", ("name",)),
    Internal("services.s3", "_bucket_versioning", "whether a bucket has versions"),
    Internal("services.s3", "_get_object_data", "what is signed", ("bucket_name", "key", "version_id")),
    Internal("services.s3", "_put_object", "what was signed", ("bucket_name", "key", "body", "headers")),
    Internal("services.s3", "_bucket_owner_account", "whose bucket Lambda reads", ("name",)),
    Internal(
        "services.s3",
        "_foreign_bucket_allows",
        "whether Lambda may read another account's bucket",
        ("owner_account", "bucket_name", "key", "method", "query_params", "caller", "headers"),
    ),
    Internal("services.s3", "_copy_object", "conditions and checksums", ("bucket_name", "dest_key", "headers")),
    Internal("services.s3", "_check_put_preconditions", "a copy's If-None-Match", ("headers", "existing_obj")),
    Internal(
        "services.s3",
        "_fire_s3_event",
        "the version in an event",
        (
            "bucket_name",
            "key",
            "event_name",
            "size",
            "etag",
            "deletion_type",
            "restore_event_data",
            "version_id",
            "sequencer",
            "object_extra",
            "record_extra",
        ),
    ),
    Internal("services.pipes", "_pipes", _SCOPED + "pipes"),
    Internal("services.stepfunctions", "_ExecutionError", "a failed task"),
    Internal("services.stepfunctions", "_executions", _SCOPED + "executions"),
    Internal("services.stepfunctions", "_state_machines", _SCOPED + "state machines"),
    Internal("services.stepfunctions", "_run_execution", "the role of an execution", ("exec_arn",)),
    Internal(
        "services.stepfunctions",
        "_execute_task",
        "stopping ends children, too",
        ("state_def", "raw_input", "execution", "ctx"),
    ),
    Internal("services.stepfunctions", "_invoke_aws_sdk_integration", "aws-sdk tasks", ("resource", "input_data")),
    Internal("services.sts", "register_session", "sessions of a role", ("access_key", "session")),
    Internal("services.signer", "_profiles", _SCOPED + "signing profiles"),
    Internal("services.signer", "_put_signing_profile", "makes a profile", ("name", "body")),
    Internal("services.signer", "_cancel_signing_profile", "cancels a profile", ("name",)),
    Internal("services.signer", "_add_profile_permission", "adds a permission", ("name", "body")),
    Internal("services.signer", "_remove_profile_permission", "removes one", ("name", "sid", "revision")),
    Internal("services.signer", "_list_profile_permissions", "lists them", ("name",)),
    Internal("services.eventbridge", "_dispatch_event", "the version in an event of S3", ("event", "view")),
    Internal("services.eventbridge", "_invoke_target", "deliveries by a role", ("target", "event", "rule", "view")),
    Internal("services.eventbridge", "_event_buses", _SCOPED + "event buses"),
    Internal("services.eventbridge", "_event_bus_policies", _SCOPED + "policies of event buses"),
    Internal("services.scheduler", "_SCHEDULE_TICK_INTERVAL", "how often schedules are looked at"),
    Internal("services.eventbridge", "_put_events", "events of AWS services", ("data", "allow_aws_source")),
    Internal(
        "services.cloudwatch",
        "record_metric",
        "SignatureValidationErrors",
        ("namespace", "metric_name", "value", "unit", "dimensions"),
    ),
    Internal("services.cloudtrail", "_get_event_queue", "the record of a deployment", ()),
    Internal("services.cloudformation.handlers", "_ACTION_HANDLERS", "actions of CloudFormation"),
    Internal("services.cloudformation.provisioners", "_RESOURCE_HANDLERS", "resource types"),
    Internal("services.cloudformation.drift", "_DRIFT_READERS", "what drift detection reads"),
)
"""Everything that the modules in this directory touch; those in ``cloudformation/`` have tests of their own."""
