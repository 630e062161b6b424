"""The plan: every tier, in every mode, with and without an exemption."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from constructs_pkg.runtime.drift.expectations import ExpectedStackSet
from constructs_pkg.runtime.drift.finding import Finding
from constructs_pkg.runtime.drift.observations import (
    Baseline,
    Difference,
    MemberStack,
    Observation,
    ObservedConfig,
    ObservedFunction,
    ObservedProfile,
    ResourceDrift,
    StackInstance,
    Unreadable,
    approved_config_resources,
)
from constructs_pkg.runtime.drift.planning import Attach, RevertByChangeSet, outcome_of, plan
from tests.drift.world import APPLICATIONS, EXPECTATIONS, FOREIGN, PUBLISHER, TEMPLATE

AT = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT, REGION = "444444444403", "eu-west-1"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/StackSet-acme-code-signing-second-1/1"
PAYMENTS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-00000000000000001"
CHECKOUT = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-00000000000000002"
OTHER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-00000000000000009"

SECOND = ExpectedStackSet("acme-code-signing-second", "second", "Enforce", "propose", APPLICATIONS)
BASELINE = Baseline(TEMPLATE, {"Mode": "Enforce"}, approved_config_resources(TEMPLATE))
WELL = Observation(
    instance=StackInstance(ACCOUNT, REGION, STACK, "SUCCEEDED", "", "IN_SYNC"),
    drifts=(),
    stack=MemberStack(
        STACK,
        "CREATE_COMPLETE",
        "",
        TEMPLATE,
        {"Mode": "Enforce"},
        {"PaymentsConfig": PAYMENTS, "CheckoutConfig": CHECKOUT, "Guardrail": "acme-guardrail"},
    ),
    configs=(
        ObservedConfig(PAYMENTS, "Enforce", (PUBLISHER,), "", ("payments-api",)),
        ObservedConfig(CHECKOUT, "Enforce", (PUBLISHER,), "", ()),
    ),
    functions=(ObservedFunction("payments-api", "Zip"),),
    profiles=(),
)
WEAKENED = ResourceDrift(
    "PaymentsConfig",
    PAYMENTS,
    "AWS::Lambda::CodeSigningConfig",
    "MODIFIED",
    (Difference("/CodeSigningPolicies/UntrustedArtifactOnDeployment", "Enforce", "Warn", "NOT_EQUAL"),),
)


def seen(*, functions=(), configs=None, stack=None, **more) -> Observation:
    """What is well, and beside it other functions, configs and parts of the stack."""
    assert WELL.stack is not None
    return replace(
        WELL,
        functions=(*WELL.functions, *functions),
        configs=WELL.configs if configs is None else configs,
        stack=replace(WELL.stack, **(stack or {})),
        **more,
    )


def with_function(name: str, config: str | None, package_type: str = "Zip") -> Observation:
    known = {one.arn: one for one in (*WELL.configs, ObservedConfig(OTHER, "Warn", (FOREIGN,), "", ()))}
    if config is not None:
        known[config] = replace(known[config], functions=(*known[config].functions, name))
    if config != OTHER:
        del known[OTHER]
    return seen(functions=(ObservedFunction(name, package_type),), configs=tuple(known.values()))


def decide(observation: Observation, mode: str, approved: frozenset[str] = frozenset(), stack_set=SECOND):
    return plan(observation, BASELINE, EXPECTATIONS, stack_set, mode=mode, at=AT, approved=approved)


def brief(finding: Finding) -> tuple[str, str, str, str, bool]:
    return finding.tier, finding.kind, finding.resource, finding.repair, finding.exemption is not None


CASES: dict[str, tuple[Observation, list[tuple[str, str, str, str, bool]], list[str]]] = {
    "all is well": (WELL, [], []),
    "declared: a config edited by hand": (
        seen(drifts=(WEAKENED,)),
        [("declared", "modified", "PaymentsConfig", "revert", False)],
        ["revert"],
    ),
    "declared: a policy deleted": (
        seen(drifts=(ResourceDrift("Guardrail", "acme-guardrail", "AWS::IAM::ManagedPolicy", "DELETED"),)),
        [("declared", "deleted", "Guardrail", "revert", False)],
        ["revert"],
    ),
    "declared: the whole stack is gone": (
        replace(WELL, stack=None, is_gone=True, drifts=None),
        [("declared", "stack-gone", STACK, "human", False)],
        [],
    ),
    "declared: a stack that takes no change": (
        seen(stack={"status": "UPDATE_ROLLBACK_FAILED", "reason": "stuck"}, drifts=(WEAKENED,)),
        [
            ("declared", "stack-status", STACK, "human", False),
            ("declared", "modified", "PaymentsConfig", "revert", False),
        ],
        [],
    ),
    "template: another template": (
        seen(stack={"template": {"Resources": {}}}),
        [("template", "template", STACK, "template", False)],
        ["template"],
    ),
    "template: another parameter, and drift: the template first": (
        seen(stack={"parameters": {"Mode": "Warn"}}, drifts=(WEAKENED,)),
        [
            ("template", "parameter", "Mode", "template", False),
            ("declared", "modified", "PaymentsConfig", "revert", False),
        ],
        ["template"],
    ),
    "template: a value of the instance's own is none": (
        seen(stack={"parameters": {"Mode": "Warn"}}, overrides={"Mode": "Warn"}),
        [],
        [],
    ),
    "template: a rollout that has not come here yet": (
        replace(seen(stack={"template": {}}), instance=replace(WELL.instance, status="RUNNING")),
        [("unknown", "in-progress", STACK, "none", False)],
        [],
    ),
    "template: a rollout that failed here": (
        replace(seen(stack={"template": {}}), instance=replace(WELL.instance, status="FAILED")),
        [("template", "outdated", STACK, "human", False)],
        [],
    ),
    "attachment: no config": (
        with_function("payments-batch", None),
        [("attachment", "detached", "payments-batch", "attach", False)],
        ["attach payments-batch"],
    ),
    "attachment: a foreign config": (
        with_function("payments-batch", OTHER),
        [
            ("attachment", "other-config", "payments-batch", "attach", False),
            ("unmanaged", "config", OTHER, "human", False),
        ],
        ["attach payments-batch"],
    ),
    "attachment: another application's config": (
        with_function("payments-batch", CHECKOUT),
        [("attachment", "other-config", "payments-batch", "attach", False)],
        ["attach payments-batch"],
    ),
    "attachment: a function that nobody claims, under an approved config": (
        with_function("tool", CHECKOUT),
        [],
        [],
    ),
    "attachment: a function that nobody claims, under none": (
        with_function("tool", None),
        [("attachment", "unclaimed", "tool", "human", False)],
        [],
    ),
    "attachment: a container image": (
        with_function("payments-image", None, "Image"),
        [("attachment", "image", "payments-image", "human", False)],
        [],
    ),
    "attachment: an exempt function": (
        with_function("control-tower", None),
        [("attachment", "unclaimed", "control-tower", "human", True)],
        [],
    ),
    "attachment: an exemption that has expired": (
        with_function("legacy-1", None),
        [("attachment", "unclaimed", "legacy-1", "human", False)],
        [],
    ),
    "attachment: a config on Warn that nobody has detected yet": (
        seen(configs=(replace(WELL.configs[0], enforcement="Warn"), WELL.configs[1])),
        [("attachment", "warn", PAYMENTS, "revert", False)],
        ["revert"],
    ),
    "unmanaged: a foreign config for exempt functions only": (
        with_function("control-tower", OTHER),
        [
            ("attachment", "unclaimed", "control-tower", "human", True),
            ("unmanaged", "config", OTHER, "human", True),
        ],
        [],
    ),
    "unmanaged: a foreign signing profile": (
        seen(profiles=(ObservedProfile("somebody", FOREIGN),)),
        [("unmanaged", "profile", FOREIGN, "human", False)],
        [],
    ),
    "unknown: what could not be read": (
        replace(WELL, functions=None, unreadable=(Unreadable("functions", "denied"),)),
        [("unknown", "unreadable", "functions", "none", False)],
        [],
    ),
    "unknown: what CloudFormation could not check": (
        seen(drifts=(ResourceDrift("Guardrail", "acme-guardrail", "AWS::IAM::ManagedPolicy", "UNKNOWN"),)),
        [("unknown", "not-checked", "Guardrail", "none", False)],
        [],
    ),
    "unknown: a stack on its way": (
        seen(stack={"status": "UPDATE_IN_PROGRESS"}),
        [("unknown", "in-progress", STACK, "none", False)],
        [],
    ),
    "unknown: INOPERABLE": (
        Observation(StackInstance(ACCOUNT, REGION, STACK, "INOPERABLE", "failed", "UNKNOWN")),
        [("unknown", "inoperable", STACK, "human", False)],
        [],
    ),
    "unknown: a suspended account": (
        Observation(StackInstance(ACCOUNT, REGION, STACK, "SKIPPED_SUSPENDED_ACCOUNT", "", "UNKNOWN")),
        [("unknown", "suspended", ACCOUNT, "none", False)],
        [],
    ),
    "unknown: no stack yet": (
        Observation(StackInstance(ACCOUNT, REGION, "", "PENDING", "", "NOT_CHECKED")),
        [("unknown", "no-stack", ACCOUNT, "human", False)],
        [],
    ),
}


@pytest.mark.parametrize("mode", ["detect", "propose", "remediate"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_found_and_what_is_done_about_it(case: str, mode: str) -> None:
    observation, findings, actions = CASES[case]
    planned = decide(observation, mode)
    assert [brief(finding) for finding in planned.findings] == findings
    told = [f"attach {one.function}" if isinstance(one, Attach) else one.kind for one in planned.actions]
    assert told == ([] if mode == "detect" else actions)
    assert {one.decision for one in planned.actions} <= {{"propose": "propose", "remediate": "do"}.get(mode)}


OUTCOMES = {
    "all is well": ("clean", "clean"),
    "declared: a config edited by hand": ("detected", "needs_human"),
    "attachment: an exempt function": ("exempt", "exempt"),
    "unmanaged: a foreign signing profile": ("detected", "needs_human"),
    "unmanaged: a foreign config for exempt functions only": ("exempt", "exempt"),
    "unknown: what could not be read": ("unknown", "unknown"),
    "unknown: INOPERABLE": ("needs_human", "needs_human"),
    "unknown: a suspended account": ("unknown", "unknown"),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_one_word_for_what_is_left(case: str) -> None:
    findings = decide(CASES[case][0], "remediate").findings
    assert tuple(outcome_of(findings, mode=mode, did=False) for mode in ("detect", "remediate")) == OUTCOMES[case]


def test_the_worst_that_holds_is_told_and_what_is_unknown_is_never_clean() -> None:
    unknown = decide(CASES["unknown: what could not be read"][0], "remediate").findings
    assert outcome_of((), mode="remediate", did=True) == "reverted"
    assert outcome_of(unknown, mode="remediate", did=True) == "unknown"
    assert outcome_of(unknown, mode="remediate", did=True, proposed=True) == "proposed"
    assert outcome_of(unknown, mode="remediate", did=True, proposed=True, failed=True) == "failed"


def test_an_expired_exemption_is_told_with_its_owner() -> None:
    (finding,) = decide(CASES["attachment: an exemption that has expired"][0], "detect").findings
    assert finding.explanation == (
        "the function legacy-1 is under no code signing config, and no application's patterns claim it "
        "(its exemption, of legacy@acme.example, expired on 2026-11-01)"
    )


def test_a_function_that_two_applications_claim_is_for_a_human() -> None:
    both = replace(
        EXPECTATIONS, applications=tuple(replace(one, functions=("shared-*",)) for one in EXPECTATIONS.applications)
    )
    observation = with_function("shared-1", None)
    planned = plan(observation, BASELINE, both, SECOND, mode="remediate", at=AT)
    assert [brief(one)[1:4] for one in planned.findings if one.resource == "shared-1"] == [
        ("claimed-twice", "shared-1", "human")
    ]
    assert planned.actions == ()


def test_a_config_on_warn_is_the_rollouts_where_the_stack_set_says_warn() -> None:
    warning = seen(
        configs=(replace(WELL.configs[0], enforcement="Warn"), WELL.configs[1]), stack={"parameters": {"Mode": "Warn"}}
    )
    planned = plan(
        warning, replace(BASELINE, parameters={"Mode": "Warn"}), EXPECTATIONS, SECOND, mode="remediate", at=AT
    )
    assert [brief(one) for one in planned.findings] == [("attachment", "warn", PAYMENTS, "human", False)]
    assert decide(warning, "remediate", stack_set=replace(SECOND, enforcement="Warn")).findings[0].tier == "template"


def test_in_the_security_account_the_organization_has_more_configs_and_profiles() -> None:
    at_home = with_function("payments-batch", OTHER)
    instance = replace(at_home.instance, account=EXPECTATIONS.security_account)
    profiles = (ObservedProfile("acme_payments_g2", PUBLISHER), ObservedProfile("somebody", FOREIGN))
    planned = decide(replace(at_home, instance=instance, profiles=profiles), "detect")
    assert [(one.tier, one.resource) for one in planned.findings] == [
        ("attachment", "payments-batch"),
        ("unmanaged", FOREIGN),
    ]


def test_the_name_of_a_change_set_depends_on_the_stack_and_the_drift_alone() -> None:
    def name(observation: Observation) -> str:
        (action,) = decide(observation, "remediate").actions
        assert isinstance(action, RevertByChangeSet)
        return action.name

    first = name(seen(drifts=(WEAKENED,)))
    other = ResourceDrift("Guardrail", "g", "AWS::IAM::ManagedPolicy", "DELETED")
    assert first == name(seen(drifts=(WEAKENED,)))
    assert name(seen(drifts=(WEAKENED, other))) == name(seen(drifts=(other, WEAKENED)))
    names = {
        first,
        name(seen(drifts=(other,))),
        name(seen(drifts=(WEAKENED, other))),
        name(seen(stack={"stack_id": f"{STACK}2"}, drifts=(WEAKENED,))),
        name(seen(stack={"parameters": {"Mode": "Warn"}})),
        name(seen(stack={"template": "{}"})),
    }
    assert len(names) == 6
    assert all(len(one) == 22 and one.startswith("drift-") for one in names)


def test_an_approval_lets_through_exactly_what_was_approved() -> None:
    observation = replace(with_function("payments-batch", None), drifts=(WEAKENED,))
    revert, attach = decide(observation, "propose").actions
    for approved in (revert, attach):
        found = decide(observation, "propose", frozenset({approved.key})).actions
        assert [one.decision for one in found] == ["do" if one.key == approved.key else "propose" for one in found]
    assert [one.decision for one in decide(observation, "detect", frozenset({revert.key})).actions] == ["do", "propose"]


def test_what_cloudformation_masks_is_not_compared() -> None:
    baseline = replace(BASELINE, parameters={"Mode": "Enforce", "Secret": "****"})
    observation = seen(stack={"parameters": {"Mode": "Enforce", "Secret": "hunter2"}})
    assert plan(observation, baseline, EXPECTATIONS, SECOND, mode="detect", at=AT).findings == ()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"Fn::GetAtt": ["Config", "CodeSigningConfigArn"]}, {"payments": "Config"}),
        ({"Fn::GetAtt": "Config.CodeSigningConfigArn"}, {"payments": "Config"}),
        ({"Ref": "Config"}, {"payments": "Config"}),
        ("arn:aws:lambda:eu-west-1:1:code-signing-config:csc-1", {}),
        ({"Fn::Sub": "${Config}"}, {}),
    ],
)
def test_the_template_tells_which_config_is_which_applications(value, found) -> None:
    properties = {"Name": "/lambda-code-signing/code-signing-configs/payments/arn", "Value": value}
    other = {"Name": "/lambda-code-signing/code-signing-configs/payments/mode", "Value": {"Ref": "Mode"}}
    template = {
        "Resources": {
            "A": {"Type": "AWS::SSM::Parameter", "Properties": properties},
            "B": {"Type": "AWS::SSM::Parameter", "Properties": other},
            "C": {"Type": "AWS::Lambda::CodeSigningConfig", "Properties": {}},
        }
    }
    assert approved_config_resources(template) == found
    assert approved_config_resources("not: json") == {}


def test_each_function_is_judged_for_one_of_a_waves_stack_sets() -> None:
    """Where one template cannot hold all applications, a wave has several StackSets in the same accounts."""
    first, second = replace(SECOND, applications=("payments",)), replace(SECOND, applications=("checkout",), part=2)
    names = ("payments-batch", "checkout-batch", "tool")
    observation = seen(
        functions=tuple(ObservedFunction(name, "Zip") for name in names), configs=with_function("x", OTHER).configs
    )

    def judged(stack_set: ExpectedStackSet) -> list[tuple[str, str]]:
        found = decide(observation, "detect", stack_set=stack_set).findings
        return [(one.kind, one.resource) for one in found]

    assert judged(first) == [("detached", "payments-batch"), ("unclaimed", "tool"), ("config", OTHER)]
    assert judged(second) == [("detached", "checkout-batch")]


def test_a_config_of_the_waves_other_stack_set_is_ours() -> None:
    observation = replace(with_function("tool", OTHER), siblings=frozenset({OTHER}))
    assert decide(observation, "remediate").findings == ()
