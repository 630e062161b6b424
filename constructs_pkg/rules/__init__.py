"""Rules over CloudFormation and SAM templates: would this app ship code that nobody signed, or a way around signing?

Pure: template dicts and verification reports in, violations out. `constructs_pkg.templates` reads the files. The doors:

* `check_template` applies every rule to one template.
* `RULES` holds every rule by its id; ``docs/rules.md`` explains each.
* `CheckContext` is what a check knows: the policy, the moment, who finds artifacts.
* `Violation` and `CheckReport` are the answer.
"""

from constructs_pkg.rules.artifact import Artifact, ArtifactKind, ArtifactLocator
from constructs_pkg.rules.checking import check_template
from constructs_pkg.rules.code_property import NoArtifacts
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.registry import RULES
from constructs_pkg.rules.report import CHECK_REPORT_VERSION, CheckReport
from constructs_pkg.rules.template import Resource, Template
from constructs_pkg.rules.violation import Rule, Severity, Violation

__all__ = [
    "CHECK_REPORT_VERSION",
    "RULES",
    "Artifact",
    "ArtifactKind",
    "ArtifactLocator",
    "CheckContext",
    "CheckReport",
    "NoArtifacts",
    "Resource",
    "Rule",
    "Severity",
    "Template",
    "Violation",
    "check_template",
]
