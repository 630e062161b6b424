"""What this package's CloudFormation does, each behaviour with where we know it from; no row is proof about AWS."""

from typing import Literal

__all__ = ["BEHAVIOURS", "Origin"]

Origin = Literal["observed on AWS", "documented", "our model"]
"""Observed by us or reported with AWS's own output; read in AWS's documentation or schemas; or only our model."""

BEHAVIOURS: tuple[tuple[str, Origin, str], ...] = (
    # Resource types
    (
        (
            "AWS::Lambda::CodeSigningConfig: no property is create-only, Ref and CodeSigningConfigArn are the ARN, "
            "CodeSigningConfigId its last part, tags and stack tags reach it, the mode is Warn where none is given"
        ),
        "documented",
        "the type's schema",
    ),
    ("A config that a function uses: deleting its stack ends DELETE_FAILED", "documented", "DeleteCodeSigningConfig"),
    ("A description that leaves the template becomes empty", "our model", "the handler's code is not public"),
    (
        "AWS::Signer::SigningProfile: every change but tags replaces the profile; the old one is cancelled",
        "documented",
        "the type's schema: createOnlyProperties; DELETE is CancelSigningProfile",
    ),
    (
        "A custom-named resource that would be replaced fails the update",
        "observed on AWS",
        "MiniStack's records of the sentence; CloudFormation's guide, 'Name type'",
    ),
    (
        "AWS::Lambda::Function: code is verified before the function is made; a refusal fails the resource",
        "documented",
        "Lambda's guide, 'Using code signing'",
    ),
    ("A function that changes config and code at once is checked by the new config", "our model", "order unknown"),
    (
        "AWS::CloudFormation::StackSet: StackSetName and PermissionModel are create-only; deleting deletes instances",
        "documented",
        "the type's schema and its handler permissions",
    ),
    (
        "An instance group that leaves the template is deleted first, the set updated next, new groups made last",
        "our model",
        "the handler's code is not public",
    ),
    ("A role's PermissionsBoundary is set and removed", "documented", "the type's reference"),
    ("An alarm on metric queries is stored and compared, its queries are never evaluated", "our model", "not built"),
    # StackSets
    (
        (
            "Service-managed sets belong to the management account, whoever makes them; only it and the delegated "
            "administrator (the organization file's security account) operate them"
        ),
        "documented",
        "StackSets guide, 'Register a delegated administrator'; which account that is, is our model",
    ),
    ("Service-managed sets never reach the management account", "documented", "StackSets guide"),
    ("Service-managed sets refuse nested stacks and transforms", "documented", "StackSets guide, quotas page"),
    (
        "Stacks are named StackSet-<name>-<UUID>; a name too long for that is cut",
        "documented",
        "StackSets guide, drift example; the cut is our model",
    ),
    (
        (
            "Concurrency, failure tolerance (by Region, strict or soft), Region order; a Region over its tolerance "
            "stops the operation in all that follow"
        ),
        "documented",
        "StackSets guide, 'Stack set operation options'",
    ),
    (
        "Regions in sequence take the order of RegionOrder, then that of the request",
        "our model",
        "the order without RegionOrder is not documented",
    ),
    ("One operation at a time, OperationInProgressException for the next", "documented", "the API reference"),
    (
        "Managed execution queues operations that share an instance and runs the others at once",
        "documented",
        "StackSets guide, 'Managed execution'; what counts as a conflict is our model",
    ),
    (
        (
            "Automatic deployment ignores account filters and parameter overrides, follows DependsOn, deletes or "
            "retains stacks of an account that leaves"
        ),
        "documented",
        "StackSets guide, 'Automatic deployment'",
    ),
    (
        "Automatic deployment goes to all Regions at once and waits for operations that run",
        "our model",
        "preferences of automatic deployments are not documented",
    ),
    (
        "The role stacksets-exec-* in member accounts trusts StackSets' service-linked role alone",
        "observed on AWS",
        "exported role definitions",
    ),
    (
        "Self-managed sets need the administration role, and an execution role that trusts the administrator",
        "documented",
        "StackSets guide, 'Grant self-managed permissions'; conditions in the trust policy are not evaluated here",
    ),
    ("A failed instance's stack is deleted and made again by the next operation", "our model", "not documented"),
    (
        "An update with nothing to change makes an instance current and reverts no drift",
        "documented",
        "stacks guide",
    ),
    ("Account gates never run and are reported SKIPPED", "our model", "not built"),
    ("AccountsUrl, ImportStacksToStackSet, StackId and trusted access calls are refused", "our model", "not built"),
    ("An operation that ran when the server stopped is STOPPED after a restart", "our model", "no such thing on AWS"),
    # Drift
    ("Only properties that the template sets are compared; a function's code never", "documented", "drift guide"),
    (
        "Changes through CloudFormation on a member stack are no drift of the set",
        "documented",
        "StackSets guide",
    ),
    ("A cancelled signing profile is reported as DELETED", "our model", "not documented"),
    (
        "One drift detection of a set at a time; details count drifted, in-sync and failed instances",
        "documented",
        "DetectStackSetDrift",
    ),
    # REVERT_DRIFT
    (
        "REVERT_DRIFT brings modified resources back and deleted ones anew; dependants get their new ids",
        "documented",
        "CloudFormation's guide, 'Drift-aware change sets'",
    ),
    ("Create-only properties are not reconciled; a failed revert goes back to the drift", "documented", "same"),
    ("A deleted resource is shown as Add, a dependant as Modify", "our model", "no recorded answer"),
    (
        "Without drift the change set ends FAILED; the reason is that of an ordinary one",
        "our model",
        "unverified",
    ),
    ("REVERT_DRIFT needs UsePreviousTemplate and previous parameters; others are refused", "our model", "not built"),
    ("REVERT_DRIFT on a stack that a StackSet made is allowed", "our model", "neither documented nor forbidden"),
    ("RoleARN of a change set is accepted and not used", "our model", "MiniStack's stacks have no roles"),
    (
        "What ran on a stack or StackSet when the server was stopped has failed, or was stopped, at the next start",
        "our model",
        "AWS does not stop",
    ),
    # Events
    (
        "EventBridge hears of sets, operations (without an action), instances and drift detections",
        "documented",
        "CloudFormation's guide, events pages",
    ),
    ("Events of service-managed sets go to the management account's bus alone", "our model", "not documented"),
)
"""The behaviour, its origin, and the source or what is unknown."""
