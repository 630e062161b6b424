"""Reads templates and cloud assemblies from files, and finds the artifact behind every function and layer.

`constructs_pkg.rules` judges what is read here. The doors (the names are stable):

* ``read_assembly(path) -> Assembly``: a ``cdk.out`` directory (detected by its ``manifest.json``).
* ``read_template(path) -> Assembly``: one CloudFormation or SAM template in JSON or YAML, with its local nested ones.
* ``find_templates(path) -> Iterator[Path]``: assemblies and templates below a directory.
* ``check_assembly(assembly, policy, at) -> CheckReport``: every rule over every template; false when anything fails.
  A policy that cannot be used (too old, no root) raises nothing: it is the violation ``LCS903``.
"""
