"""Which internal of MiniStack moved? One test for each that the overlay touches, and one that none is left out."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from constructs_pkg.testing.local_aws import internals
from constructs_pkg.testing.local_aws.internals import INTERNALS
from constructs_pkg.testing.local_aws.server import MINISTACK_VERSION

PACKAGE = Path(internals.__file__).parent
MODULES = {
    name: getattr(internals, name).__name__.removeprefix("ministack.")
    for name in internals.__all__
    if name.isupper() and name != "INTERNALS"
}


@pytest.mark.parametrize("internal", INTERNALS, ids=str)
def test_it_is_where_it_was_and_takes_what_it_took(internal):
    module = importlib.import_module(f"ministack.{internal.module}")
    assert hasattr(module, internal.name), (
        f"MiniStack has no {internal} any more. It serves: {internal.purpose}. "
        f"Find where it went, then pin the new release (now {MINISTACK_VERSION})"
    )
    if internal.parameters is not None:
        found = tuple(inspect.signature(getattr(module, internal.name)).parameters)
        assert found == internal.parameters, f"{internal} takes {found} now. It serves: {internal.purpose}"


def aliased(path):
    """The modules of MiniStack that a source file calls by names of its own (``_X: Any = import_module(…)``)."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call) and node.value.args:
            argument = node.value.args[0]
            if isinstance(argument, ast.Constant) and str(argument.value).startswith("ministack."):
                yield node.target.id, argument.value


@pytest.mark.parametrize("path", sorted((PACKAGE / "cloudformation").glob("*.py")), ids=lambda path: path.stem)
def test_what_cloudformation_touches_is_where_it_was(path):
    modules = {name: importlib.import_module(module) for name, module in aliased(path)}
    gone = {
        f"{modules[node.value.id].__name__}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        and not hasattr(modules[node.value.id], node.attr)
    }
    assert gone == set()


def touched(path):
    """Every name of MiniStack that a source file touches through `internals`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES:
            yield f"{MODULES[node.value.id]}.{node.attr}"


def test_the_table_has_what_the_sources_touch_and_nothing_more():
    found = {name for path in PACKAGE.glob("*.py") for name in touched(path)}
    # These four are wrapped by name, in one loop.
    found |= {
        f"services.lambda_svc.{name}"
        for name in ("_create_function", "_update_code", "_update_config", "_publish_layer_version")
    }
    listed = [str(internal) for internal in INTERNALS]
    assert sorted(listed) == sorted(set(listed))
    assert set(listed) - found == {"app._collect_scripts"}
    assert found - set(listed) == set()


def test_no_source_of_ours_imports_ministack_past_the_table():
    past = [
        path.name
        for path in PACKAGE.glob("*.py")
        if path.name != "internals.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("ministack") for alias in node.names))
    ]
    assert past == []
