"""AWS Lambda code signing for a whole organization.

This root imports nothing, so that every part can be loaded without the others. The doors:

* ``constructs_pkg.cdk``: AWS CDK constructs (loads ``aws_cdk``).
* ``constructs_pkg.organization``: the model of ``organization.toml``.
* ``constructs_pkg.guardrails``: IAM policy documents as plain values.
* ``constructs_pkg.arns``: typed ARNs.
* ``constructs_pkg.signing``: AWS Signer's Lambda signatures, read, verified and made without AWS.
"""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":
        from constructs_pkg._version import __version__  # noqa: PLC0415 (the root stays free of imports)

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
