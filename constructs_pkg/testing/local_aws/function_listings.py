"""ListFunctions with ``FunctionVersion=ALL``, which MiniStack answers as if nobody had asked for published versions."""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

from collections.abc import Callable
from typing import Any

from constructs_pkg.testing.local_aws.internals import LAMBDA, RESPONSES
from constructs_pkg.testing.local_aws.overlay import Overlay, Response

__all__ = ["install"]

_PAGE = 50
"""The most that one answer holds (Lambda API reference, ListFunctions)."""

Listing = Callable[[dict[str, list[str]]], Response]


def install(overlay: Overlay) -> None:  # noqa: ARG001 (every module of the overlay gets it)
    """List published versions where they are asked for."""
    LAMBDA._list_functions = _with_versions(LAMBDA._list_functions)


def _with_versions(original: Listing) -> Listing:
    def list_functions(query_params: dict[str, list[str]]) -> Response:
        if _first(query_params, "FunctionVersion") != "ALL":
            return original(query_params)
        every = list(_versions())
        marker = _first(query_params, "Marker")
        start = int(marker) if marker.isdecimal() else 0
        most = _first(query_params, "MaxItems")
        end = start + min(_PAGE, int(most) if most.isdecimal() and int(most) else _PAGE)
        answer: dict[str, Any] = {"Functions": every[start:end]}
        if end < len(every):
            answer["NextMarker"] = str(end)
        return RESPONSES.json_response(answer)

    return list_functions


def _versions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in sorted(LAMBDA._functions.keys()):
        function = LAMBDA._functions[name]
        found.append(function["config"])
        found += [function["versions"][number]["config"] for number in sorted(function["versions"], key=int)]
    return found


def _first(query_params: dict[str, list[str]], name: str) -> str:
    values = query_params.get(name)
    return values[0] if values else ""
