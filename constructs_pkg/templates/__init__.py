"""Reads templates and cloud assemblies from files, and finds the artifact behind every function and layer.

`constructs_pkg.rules` judges what is read here. The doors:

* `read_assembly`: a ``cdk.out`` directory with its nested stacks, stages, StackSets and assets.
* `read_template`: one CloudFormation or SAM template in JSON or YAML, with its local nested ones.
* `find_templates`: assemblies and templates below a directory.
* `compacted` and `template_bytes`: a template that says the same in fewer bytes.
* `check_assembly` and `check_assemblies`: every rule over every template.
"""

from constructs_pkg.templates.archive_verdicts import ArchiveVerdicts
from constructs_pkg.templates.assembly import Assembly
from constructs_pkg.templates.assembly_check import check_assemblies, check_assembly
from constructs_pkg.templates.compaction import compacted, template_bytes
from constructs_pkg.templates.finding import find_templates, is_assembly
from constructs_pkg.templates.reading import read_assembly, read_template

__all__ = [
    "ArchiveVerdicts",
    "Assembly",
    "check_assemblies",
    "check_assembly",
    "compacted",
    "find_templates",
    "is_assembly",
    "read_assembly",
    "read_template",
    "template_bytes",
]
