"""Sessions and clients in the shape of boto3's, whose requests and answers are held against botocore's models."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name  # pyright: ignore[reportUnknownVariableType] (botocore has no types)
from botocore.exceptions import ClientError, ParamValidationError
from botocore.paginate import Paginator
from botocore.validate import ParamValidator

from constructs_pkg.testing.fake_organization.faults import ServiceAnswer

if TYPE_CHECKING:
    from constructs_pkg.testing.fake_organization.organization import FakeOrganization

__all__ = ["Caller", "FakeClient", "FakeSession", "Service"]


class Caller:
    """Who calls.

    Args:
        account: 12 digits.
        arn: Of the caller, as STS tells it.
        expires_at: The second of the clock at which the credentials end, None where they do not.
    """

    def __init__(self, account: str, arn: str, expires_at: float | None = None) -> None:
        self.account, self.arn, self.expires_at = account, arn, expires_at


class Service:
    """What answers the calls of one service in one account and Region; a method has the name of boto3's.

    Args:
        organization: The organization.
        caller: Who calls.
        region: Where.
    """

    def __init__(self, organization: "FakeOrganization", caller: Caller, region: str) -> None:
        self.organization, self.caller, self.region = organization, caller, region
        self.account = caller.account

    def page(
        self, operation: str, items: list[Any], size: int, token: str | None, *, key: str, token_key: str
    ) -> dict[str, Any]:
        """Return one page of a listing.

        Args:
            operation: ``service:Operation``, as `Faults` names it.
            items: All that there is.
            size: Of a page.
            token: What the caller passed.
            key: How the answer calls the items.
            token_key: How the answer calls the token of the next page.
        """
        faults = self.organization.faults
        begin, repeat = ([*map(int, token.split("-")), 0][:2]) if token else (0, 0)
        answer: dict[str, Any] = {key: items[begin : begin + size]}
        if operation in faults.endless_pages:
            return answer | {token_key: "0-0"}
        if operation in faults.repeated_pages and not repeat:
            return answer | {token_key: f"{begin}-1"}
        return answer | ({token_key: f"{begin + size}-0"} if begin + size < len(items) else {})


class FakeSession:
    """A session of one caller; ``constructs_pkg.aws.clients.Clients`` takes it in place of boto3's."""

    def __init__(self, organization: "FakeOrganization", caller: Caller, region: str) -> None:
        self._organization, self._caller, self._region = organization, caller, region
        self.region_name = region

    def client(
        self,
        service: str,
        region_name: str | None = None,
        *,
        aws_access_key_id: str | None = None,
        **_settings: Any,
    ) -> "FakeClient":
        """Return the client of a service, of the session's caller or of whom AssumeRole gave a key."""
        organization = self._organization
        caller = self._caller if aws_access_key_id is None else organization.caller_of(aws_access_key_id)
        return FakeClient(organization, caller, service, region_name or self._region)


class FakeClient:
    """A client of one service: every operation of botocore's model that the fake serves is a method."""

    def __init__(self, organization: "FakeOrganization", caller: Caller, service: str, region: str) -> None:
        self._organization, self._service, self._region = organization, service, region
        self._handler = organization.handler(service, caller, region)
        self._caller = caller
        self.meta = _Meta(region)

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """Return the method of an operation."""
        operation = operations_of(self._service).get(name)
        handler = getattr(self._handler, name, None)
        if operation is None or handler is None:
            raise AttributeError(f"the fake organization has no {self._service}.{name}")
        return functools.partial(self._call, operation, handler)

    def get_paginator(self, name: str) -> Any:
        """Return botocore's own paginator over the fake's pages."""
        model: Any = _session().get_service_model(self._service)
        pages: Any = _session().get_paginator_model(self._service)
        operation = operations_of(self._service)[name]
        paginator: Any = Paginator
        return paginator(getattr(self, name), pages.get_paginator(operation), model.operation_model(operation))

    def _call(self, operation: str, handler: Callable[..., dict[str, Any]], **parameters: Any) -> dict[str, Any]:
        model = _model(self._service, operation)
        _validate(parameters, model.input_shape)
        try:
            self._organization.admit(self._caller, self._region, self._service, operation)
            answer = handler(**parameters)
        except ServiceAnswer as error:
            raise ClientError(
                {
                    "Error": {"Code": error.code, "Message": error.message},
                    "ResponseMetadata": {"HTTPStatusCode": error.status_code},
                },
                operation,
            ) from None
        if self._organization.checks_answers:
            _validate(answer, model.output_shape)
        return answer | {"ResponseMetadata": {"HTTPStatusCode": 200}}


class _Meta:
    def __init__(self, region: str) -> None:
        self.region_name = region


@functools.cache
def _session() -> Any:
    core: Any = botocore.session
    return core.get_session()


@functools.cache
def operations_of(service: str) -> Mapping[str, str]:
    """Return the operations of botocore's model by the names of boto3's methods."""
    return {xform_name(name): name for name in _session().get_service_model(service).operation_names}


@functools.cache
def _model(service: str, operation: str) -> Any:
    return _session().get_service_model(service).operation_model(operation)


def _validate(value: Mapping[str, Any], shape: Any) -> None:
    """Hold a request or an answer against its shape: types, bounds, required and unknown members."""
    if shape is None:
        if value:
            raise ParamValidationError(report=f"no members expected, found {sorted(value)}")
        return
    validator: Any = ParamValidator()
    report: Any = validator.validate(value, shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())
