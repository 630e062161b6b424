"""Adds a template and everything nested in it to an assembly: nested stacks, SAM applications, StackSet bodies."""

from collections.abc import Mapping
from pathlib import Path

from constructs_pkg.errors import TemplateError
from constructs_pkg.rules.template import Resource, Template
from constructs_pkg.rules.values import text_of
from constructs_pkg.templates.assembly import Assembly, StackFiles
from constructs_pkg.templates.documents import MAX_TEMPLATE_BYTES, parse_template, read_bounded

__all__ = ["add_template", "read_document"]

_MAX_DEPTH = 10
_MAX_TEMPLATES = 10_000
_STACK = "AWS::CloudFormation::Stack"
_STACK_SET = "AWS::CloudFormation::StackSet"
_APPLICATION = "AWS::Serverless::Application"


def read_document(path: Path) -> dict[str, object]:
    """Read and parse a template file.

    Raises:
        TemplateError: It cannot be read or understood.
    """
    return parse_template(read_bounded(path, MAX_TEMPLATE_BYTES), str(path))


def add_template(
    assembly: Assembly,
    document: Mapping[str, object],
    files: StackFiles,
    *,
    name: str,
    region: str | None = None,
    account: str | None = None,
) -> Template:
    """Add a template and all that is nested in it.

    What is nested and cannot be read is left out here, and a violation of the resource that names it.

    Args:
        assembly: Where to.
        document: The template.
        files: What it is read with.
        name: What messages call it.
        region: Where it is deployed to, or None.
        account: The account, or None.
    """
    template = Template(document, name, region, account)
    _add(assembly, template, files, nested_in="", depth=0)
    return template


def _add(assembly: Assembly, template: Template, files: StackFiles, *, nested_in: str, depth: int) -> None:
    paths = files.paths
    if paths is not None:
        template.paths = lambda logical_id: paths.of(logical_id, nested_in)
    assembly.templates.append(template)
    assembly.artifacts.add(template, files.directory, files.assets)
    try:
        stacks = list(template.of_types(_STACK, _STACK_SET, _APPLICATION))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return  # the check of this template says so
    for stack in stacks:
        if depth < _MAX_DEPTH and len(assembly.templates) < _MAX_TEMPLATES:
            _add_nested(assembly, template, stack, files, depth)


def _add_nested(assembly: Assembly, template: Template, stack: Resource, files: StackFiles, depth: int) -> None:
    try:
        found = _document_of(stack, files)
    except TemplateError as error:
        assembly.unread.append((template.path, f"{stack.logical_id}: {error}"))
        return
    if found is None:
        return
    document, name, directory = found
    # A StackSet deploys to other accounts and Regions, which its template does not say.
    is_elsewhere = stack.type == _STACK_SET
    nested = Template(
        document,
        name,
        None if is_elsewhere else template.region,
        None if is_elsewhere else template.account,
        parent=stack,
    )
    template.nested[stack.logical_id] = nested
    nested_in = "" if files.paths is None else files.paths.nested_path(stack.construct_path)
    inner = StackFiles(directory, files.assets, None if is_elsewhere else files.paths)
    _add(assembly, nested, inner, nested_in=nested_in, depth=depth + 1)


def _document_of(stack: Resource, files: StackFiles) -> tuple[Mapping[str, object], str, Path | None] | None:
    """Return a nested template, what to call it, and what its paths are relative to; None where it is elsewhere."""
    template, properties = stack.template, stack.properties
    body = properties.get("TemplateBody")
    if body is not None:
        name = f"{template.path}#{stack.logical_id}"
        return parse_template(text_of(template, body).encode(), name), name, files.directory
    url = text_of(template, properties.get("Location" if stack.type == _APPLICATION else "TemplateURL"))
    asset = None if files.assets is None else files.assets.at_url(url)
    if asset is not None and asset.path is not None:
        return read_document(asset.path), str(asset.path), None
    if files.directory is None or "://" in url or "${" in url or not url.strip():
        return None
    path = files.directory / url.removeprefix("file://")
    return (read_document(path), str(path), path.parent) if _is_file(path) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long: no file can have it
        return False
