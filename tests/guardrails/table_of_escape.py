"""Attacks that lead out of the guardrail: other roles, the guardrail itself, exempt roles, member stacks."""

from tests.guardrails.asking import (
    ADMIN,
    OUR_BOUNDARY,
    SILENT,
    YES,
    Row,
    ask,
    detach,
    held,
    no,
    passing,
    policy,
    role,
    user,
)
from tests.guardrails.intents import ACCOUNT, OUTSIDER

ROLE_ATTACKS = [
    *(
        Row(
            f"a role of the right name in another account ({name})",
            ask("iam:PassRole", role(name).replace(ACCOUNT, OUTSIDER), iam__PassedToService="lambda.amazonaws.com"),
            no("DenyPassingOtherRoles"),
            held("DenyPassingOtherRoles"),
            YES,
        )
        for name in ("payments-api-execution", "ledger-execution")
    ),
    Row(
        "the key of passing on an action that has it in no data",
        ask(
            "iam:DeleteRole",
            role("ledger-execution"),
            extra_keys=("iam:PassedToService",),
            iam__PassedToService="lambda.amazonaws.com",
        ),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "another account's deployment role",
        ask("sts:AssumeRole", role("cdk-x").replace(ACCOUNT, OUTSIDER)),
        SILENT,
        SILENT,
        YES,
    ),
    Row("a session of one's own making", ask("sts:TagSession", role("cdk-x")), SILENT, SILENT, YES),
    Row(
        "a stronger role for a function",
        passing("admin"),
        no("DenyPassingOtherRoles"),
        held("DenyPassingOtherRoles"),
        YES,
    ),
    Row(
        "an execution role for a machine that runs anything",
        passing("ledger-execution", "ec2.amazonaws.com"),
        no("DenyPassingElsewhere"),
        held("DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "an execution role for CloudFormation",
        passing("ledger-execution", "cloudformation.amazonaws.com"),
        no("DenyPassingElsewhere"),
        held("DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "an execution role for a service that does not say which it is",
        passing("ledger-execution", None),
        no("DenyPassingElsewhere"),
        held("DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "the role of the next deployment, passed to CloudFormation",
        passing("cdk-hnb659fds-cfn-exec-role", "cloudformation.amazonaws.com"),
        no("DenyPassingOtherRoles", "DenyPassingElsewhere"),
        held("DenyPassingOtherRoles", "DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "a fresh role without a boundary",
        ask("iam:CreateRole", role("payments-x")),
        no("DenyUnboundedPrincipals"),
        held("DenyUnboundedPrincipals"),
        YES,
    ),
    Row(
        "a fresh role with a boundary that bounds nothing",
        ask("iam:CreateRole", role("payments-x"), iam__PermissionsBoundary=ADMIN),
        no("DenyUnboundedPrincipals"),
        held("DenyUnboundedPrincipals"),
        YES,
    ),
    Row(
        "a fresh role with ours",
        ask("iam:CreateRole", role("payments-x"), iam__PermissionsBoundary=OUR_BOUNDARY),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "a role's trust opened to oneself, where the role is bound",
        ask("iam:UpdateAssumeRolePolicy", role("payments-x"), iam__PermissionsBoundary=OUR_BOUNDARY),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "the boundary exchanged for one that bounds nothing",
        ask("iam:PutRolePermissionsBoundary", role("payments-developer"), iam__PermissionsBoundary=ADMIN),
        no("DenyUnboundedPrincipals"),
        held("DenyUnboundedPrincipals"),
        YES,
    ),
    *(
        Row(
            f"an unbounded role taken over ({action})",
            ask(f"iam:{action}", role("admin")),
            no("DenyUnboundedPrincipals"),
            held("DenyUnboundedPrincipals"),
            YES,
        )
        for action in ("AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy")
    ),
    *(
        Row(
            f"an unbounded user, made or strengthened ({action})",
            ask(f"iam:{action}", user("accomplice")),
            no("DenyUnboundedPrincipals"),
            SILENT,
            YES,
        )
        for action in ("CreateUser", "AttachUserPolicy", "PutUserPolicy", "PutUserPermissionsBoundary")
    ),
    *(
        Row(
            f"becoming a user who is not bound ({action})",
            ask(f"iam:{action}", user("root-like")),
            no("DenyForeignCredentials"),
            SILENT,
            YES,
        )
        for action in ("CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile")
    ),
    *(
        Row(
            f"our boundary taken off ({action})",
            ask(f"iam:{action}", arn, iam__PermissionsBoundary=OUR_BOUNDARY),
            no("DenyBoundaryRemoval"),
            SILENT,
            no("DenyBoundaryRemoval"),
        )
        for action, arn in (
            ("DeleteRolePermissionsBoundary", role("payments-pipeline")),
            ("DeleteUserPermissionsBoundary", user("payments-builder")),
        )
    ),
    Row(
        "another team's boundary is the account's business",
        ask("iam:DeleteRolePermissionsBoundary", role("data-lake"), iam__PermissionsBoundary=policy("data-boundary")),
        no("DenyBoundaryRemoval"),
        SILENT,
        YES,
    ),
]

GUARDRAIL_ATTACKS = [
    *(
        Row(
            f"the guardrail rewritten or removed ({action})",
            ask(f"iam:{action}", policy(name)),
            no("DenyGuardChanges"),
            expected,
            no("DenyGuardChanges"),
        )
        for action, name, expected in (
            ("CreatePolicyVersion", "acme-guardrail-payments-developer-eu-west-1-1", held("DenyGuardChanges")),
            ("CreatePolicy", "acme-guardrail-payments-boundary-x", held("DenyGuardChanges")),
            ("DeletePolicy", "acme-guardrail-payments-boundary-eu-west-1", held("DenyGuardChanges")),
            ("DeletePolicyVersion", "acme-guardrail-checkout-developer-eu-west-1-1", held("DenyGuardChanges")),
            ("SetDefaultPolicyVersion", "acme-guardrail-payments-developer-eu-west-1-1", no("DenyGuardChanges")),
            ("TagPolicy", "acme-guardrail-payments-developer-eu-west-1-1", held("DenyGuardChanges")),
            ("UntagPolicy", "acme-guardrail-payments-developer-eu-west-1-1", held("DenyGuardChanges")),
        )
    ),
    Row(
        "reading the guardrail is welcome",
        ask("iam:GetPolicy", policy("acme-guardrail-payments-developer-eu-west-1-1")),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "so is listing who has it",
        ask("iam:ListEntitiesForPolicy", policy("acme-guardrail-payments-developer-eu-west-1-1")),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "the guardrail detached from one's own role",
        detach("Role", role("payments-developer"), "acme-guardrail-payments-developer-eu-west-1-1"),
        no("DenyDetaching"),
        held("DenyDetaching"),
        no("DenyDetaching"),
    ),
    Row(
        "from oneself as a user",
        detach("User", user("dev"), "acme-guardrail-payments-developer-eu-west-1-1"),
        no("DenyDetaching"),
        no("DenyDetaching"),
        no("DenyDetaching"),
    ),
    Row(
        "from one's group",
        detach("Group", f"arn:aws:iam::{ACCOUNT}:group/devs", "acme-guardrail-payments-developer-eu-west-1-2"),
        no("DenyDetaching"),
        no("DenyDetaching"),
        no("DenyDetaching"),
    ),
    Row("another policy may be detached", detach("Role", role("payments-x"), "payments-tables"), SILENT, YES, YES),
    Row("a policy of one's own", ask("iam:CreatePolicy", policy("payments-tables")), SILENT, YES, YES),
]

EXEMPT_ROLE_ATTACKS = [
    *(
        Row(f"{why} ({action})", ask(action, role(name), **context), no(*developer), boundary, no("DenyGuardChanges"))
        for why, action, name, context, developer, boundary in (
            (
                "becoming the remediator",
                "sts:AssumeRole",
                "acme-drift-remediator",
                {},
                ["DenyGuardChanges"],
                no("DenyGuardChanges"),
            ),
            (
                "becoming StackSets",
                "sts:AssumeRole",
                "stacksets-exec-0a1b2c",
                {},
                ["DenyGuardChanges"],
                no("DenyGuardChanges"),
            ),
            (
                "the remediator trusts oneself",
                "iam:UpdateAssumeRolePolicy",
                "acme-drift-remediator",
                {},
                ["DenyGuardChanges", "DenyUnboundedPrincipals"],
                held("DenyGuardChanges", "DenyUnboundedPrincipals"),
            ),
            (
                "a role whose name is exempt",
                "iam:CreateRole",
                "stacksets-exec-evil",
                {"iam__PermissionsBoundary": OUR_BOUNDARY},
                ["DenyGuardChanges"],
                held("DenyGuardChanges"),
            ),
            (
                "a role whose path is exempt",
                "iam:CreateRole",
                "stacksets-exec-evil/admin",
                {"iam__PermissionsBoundary": OUR_BOUNDARY},
                ["DenyGuardChanges"],
                held("DenyGuardChanges"),
            ),
            (
                "the remediator's name, taken before it is there",
                "iam:CreateRole",
                "acme-drift-remediator",
                {"iam__PermissionsBoundary": OUR_BOUNDARY},
                ["DenyGuardChanges"],
                held("DenyGuardChanges"),
            ),
            (
                "the remediator deleted: drift stays",
                "iam:DeleteRole",
                "acme-drift-remediator",
                {},
                ["DenyGuardChanges"],
                held("DenyGuardChanges"),
            ),
            (
                "the remediator passed to a function",
                "iam:PassRole",
                "acme-drift-remediator",
                {"iam__PassedToService": "lambda.amazonaws.com"},
                ["DenyGuardChanges", "DenyPassingOtherRoles"],
                held("DenyGuardChanges", "DenyPassingOtherRoles"),
            ),
        )
    ),
    Row("reading the remediator is welcome", ask("iam:GetRole", role("acme-drift-remediator")), SILENT, YES, YES),
    Row("so is listing its policies", ask("iam:ListRolePolicies", role("acme-drift-remediator")), SILENT, YES, YES),
    Row(
        "a pipeline may become CDK's deployment roles",
        ask("sts:AssumeRole", role("cdk-hnb659fds-deploy-role")),
        SILENT,
        YES,
        YES,
    ),
    Row("and no other role", ask("sts:AssumeRole", role("admin")), SILENT, SILENT, YES),
]


def stack(name: str) -> str:
    return f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{name}/5f6a"


def parameter(name: str) -> str:
    return f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/{name}"


STACK_ATTACKS = [
    *(
        Row(
            f"a member stack changed, where drift detection does not look ({action})",
            ask(f"cloudformation:{action}", stack("StackSet-acme-code-signing-0a1b")),
            no("DenyGuardChanges"),
            held("DenyGuardChanges"),
            no("DenyGuardChanges"),
        )
        for action in ("UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet", "SetStackPolicy")
    ),
    *(
        Row(
            f"a member stack looked at ({action})",
            ask(f"cloudformation:{action}", stack("StackSet-acme-code-signing-0a1b")),
            SILENT,
            YES,
            YES,
        )
        for action in ("DescribeStacks", "DetectStackDrift", "GetTemplate", "ListStackResources")
    ),
    *(
        Row(
            f"one's own profile where the next deployment looks for the approved one ({action})",
            ask(f"ssm:{action}", parameter("lambda-code-signing/signing-profiles/acme_payments_g2/version-arn")),
            no("DenyGuardChanges"),
            held("DenyGuardChanges"),
            no("DenyGuardChanges"),
        )
        for action in ("PutParameter", "DeleteParameter", "DeleteParameters")
    ),
    Row("a parameter of one's own", ask("ssm:PutParameter", parameter("payments/limit")), SILENT, YES, YES),
    Row(
        "published ARNs are for reading", ask("ssm:GetParameter", parameter("lambda-code-signing/x")), SILENT, YES, YES
    ),
    Row("a stack of one's own", ask("cloudformation:UpdateStack", stack("payments")), SILENT, YES, YES),
    Row(
        "leaving the organization, out of reach of its policies",
        ask("organizations:LeaveOrganization"),
        SILENT,
        SILENT,
        no("DenyLeaving"),
    ),
]


SILENCING_ATTACKS = [
    *(
        Row(
            f"the wire cut: nobody hears of tampering any more ({service}:{action})",
            ask(f"{service}:{action}", f"arn:aws:{service}:eu-west-1:{ACCOUNT}:{resource}"),
            SILENT,
            YES,
            no("DenySilencing"),
        )
        for service, resource, actions in (
            (
                "events",
                "rule/acme-code-signing-changes",
                ("DeleteRule", "DisableRule", "PutRule", "PutTargets", "RemoveTargets"),
            ),
            (
                "cloudwatch",
                "alarm:acme-code-signing-errors",
                ("DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm", "SetAlarmState"),
            ),
        )
        for action in actions
    ),
    *(
        Row(
            f"the role that reports made useless ({action})",
            ask(
                f"iam:{action}",
                role("acme-code-signing-forwarder-eu-west-1"),
                iam__PermissionsBoundary=OUR_BOUNDARY,
            ),
            SILENT,
            YES,
            no("DenySilencing"),
        )
        for action in (
            "AttachRolePolicy",
            "DeleteRole",
            "PutRolePermissionsBoundary",
            "PutRolePolicy",
            "UpdateAssumeRolePolicy",
        )
    ),
    *(
        Row(
            f"rules and alarms of one's own ({service}:{action})",
            ask(f"{service}:{action}", f"arn:aws:{service}:eu-west-1:{ACCOUNT}:{resource}"),
            SILENT,
            YES,
            YES,
        )
        for service, action, resource in (
            ("events", "PutRule", "rule/payments-nightly"),
            ("cloudwatch", "PutMetricAlarm", "alarm:payments-latency"),
        )
    ),
]
