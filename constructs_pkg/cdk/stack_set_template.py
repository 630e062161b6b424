"""A stack whose template lands in a StackSet: inlined into its resource, or as a file in the bootstrap bucket."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import aws_cdk as cdk
import jsii
from constructs import Construct

from constructs_pkg.errors import ConstructError
from constructs_pkg.templates import compacted, template_bytes

__all__ = ["LIMITS", "MOST_BYTES", "StackSetTemplate", "TemplateRoad"]

TemplateRoad = Literal["inline", "s3"]
"""How a StackSet gets its template: in the request, or from the S3 bucket of the CDK bootstrap stack."""

MOST_BYTES: dict[TemplateRoad, int] = {"inline": 51_200, "s3": 1_000_000}
"""Bytes of ``TemplateBody`` and of a template in S3, which is "1 MB" (User Guide, "CloudFormation quotas")."""

LIMITS: dict[str, int] = {"Resources": 500, "Parameters": 200, "Mappings": 200, "Outputs": 200}
"""How many of each one template may have (User Guide, "CloudFormation quotas")."""

_FORBIDDEN = ("Transform", "Hooks")
"""StackSets with service-managed permissions take no transforms (StackSets guide, quotas page)."""

_SPLIT = (
    "Give new applications another part (part = 2 in their [[applications]] table): each part is a StackSet of its own"
)


class _Synthesizer(cdk.StackSynthesizer):
    """Writes the template, makes it shorter, checks its size, and leaves no stack of its own in the assembly."""

    def __init__(self, name: str, road: TemplateRoad) -> None:
        super().__init__()
        self._name = name
        self._road: TemplateRoad = road
        self.text: str | None = None
        self.url: str | None = None
        self.problem: ConstructError | None = None

    def add_file_asset(self, asset: object = None, **_more: object) -> cdk.FileAssetLocation:
        """Refuse a file: nobody would carry it into the member accounts."""
        del asset
        raise self._refused("files: nobody carries an asset into the member accounts. Take the asset out")

    def add_docker_image_asset(self, asset: object = None, **_more: object) -> cdk.DockerImageAssetLocation:
        """Refuse a container image for the same reason."""
        del asset
        raise self._refused("container images: nobody carries them into the member accounts. Take the image out")

    def synthesize(self, session: cdk.ISynthesisSession) -> None:
        """Write the template where the road wants it."""
        self._synthesize_template(session)
        path = Path(session.outdir, self._bound_stack.template_file)
        template = compacted(json.loads(path.read_text("utf-8")))
        path.unlink()
        body = template_bytes(template)
        self._check(template, len(body))
        self.text = body.decode()
        if self._road == "s3":
            digest = hashlib.sha256(body).hexdigest()
            path.write_bytes(body)
            scope = self._bound_stack.node.scope
            assert scope is not None, "the template is below the stack of its StackSet"
            parent = cdk.Stack.of(scope)
            location = parent.synthesizer.add_file_asset(
                packaging=cdk.FileAssetPackaging.FILE,
                source_hash=digest,
                file_name=path.name,
                display_name=f"{self._name} template",
            )
            self.url = location.http_url

    def _check(self, template: Mapping[str, Any], size_bytes: int) -> None:
        found = [name for name in _FORBIDDEN if name in template]
        if found:
            raise self._refused(f"{' and '.join(found)}, which a StackSet with service-managed permissions refuses")
        for what, most in LIMITS.items():
            number = len(template.get(what, {}))
            if number > most:
                raise self._refused(f"{number:,} {what}; CloudFormation takes {most} in a template. {_SPLIT}")
        most_bytes = MOST_BYTES[self._road]
        if size_bytes > most_bytes:
            longer = 'Write template = "s3" in [rollout] to have up to 1,000,000 bytes in S3, or split it. '
            raise self._refused(
                f"{size_bytes:,} bytes; a template {'in a request' if self._road == 'inline' else 'in S3'} has at most "
                f"{most_bytes:,}. {longer if self._road == 'inline' else ''}{_SPLIT}"
            )

    def _refused(self, what: str) -> ConstructError:
        # An error in a callback from Node.js arrives in app.synth() as a RuntimeError: kept, so that it can be told.
        self.problem = ConstructError(f"the StackSet template {self._name} has {what}")
        return self.problem


@jsii.implements(cdk.IStringProducer)
class _Written:
    """The template's text or address, which is known once the stack has been synthesized: before its parent is."""

    def __init__(self, synthesizer: _Synthesizer, attribute: Literal["text", "url"]) -> None:
        self._synthesizer = synthesizer
        self._attribute = attribute

    def produce(self, context: cdk.IResolveContext) -> str:
        """Return it; while references are being looked for there is nothing yet."""
        if context.preparing:
            return ""
        value = cast("str | None", getattr(self._synthesizer, self._attribute))
        if value is None:
            raise ConstructError("the StackSet's template was asked for before it was written")
        return value


class StackSetTemplate(cdk.Stack):
    """A stack that belongs to no account: its template is what a StackSet puts into many.

    It is part of the construct tree, so that aspects, tags and injectors reach what is in it. It is not listed by
    ``cdk ls``. What is in it may refer to nothing outside of it: hand values over by parameters of the template.

    Args:
        scope: A construct in the stack of the StackSet.
        construct_id: Id within the scope.
        name: What messages call it.
        road: Where the StackSet finds it.

    Raises:
        ConstructError: At synthesis, where it has assets or a transform, or is larger than the road takes; ``problem``
            keeps it, because ``app.synth()`` raises it as a RuntimeError.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, road: TemplateRoad = "inline") -> None:
        self._synthesizer = _Synthesizer(name, road)
        self.road: TemplateRoad = road
        super().__init__(scope, construct_id, synthesizer=self._synthesizer, analytics_reporting=False)

    @property
    def template_body(self) -> str:
        """Return the template as a token, for ``TemplateBody``."""
        return cdk.Lazy.uncached_string(_Written(self._synthesizer, "text"))

    @property
    def template_url(self) -> str:
        """Return the address of the template as a token, for ``TemplateURL``; only where the road is ``s3``."""
        return cdk.Lazy.uncached_string(_Written(self._synthesizer, "url"))

    @property
    def problem(self) -> ConstructError | None:
        """Return why the synthesis failed here, None where it did not."""
        return self._synthesizer.problem

    @property
    def most_bytes(self) -> int:
        """Return how many bytes the template may have on its road."""
        return MOST_BYTES[self.road]

    @property
    def text(self) -> str | None:
        """Return the template's text after the synthesis; None before."""
        return self._synthesizer.text
