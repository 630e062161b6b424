"""Every place where this package touches MiniStack's internals; the parent package's table covers the rest.

A test compares the table with the installed release and with our sources.
"""

from constructs_pkg.testing.local_aws.internals import Internal

__all__ = ["INTERNALS"]

_CLOUDFORMATION = "services.cloudformation"

INTERNALS: tuple[Internal, ...] = (
    Internal(_CLOUDFORMATION, "_change_sets", "change sets of a stack are listed and forgotten"),
    Internal(_CLOUDFORMATION, "_stack_events", "why a stack operation failed"),
    Internal(_CLOUDFORMATION, "_stacks", "operations that a stop of the server cut off"),
    Internal(
        f"{_CLOUDFORMATION}.changesets",
        "_evaluate_conditions",
        "conditions know pseudo parameters",
        ("template", "params"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.changesets",
        "_find_change_set",
        "the change set that a request names",
        ("cs_name", "stack_name"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.changesets",
        "_track_change_set_execution",
        "records are put right after a failed revert",
        ("change_set", "stack", "deploy_coro"),
    ),
    Internal(f"{_CLOUDFORMATION}.drift", "_DRIFT_READERS", "MiniStack's readers, which ours add to"),
    Internal(
        f"{_CLOUDFORMATION}.drift",
        "detect_resource_drift",
        "the drift of one resource",
        ("stack", "logical_id", "record", "timestamp"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.drift", "record_resource_drift", "the drift is shown with the resource", ("record", "drift")
    ),
    Internal(f"{_CLOUDFORMATION}.drift", "supports_drift", "which types have a reader", ("resource_type",)),
    Internal(
        f"{_CLOUDFORMATION}.engine", "_evaluate_conditions", "conditions know pseudo parameters", ("template", "params")
    ),
    Internal(
        f"{_CLOUDFORMATION}.engine", "_parse_template", "a StackSet's template is checked early", ("template_body",)
    ),
    Internal(f"{_CLOUDFORMATION}.handlers", "_ACTION_HANDLERS", "stacks are made, updated, deleted, checked"),
    Internal(
        f"{_CLOUDFORMATION}.handlers",
        "_evaluate_conditions",
        "conditions know pseudo parameters",
        ("template", "params"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.handlers", "_missing_capabilities", "capabilities of a StackSet", ("given", "required")
    ),
    Internal(f"{_CLOUDFORMATION}.handlers", "_required_iam_capabilities", "capabilities of a StackSet", ("template",)),
    Internal(f"{_CLOUDFORMATION}.handlers", "_resolve_stack", "a stack by name or id", ("stack_name",)),
    Internal(
        f"{_CLOUDFORMATION}.helpers", "_resolve_document", "TemplateURL", ("params", "body_key", "url_key", "label")
    ),
    Internal(
        f"{_CLOUDFORMATION}.provisioners", "_CUSTOM_NAME_REPLACEMENT", "StackSets are never replaced under their name"
    ),
    Internal(f"{_CLOUDFORMATION}.provisioners", "_REPLACING_PROPERTIES", "create-only properties of our types"),
    Internal(f"{_CLOUDFORMATION}.provisioners", "_RESOURCE_HANDLERS", "functions with a config; roles with a boundary"),
    Internal(f"{_CLOUDFORMATION}.provisioners", "_STACK_TAG_PROPERTY", "stack tags reach our types"),
    Internal(
        f"{_CLOUDFORMATION}.provisioners", "_cw_metric_alarm_record", "alarms on metric queries", ("name", "props")
    ),
    Internal(f"{_CLOUDFORMATION}.provisioners", "_eb_rule_bus_name", "the event bus of a rule", ("props",)),
    Internal(
        f"{_CLOUDFORMATION}.provisioners",
        "_iam_role_create",
        "the role stacksets-exec-*",
        ("logical_id", "props", "stack_name"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.provisioners",
        "_physical_name",
        "the name that a function will get",
        ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.provisioners",
        "_property_recreation",
        "create-only properties are not reverted",
        ("resource_type", "name"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.provisioners", "_zip_inline", "inline code is checked", ("source", "handler", "runtime")
    ),
    Internal(
        f"{_CLOUDFORMATION}.stacks", "_evaluate_conditions", "conditions know pseudo parameters", ("template", "params")
    ),
    Internal(
        f"{_CLOUDFORMATION}.stacks",
        "_reference_details",
        "who refers to a recreated resource",
        ("res_def", "replacements", "changed_params"),
    ),
    Internal(
        f"{_CLOUDFORMATION}.stacks",
        "_runs_on_worker_thread",
        "StackSet resources wait for their operations",
        ("resource_type",),
    ),
    Internal("services.cloudwatch", "_alarms", "where it keeps its records"),
    Internal("services.cloudwatch", "_resource_tags", "where it keeps its records"),
    Internal("services.eventbridge", "_put_events", "events of aws.cloudformation", ("data", "allow_aws_source")),
    Internal("services.eventbridge", "_rule_key", "the key of a rule", ("rule_name", "bus_name")),
    Internal("services.eventbridge", "_rules", "where it keeps its records"),
    Internal("services.eventbridge", "_targets", "where it keeps its records"),
    Internal("services.iam", "_policies", "where it keeps its records"),
    Internal("services.iam", "_roles", "where it keeps its records"),
    Internal("services.lambda_svc", "_fetch_code_from_s3", "a function's code", ("bucket", "key", "version_id")),
    Internal("services.lambda_svc", "_functions", "where it keeps its records"),
    Internal("services.lambda_svc", "_normalize_layer_attachments", "a function's layers", ("layers",)),
    Internal("services.organizations", "FULL_ACCESS_POLICY_ID", "a joining account starts without denies"),
    Internal("services.organizations", "_accounts", "where it keeps its records"),
    Internal("services.organizations", "_attachments", "where it keeps its records"),
    Internal("services.organizations", "_ous", "where it keeps its records"),
    Internal("services.signer", "_profiles", "where it keeps its records"),
)
