"""Finds a Node.js before any test module imports aws_cdk."""

from constructs_pkg.node import ensure_node

ensure_node()
