"""What CloudFormation makes of the intrinsic functions of our templates, in one account and Region."""

import re
from collections.abc import Mapping
from typing import Any


class Resolver:
    """Fills functions in; a function or reference that it does not know is an error."""

    def __init__(self, template: Mapping[str, Any], known: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
        self.template = template
        self.known = known
        self.attributes = attributes
        self.functions = {
            "Ref": self.ref,
            "Fn::Sub": self.sub,
            "Fn::GetAtt": lambda argument: self.attributes[".".join(argument)],
            "Fn::FindInMap": self.find_in_map,
            "Fn::Join": lambda argument: argument[0].join(self.value(argument[1])),
            "Fn::Equals": lambda argument: self.value(argument[0]) == self.value(argument[1]),
        }

    def value(self, item: Any) -> Any:
        if isinstance(item, list):
            return [self.value(one) for one in item]
        if not isinstance(item, dict):
            return item
        if len(item) == 1:
            ((function, argument),) = item.items()
            if function in self.functions:
                return self.functions[function](argument)
        return {key: self.value(one) for key, one in item.items()}

    def ref(self, name: str) -> Any:
        return self.known[name] if name in self.known or name not in self.template["Resources"] else f"ref:{name}"

    def sub(self, text: str) -> str:
        def one(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            return self.attributes[name] if "." in name else self.ref(name)

        return re.sub(r"\$\{([^}]*)\}", one, text)

    def find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = map(self.value, argument)
        return self.template["Mappings"][name][first][second]


def resolved(
    template: Mapping[str, Any],
    *,
    account: str,
    region: str = "eu-west-1",
    parameters: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the resources with everything filled in; those whose condition does not hold are left out.

    ``parameters`` are values by name, a list for a CommaDelimitedList; ``attributes`` are values by ``Id.Attribute``.
    """
    known = {"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws", **(parameters or {})}
    resolver = Resolver(template, known, attributes or {})
    conditions = {name: resolver.value(expression) for name, expression in template.get("Conditions", {}).items()}
    return {
        logical_id: resolver.value({key: item for key, item in resource.items() if key != "Condition"})
        for logical_id, resource in template["Resources"].items()
        if conditions.get(resource.get("Condition"), True)
    }
