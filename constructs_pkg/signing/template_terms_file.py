"""The part ``templates`` of a code signing policy file: JSON in, `TemplateTerms` out; and back."""

from collections.abc import Callable
from datetime import date
from typing import Any, Literal, TypeVar, get_args

from constructs_pkg.arns import SigningProfileArn, SigningProfileVersionArn
from constructs_pkg.errors import PolicyError, Problem
from constructs_pkg.signing.json_object import JsonObject
from constructs_pkg.signing.template_terms import (
    MAX_APPROVED_CONFIGS,
    MAX_EXEMPTIONS,
    MAX_EXTERNAL_LAYERS,
    MAX_RECORDED_PROFILES,
    ApprovedConfig,
    ExternalLayer,
    ProfileRecord,
    ProfileStatus,
    TemplateExemption,
    TemplateTerms,
    layer_pattern,
)
from constructs_pkg.validity import Validity

__all__ = ["read_template_terms", "template_terms_document"]

_MAX_DAYS = 36_500
_MAX_RULES = 100
_CONFIG_KEYS: dict[str, Literal["arn", "ssm", "export"]] = {"arn": "arn", "ssm_parameter": "ssm", "export": "export"}
_T = TypeVar("_T")


def read_template_terms(document: JsonObject) -> TemplateTerms:
    """Read the key ``templates`` of a policy file; without it, there are no terms.

    Args:
        document: The whole file; what is wrong is noted there.
    """
    terms = document.child("templates")
    if terms is None:
        return TemplateTerms()
    terms.known_keys("approved_configs", "external_layers", "exemptions", "recorded_profiles", "expires_within_days")
    return TemplateTerms(
        _items(terms, "approved_configs", MAX_APPROVED_CONFIGS, _approved_config),
        _items(terms, "external_layers", MAX_EXTERNAL_LAYERS, _external_layer),
        _items(terms, "exemptions", MAX_EXEMPTIONS, _exemption),
        _items(terms, "recorded_profiles", MAX_RECORDED_PROFILES, _profile_record),
        terms.number("expires_within_days", 0, _MAX_DAYS) or 0,
    )


def template_terms_document(terms: TemplateTerms) -> dict[str, Any]:
    """Return the terms as the policy file writes them; empty where there are none."""
    document: dict[str, Any] = {}
    if terms.approved_configs:
        names = {kind: key for key, kind in _CONFIG_KEYS.items()}
        document["approved_configs"] = [{names[item.kind]: item.name} for item in terms.approved_configs]
    if terms.external_layers:
        document["external_layers"] = [
            {"layer": item.layer, "profile_version_arn": str(item.profile_version_arn), "vendor": item.vendor}
            for item in terms.external_layers
        ]
    if terms.exemptions:
        document["exemptions"] = [_exemption_document(item) for item in terms.exemptions]
    if terms.recorded_profiles:
        document["recorded_profiles"] = [_record_document(item) for item in terms.recorded_profiles]
    if terms.expires_within_days:
        document["expires_within_days"] = terms.expires_within_days
    return document


def _items(terms: JsonObject, key: str, at_most: int, read: Callable[[JsonObject], _T | None]) -> tuple[_T, ...]:
    found: list[_T] = []
    for item in terms.children(key, at_most):
        count = len(item.problems)
        try:
            value = read(item)
        except PolicyError as error:
            # The values check themselves; what they call wrong gets its place in the file here.
            for problem in error.problems:
                place = item.where.removesuffix(".")
                item.problems.append(Problem(place, problem.message, problem.remedy))
            continue
        if value is not None and len(item.problems) == count:
            found.append(value)
    return tuple(found)


def _approved_config(item: JsonObject) -> ApprovedConfig | None:
    item.known_keys(*_CONFIG_KEYS)
    given = [key for key in _CONFIG_KEYS if key in item.values]
    if len(given) != 1:
        item.problem("arn", f"stands beside or instead of {', '.join(given) or 'nothing'}", "Give exactly one key")
        return None
    return item.parsed(given[0], lambda name: ApprovedConfig(_CONFIG_KEYS[given[0]], name))


def _external_layer(item: JsonObject) -> ExternalLayer | None:
    item.known_keys("layer", "profile_version_arn", "vendor")
    layer = item.parsed("layer", layer_pattern, is_required=True)
    arn = item.parsed("profile_version_arn", SigningProfileVersionArn.parse, is_required=True)
    vendor = item.text("vendor", is_required=True)
    return None if layer is None or arn is None or vendor is None else ExternalLayer(layer, arn, vendor)


def _exemption(item: JsonObject) -> TemplateExemption | None:
    item.known_keys("functions", "construct_path", "owner", "reason", "expires", "rules")
    owner, reason = item.text("owner", is_required=True), item.text("reason", is_required=True)
    expires = item.parsed("expires", _day, is_required=True)
    functions, path = item.text("functions"), item.text("construct_path")
    rules = item.parsed_items("rules", str, 0, _MAX_RULES)
    if owner is None or reason is None or expires is None:
        return None
    return TemplateExemption(
        functions=functions, construct_path=path, owner=owner, reason=reason, expires=expires, rules=tuple(rules)
    )


def _profile_record(item: JsonObject) -> ProfileRecord | None:
    item.known_keys("profile_arn", "status", "validity", "platform_id")
    arn = item.parsed("profile_arn", SigningProfileArn.parse, is_required=True)
    status = item.parsed("status", _status, is_required=True)
    validity = item.parsed("validity", Validity.parse)
    platform_id = item.text("platform_id")
    return None if arn is None or status is None else ProfileRecord(arn, status, validity, platform_id)


def _status(text: str) -> ProfileStatus:
    for status in get_args(ProfileStatus):
        if text == status:
            return status
    raise ValueError(f"{text[:40]!r} is not a status. Write one of {', '.join(get_args(ProfileStatus))}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not a day. Write one such as '2026-12-31'") from error


def _exemption_document(item: TemplateExemption) -> dict[str, Any]:
    document: dict[str, Any] = (
        {"functions": item.functions} if item.functions is not None else {"construct_path": item.construct_path}
    )
    document.update(owner=item.owner, reason=item.reason, expires=item.expires.isoformat())
    return {**document, "rules": list(item.rules)} if item.rules else document


def _record_document(item: ProfileRecord) -> dict[str, Any]:
    document: dict[str, Any] = {"profile_arn": str(item.profile_arn), "status": item.status}
    if item.validity is not None:
        document["validity"] = str(item.validity)
    return document if item.platform_id is None else {**document, "platform_id": item.platform_id}
