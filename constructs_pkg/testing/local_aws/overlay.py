"""The registry through which our modules add services, CloudFormation resource types and state to MiniStack.

A module has a function ``install(overlay)`` and is listed in `MODULES`. What it adds goes through the `Overlay`, so
that the places where the internals of MiniStack are touched are few.
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001, ANN401

import importlib
import json
import logging
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

from constructs_pkg.errors import ServiceError
from constructs_pkg.organization import Organization
from constructs_pkg.testing.local_aws.internals import (
    APP,
    CLOUDFORMATION_DRIFT,
    CLOUDFORMATION_HANDLERS,
    CLOUDFORMATION_PROVISIONERS,
    EVENTBRIDGE,
    RESPONSES,
)
from constructs_pkg.testing.local_aws.settings import Settings

__all__ = ["MODULES", "Overlay", "Proceed", "Request", "Response", "Service", "install"]

MODULES = (
    "constructs_pkg.testing.local_aws.accounts",
    "constructs_pkg.testing.local_aws.signer",
    "constructs_pkg.testing.local_aws.foreign_code",
    "constructs_pkg.testing.local_aws.code_signing",
    "constructs_pkg.testing.local_aws.function_listings",
    "constructs_pkg.testing.local_aws.authorization",
    "constructs_pkg.testing.local_aws.object_copies",
    "constructs_pkg.testing.local_aws.object_events",
    "constructs_pkg.testing.local_aws.call_events",
    "constructs_pkg.testing.local_aws.service_integrations",
    "constructs_pkg.testing.local_aws.event_delivery",
    "constructs_pkg.testing.local_aws.cloudformation",
    "constructs_pkg.testing.local_aws.queue_pipes",
    "constructs_pkg.testing.local_aws.moving_clock",
)
"""All modules of the overlay, in the order in which they are installed."""

_Part = TypeVar("_Part")
_LOG = logging.getLogger("local-aws")

Response = tuple[int, dict[str, str], bytes]
"""HTTP status, headers, body."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a service, as MiniStack routed it; account and Region are those of its credentials.

    Attributes:
        service: MiniStack's name of the service, such as ``lambda`` or ``signer``.
        method: The HTTP method.
        path: The decoded path.
        headers: Names in lower case.
        body: The body.
        query: The query parameters, each with all of its values.
    """

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, list[str]]

    @property
    def account(self) -> str:
        """Return the account of the caller, 12 digits."""
        return RESPONSES.get_account_id()

    @property
    def region(self) -> str:
        """Return the Region of the request."""
        return RESPONSES.get_region()

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object, empty where there is none.

        Raises:
            ServiceError: It is not one (``SerializationException``).
        """
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise ServiceError("SerializationException", f"the request body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise ServiceError("SerializationException", "the request body is not a JSON object")
        return cast("dict[str, Any]", value)


Proceed = Callable[[Request], Awaitable[Response]]
"""Passes a request on to whoever served it before, in the end MiniStack."""
Service = Callable[[Request, Proceed], Awaitable[Response]]
"""Serves a request, or passes it on. A `ServiceError` that it raises becomes AWS's JSON error."""


class ResourceType(Protocol):
    """The functions of a CloudFormation resource type; ``properties`` are resolved, without intrinsic functions."""

    def create(self, logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        """Make the resource; return its physical id and the attributes of ``Fn::GetAtt``."""
        ...

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        """Change the resource, or make another; return as `create` does."""
        ...

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Delete the resource; one that is gone already is no error."""
        ...


class Overlay:
    """What a module gets to install itself.

    Args:
        settings: How the server runs.
        organization: The declared organization; None where every account is let in.
    """

    def __init__(self, settings: Settings, organization: Organization | None) -> None:
        self.settings = settings
        self.organization = organization
        self._stores: dict[str, Any] = {}
        self._parts: dict[type, object] = {}
        self._starters: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC; later than the machine's where the clock was moved."""
        return datetime.now(UTC) + timedelta(seconds=self.global_store("clock").get("advance_seconds", 0))

    def advance_clock(self, by: timedelta) -> None:
        """Move the clock forward, for ever: what is signed from then on is signed in that future.

        Args:
            by: How far; not negative.
        """
        clock = self.global_store("clock")
        clock["advance_seconds"] = clock.get("advance_seconds", 0) + by.total_seconds()

    # Parts that modules share

    def share(self, part: object) -> None:
        """Offer an object to the modules that are installed later, under its class."""
        self._parts[type(part)] = part

    def part(self, kind: type[_Part]) -> _Part:
        """Return the shared object of a class.

        Args:
            kind: Such as ``constructs_pkg.testing.local_aws.code_signing.CodeSigning``.

        Raises:
            KeyError: No module that was installed before shares one: the order of `MODULES` is wrong.
        """
        part = self._parts[kind]
        assert isinstance(part, kind)
        return part

    def at_start(self, starter: Callable[[], None]) -> None:
        """Have a function called once, when the stored state is there and before the first request is answered."""
        self._starters.append(starter)

    def start(self) -> None:
        """Call what `at_start` collected; the server does."""
        for starter in self._starters:
            starter()

    # Services

    def add_service(self, name: str, service: Service) -> None:
        """Put ourselves before whoever serves a service now.

        Args:
            name: MiniStack's name of the service (a key of ``ministack.app.SERVICE_REGISTRY``).
            service: Serves requests or passes them on.
        """
        previous = APP.SERVICE_HANDLERS[name]

        async def proceed(request: Request) -> Response:
            return await previous(request.method, request.path, request.headers, request.body, request.query)

        async def handler(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
        ) -> Response:
            try:
                return await service(Request(name, method, path, headers, body, query), proceed)
            except ServiceError as error:
                return error_response(error)

        APP.SERVICE_HANDLERS[name] = handler

    def add_cloudformation_action(self, name: str, action: Callable[[dict[str, list[str]]], Response]) -> None:
        """Serve an action of CloudFormation's Query API.

        Args:
            name: Such as ``CreateStackSet``.
            action: Gets the flat form parameters, each with all of its values, and returns the XML response.
        """
        CLOUDFORMATION_HANDLERS._ACTION_HANDLERS[name] = action

    def cloudformation_action(self, name: str) -> Callable[[dict[str, list[str]]], Response]:
        """Return who serves an action now, to wrap it.

        Raises:
            KeyError: Nobody does.
        """
        return CLOUDFORMATION_HANDLERS._ACTION_HANDLERS[name]

    def add_resource_type(self, name: str, resource_type: ResourceType) -> None:
        """Teach CloudFormation a resource type, or replace one.

        Args:
            name: Such as ``AWS::Lambda::CodeSigningConfig``.
            resource_type: Its functions.
        """
        CLOUDFORMATION_PROVISIONERS._RESOURCE_HANDLERS[name] = {
            "create": resource_type.create,
            "update": resource_type.update,
            "delete": resource_type.delete,
        }

    def add_drift_reader(
        self, name: str, read: Callable[[str, dict[str, Any]], dict[str, Any] | None], properties: frozenset[str]
    ) -> None:
        """Let drift detection read a resource type.

        Args:
            name: The resource type.
            read: Gets physical id and expected properties; returns the actual properties, None where it is gone.
            properties: The names of the properties to compare.
        """
        CLOUDFORMATION_DRIFT._DRIFT_READERS[name] = (read, properties)

    def emit_event(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Put an event of an AWS service on the default bus of the present account and Region.

        Args:
            source: Such as ``aws.signer``.
            detail_type: The event's ``detail-type``.
            detail: The event's detail.
            resources: ARNs.
        """
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": resources}
        EVENTBRIDGE._put_events({"Entries": [entry]}, allow_aws_source=True)

    # State

    def regional_store(self, name: str) -> MutableMapping[str, Any]:
        """Return a dict that shows only the entries of the present account and Region; stored with the state.

        Args:
            name: Unique among all stores. Keys are texts, values JSON values (and bytes).
        """
        return self._store(name, RESPONSES.AccountRegionScopedDict)

    def account_store(self, name: str) -> MutableMapping[str, Any]:
        """Return a dict that shows only the entries of the present account, in all Regions; stored with the state."""
        return self._store(name, RESPONSES.AccountScopedDict)

    def global_store(self, name: str) -> dict[str, Any]:
        """Return a dict that everybody sees; stored with the state."""
        return self._store(name, dict)

    def _store(self, name: str, kind: Callable[[], Any]) -> Any:
        if name not in self._stores:
            self._stores[name] = kind()
        return self._stores[name]

    def get_state(self) -> dict[str, Any]:
        """Return all stores, for MiniStack's persistence."""
        return dict(self._stores)

    def load_persisted_state(self, state: dict[str, Any]) -> None:
        """Fill the stores with what was stored, for MiniStack's persistence."""
        for name, content in state.items():
            if name in self._stores:
                self._stores[name].clear()
                self._stores[name].update(content)
            else:
                _LOG.warning("the stored state has %r, which this release does not know; it is left out", name)

    def reset(self) -> None:
        """Forget everything, for ``POST /_ministack/reset``."""
        for store in self._stores.values():
            store.clear()

    # Accounts

    @contextmanager
    def acting_in(self, account: str, region: str) -> Generator[None]:
        """Act in another account and Region, within a ``with`` block."""
        with RESPONSES.request_scope(account, region):
            yield

    def run_in(self, account: str, region: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in another account and Region, with a context of its own that tasks it starts inherit."""

        def call() -> Any:
            RESPONSES.set_request_account_id(account)
            RESPONSES.set_request_region(region)
            return function(*arguments)

        return copy_context().run(call)


def error_response(error: ServiceError) -> Response:
    """Return a refusal as AWS's JSON error."""
    return RESPONSES.error_response_json(error.code, str(error), error.status_code)


def install(settings: Settings, organization: Organization | None) -> Overlay:
    """Install all modules over MiniStack; once in a process.

    Args:
        settings: How the server runs.
        organization: The declared organization.
    """
    overlay = Overlay(settings, organization)
    for name in MODULES:
        importlib.import_module(name).install(overlay)
    _keep_state(overlay)
    return overlay


def _keep_state(overlay: Overlay) -> None:
    """Have MiniStack store, restore and reset our state like that of a service of its own."""
    APP._loaded_modules["local_aws_overlay"] = overlay
    APP._state_map["local_aws_overlay"] = "local_aws_overlay"
    APP.SERVICE_REGISTRY["local-aws-overlay"] = {"module": "local_aws_overlay"}
