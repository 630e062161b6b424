"""Systems Manager parameters of a fake organization."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: N803

from typing import Any

from constructs_pkg.testing.fake_organization.clients import Service

__all__ = ["SsmService"]


class SsmService(Service):
    """GetParametersByPath; a page has at most 10 parameters."""

    def get_parameters_by_path(
        self,
        *,
        Path: str,
        Recursive: bool = False,
        MaxResults: int = 10,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """List the parameters below a path."""
        prefix = Path.rstrip("/") + "/"
        items = [
            {
                "Name": name,
                "Type": kind,
                "Value": value,
                "Version": 1,
                "DataType": "text",
                "ARN": f"arn:{self.organization.partition}:ssm:{self.region}:{self.account}:parameter{name}",
            }
            for name, (kind, value) in sorted(self.organization.place(self.account, self.region).parameters.items())
            if name.startswith(prefix) and (Recursive or "/" not in name.removeprefix(prefix))
        ]
        name = "ssm:GetParametersByPath"
        return self.page(name, items, min(MaxResults, 10), NextToken, key="Parameters", token_key="NextToken")  # noqa: S106
