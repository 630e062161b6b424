"""IAM policy documents as frozen values: statements, conditions, canonical JSON, and sizes as AWS counts them.

The grammar is that of the IAM User Guide, "IAM JSON policy elements reference". A value here is well-formed; whether a
service, an action or a condition key exists is not checked (the tests do, against the service authorization data).
"""

import json
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from constructs_pkg.errors import GuardrailError

__all__ = ["Condition", "PolicyDocument", "Statement", "is_token", "length_when_resolved"]

_Json: TypeAlias = "str | list[str] | dict[str, _Json]"

_TOKEN = re.compile(r"\$\{Token\[(?P<hint>[^\]]*)\]\}")
_SID = re.compile(r"[A-Za-z0-9]{0,64}")
_LONGEST_BY_HINT = {"AWS.Region": 14, "AWS.AccountId": 12, "AWS.Partition": 10}
_LONGEST_CONFIG_ARN = 90  # arn:aws-us-gov:lambda:ap-southeast-1:123456789012:code-signing-config:csc-… , rounded up


def is_token(text: str) -> bool:
    """Tell whether a text holds an AWS CDK token, which stands for a value that only the deployment knows."""
    return _TOKEN.search(text) is not None


def length_when_resolved(text: str) -> int:
    """Return how many characters a text has once CloudFormation has put in what its AWS CDK tokens stand for.

    The length of a token's value cannot be known before the deployment, so that each counts as the longest text that it
    can be: 14 characters for a Region, 12 for an account, 10 for a partition, 90 (a code signing config's ARN) for all
    others. What is counted is thus never too small as long as tokens are used for nothing longer.
    """
    length = len(text)
    for token in _TOKEN.finditer(text):
        hint = token["hint"].rpartition(".")[0]
        length += _LONGEST_BY_HINT.get(hint, _LONGEST_CONFIG_ARN) - len(token.group())
    return length


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator applied to one key: it holds where the operator says so for any (or, negated, no) value.

    Attributes:
        operator: Such as ``StringEquals`` or ``ForAnyValue:StringNotLike``.
        key: Such as ``lambda:CodeSigningConfigArn``.
        values: At least one.
    """

    operator: str
    key: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that there is something to compare with."""
        if not self.values:
            raise GuardrailError(f"the condition {self.operator} {self.key} has no values. Give it at least one")


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement: lists are sorted and without duplicates, so that equal statements are equal values.

    Attributes:
        sid: Letters and digits, at most 64; empty for none.
        effect: ``Allow`` or ``Deny``.
        actions: What it is about; exactly one of this and ``not_actions``.
        not_actions: What it is *not* about.
        resources: ARN patterns or ``*``; exactly one of this and ``not_resources``.
        not_resources: ARN patterns that it is *not* about.
        conditions: All of them must hold.

    Raises:
        GuardrailError: It is not well-formed; the message names the statement.
    """

    sid: str
    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        """Sort the lists and check that the statement is well-formed."""
        for name in ("actions", "not_actions", "resources", "not_resources"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        if _SID.fullmatch(self.sid) is None:
            raise GuardrailError(f"the Sid {self.sid!r} has other characters than letters and digits, or more than 64")
        if bool(self.actions) == bool(self.not_actions):
            raise GuardrailError(f"the statement {self.sid} needs either actions or not_actions, and not both")
        if bool(self.resources) == bool(self.not_resources):
            raise GuardrailError(f"the statement {self.sid} needs either resources or not_resources, and not both")
        if self.effect == "Allow" and (self.not_actions or self.not_resources):
            raise GuardrailError(f"the statement {self.sid} allows everything but a list. Allow what is meant by name")
        where = [(condition.operator, condition.key) for condition in self.conditions]
        if len(set(where)) != len(where):
            raise GuardrailError(f"the statement {self.sid} has one operator and key twice, of which IAM keeps one")

    def to_dict(self) -> dict[str, _Json]:
        """Return the statement as IAM's JSON has it; a list of one value is that value, which IAM takes alike."""
        document: dict[str, _Json] = {"Sid": self.sid} if self.sid else {}
        document["Effect"] = self.effect
        elements = {
            "Action": self.actions,
            "NotAction": self.not_actions,
            "Resource": self.resources,
            "NotResource": self.not_resources,
        }
        document.update({name: _one_or_many(values) for name, values in elements.items() if values})
        if self.conditions:
            operators: dict[str, _Json] = {}
            for condition in sorted(self.conditions, key=lambda condition: (condition.operator, condition.key)):
                keys = operators.setdefault(condition.operator, {})
                assert isinstance(keys, dict)
                keys[condition.key] = _one_or_many(condition.values)
            document["Condition"] = operators
        return document


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy document of version 2012-10-17.

    Attributes:
        statements: At least one, with Sids that differ.

    Raises:
        GuardrailError: There is no statement, or a Sid occurs twice.
    """

    statements: tuple[Statement, ...]

    def __post_init__(self) -> None:
        """Check what IAM checks about a document as a whole."""
        if not self.statements:
            raise GuardrailError("a policy document without statements cannot be made. Give it at least one")
        sids = [statement.sid for statement in self.statements if statement.sid]
        if len(set(sids)) != len(sids):
            twice = sorted({sid for sid in sids if sids.count(sid) > 1})
            raise GuardrailError(f"the Sids {', '.join(twice)} occur twice in one policy document")

    def to_dict(self) -> dict[str, object]:
        """Return the document as plain dicts, lists and texts, such as CDK's ``from_json`` takes."""
        return {"Version": "2012-10-17", "Statement": [statement.to_dict() for statement in self.statements]}

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the document as JSON.

        Args:
            indent: Spaces for each level; None gives the shortest form, always the same for the same document.
        """
        separators = (",", ":") if indent is None else None
        return json.dumps(self.to_dict(), indent=indent, separators=separators)

    @property
    def stored_characters(self) -> int:
        """Return the characters of the shortest JSON, white space in values included: what AWS Organizations counts.

        AWS CDK tokens are counted by ``length_when_resolved``.
        """
        return length_when_resolved(self.to_json())

    @property
    def characters(self) -> int:
        """Return the characters of the JSON without white space: what IAM counts (IAM and AWS STS quotas).

        AWS CDK tokens are counted by ``length_when_resolved``.
        """
        return length_when_resolved(re.sub(r"\s", "", self.to_json()))


def _one_or_many(values: tuple[str, ...]) -> _Json:
    return values[0] if len(values) == 1 else list(values)
