"""The tiers ``attachment`` and ``unmanaged``: functions and the configs above them, foreign configs and profiles."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import cast

from .expectations import Exemption, Expectations, ExpectedStackSet
from .finding import Finding
from .observations import Baseline, Observation, ObservedConfig, ObservedFunction

__all__ = ["approved_configs", "declared_enforcement", "function_findings"]


def approved_configs(observation: Observation, baseline: Baseline) -> dict[str, ObservedConfig]:
    """Return each application's approved config, where it is there: the member stack says which, by its logical id."""
    if observation.stack is None or observation.configs is None:
        return {}
    by_arn = {config.arn: config for config in observation.configs}
    arns = {name: observation.stack.resources.get(logical_id, "") for name, logical_id in baseline.configs.items()}
    return {name: by_arn[arn] for name, arn in arns.items() if arn in by_arn}


def function_findings(
    observation: Observation,
    baseline: Baseline,
    expectations: Expectations,
    stack_set: ExpectedStackSet,
    *,
    at: datetime,
) -> Iterator[Finding]:
    """Find functions under no or another config, configs that only warn, and what the organization did not make.

    Says nothing where functions, configs or the stack could not be read: that is a finding of its own already.

    Args:
        observation: What was seen.
        baseline: What the StackSet says.
        expectations: What the organization says.
        stack_set: What it says about this wave.
        at: The moment at which exemptions hold, aware.
    """
    judge = _Judge(observation, baseline, expectations, stack_set, at)
    if observation.functions is not None and observation.configs is not None and observation.stack is not None:
        for function in observation.functions:
            yield from judge.function(function)
    for application, config in judge.approved.items():
        yield from judge.enforcement(application, config)
    if stack_set.part != 1:
        return  # what nobody answers for is told once in a wave
    if observation.configs is not None and observation.stack is not None:
        yield from judge.unmanaged_configs()
    if observation.profiles is not None:
        yield from judge.unmanaged_profiles()


class _Judge:
    def __init__(
        self,
        observation: Observation,
        baseline: Baseline,
        expectations: Expectations,
        stack_set: ExpectedStackSet,
        at: datetime,
    ) -> None:
        self._observation = observation
        self._baseline = baseline
        self._expectations = expectations
        self._stack_set = stack_set
        self._at = at
        self.approved = approved_configs(observation, baseline)
        self._approved_arns = {config.arn for config in self.approved.values()} | (observation.siblings or frozenset())
        self._config_of = {name: config for config in observation.configs or () for name in config.functions}

    def function(self, function: ObservedFunction) -> Iterator[Finding]:
        """Judge where a function is attached."""
        config = self._config_of.get(function.name)
        claims = [one.name for one in self._expectations.applications_of(function.name)]
        if not self._is_answered_here(claims):
            return
        accepted = [self.approved[one].arn for one in claims if one in self.approved]
        if config is not None and config.arn in (accepted if claims else self._approved_arns):
            return
        where = "under no code signing config" if config is None else f"under {config.arn}"
        kind = "detached" if config is None else "other-config"
        exemption = self._exemption(function.name)
        lapsed = self._lapsed(function.name)
        if function.package_type == "Image":
            kind = "image"
            explanation = f"the function {function.name} is a container image, which no code signing config can cover"
        elif not claims:
            kind = "unclaimed"
            explanation = f"the function {function.name} is {where}, and no application's patterns claim it"
        elif len(claims) > 1:
            kind = "claimed-twice"
            explanation = (
                f"the function {function.name} is {where}, and several applications claim it: {', '.join(claims)}"
            )
        elif claims[0] not in self._baseline.configs:
            kind = "no-approved-config"
            explanation = (
                f"the function {function.name} is {where}, and the StackSet has no code signing config for {claims[0]}"
            )
        else:
            explanation = f"the function {function.name} is {where}; it belongs under that of {claims[0]}"
        repair = "attach" if kind in {"detached", "other-config"} else "human"
        yield Finding("attachment", kind, function.name, explanation + lapsed, repair, function.name, exemption)

    def _is_answered_here(self, claims: list[str]) -> bool:
        """Every function is judged for one of a wave's StackSets only: that of its application, else the first."""
        if claims:
            return claims[0] in self._stack_set.applications
        return self._stack_set.part == 1 and self._observation.siblings is not None

    def enforcement(self, application: str, config: ObservedConfig) -> Iterator[Finding]:
        """Judge whether an approved config refuses what it should refuse."""
        if self._stack_set.enforcement != "Enforce" or config.enforcement == "Enforce":
            return
        logical_id = self._baseline.configs[application]
        declared = declared_enforcement(self._baseline, self._observation.overrides, logical_id)
        explanation = (
            f"the config {config.arn} of {application} lets untrusted code pass ({config.enforcement}) "
            "in a wave that enforces"
        )
        if declared == "Warn":
            explanation += "; the StackSet itself says Warn: the rollout of the wave's mode is not finished"
            yield Finding("attachment", "warn", config.arn, explanation, "human", config.arn)
        else:
            yield Finding("attachment", "warn", config.arn, explanation, "revert", config.arn)

    def unmanaged_configs(self) -> Iterator[Finding]:
        """Find configs that are not the member stack's. In the security account, the organization has more of them."""
        if self._observation.instance.account == self._expectations.security_account:
            return
        for config in self._foreign_configs():
            count = len(config.functions)
            users = f"{count} function{'s' if count > 1 else ''}" if count else "no function"
            explanation = f"{config.arn} ({config.enforcement}, {users}) was not made by the organization"
            exemption = self._config_exemption(config)
            yield Finding("unmanaged", "config", config.arn, explanation, "human", config.arn, exemption)

    def unmanaged_profiles(self) -> Iterator[Finding]:
        """Find signing profiles that are not the organization's."""
        exempt = {
            publisher: exemption
            for config in self._foreign_configs()
            if (exemption := self._config_exemption(config)) is not None
            for publisher in config.publishers
        }
        in_publisher_account = self._observation.instance.account == self._expectations.publisher_account
        for profile in self._observation.profiles or ():
            if in_publisher_account and profile.name in self._expectations.signing_profiles:
                continue
            explanation = f"the signing profile {profile.version_arn} was not made by the organization"
            exemption = exempt.get(profile.version_arn)
            yield Finding("unmanaged", "profile", profile.version_arn, explanation, "human", profile.name, exemption)

    def _foreign_configs(self) -> Iterator[ObservedConfig]:
        stack = self._observation.stack
        siblings = self._observation.siblings
        if siblings is None:
            return  # whose they are is not known, which is a finding of its own
        ours = siblings | frozenset(() if stack is None else stack.resources.values())
        yield from (config for config in self._observation.configs or () if config.arn not in ours)

    def _config_exemption(self, config: ObservedConfig) -> Exemption | None:
        """A foreign config is exempt where it serves functions, and all of them are."""
        exemptions = [self._exemption(function) for function in config.functions]
        return exemptions[0] if exemptions and None not in exemptions else None

    def _exemption(self, function: str) -> Exemption | None:
        return self._expectations.exemption_of(function, self._at)

    def _lapsed(self, function: str) -> str:
        """Return what to say about an exemption that has expired."""
        if self._exemption(function) is not None:
            return ""
        start_of_time = datetime.min.replace(tzinfo=self._at.tzinfo)
        lapsed = self._expectations.exemption_of(function, start_of_time)
        return "" if lapsed is None else f" (its exemption, of {lapsed.owner}, expired on {lapsed.expires})"


def declared_enforcement(baseline: Baseline, overrides: Mapping[str, str], logical_id: str) -> str | None:
    """Return the mode that the StackSet declares for a config: a literal, or a parameter's value; None if neither."""
    value: object = baseline.template
    for key in ("Resources", logical_id, "Properties", "CodeSigningPolicies", "UntrustedArtifactOnDeployment"):
        value = cast("Mapping[str, object]", value).get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        name = str(cast("Mapping[str, object]", value).get("Ref"))
        return overrides.get(name) or baseline.parameters.get(name)
    return value if isinstance(value, str) else None
