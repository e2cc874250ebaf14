"""What a policy makes of findings: how loud each is, and the verdict."""

from collections.abc import Iterable
from typing import Any, Literal

from checks.policy.model import OF_THE_POLICY, Level, Policy, PolicyFile
from checks.report import Finding


def apply(findings: Iterable[Finding], policy: PolicyFile) -> tuple[Finding, ...]:
    """The findings as loud as the policy wants them.

    A rule that is `off` says nothing. Where there is no policy file its four rules advise: their errors become warnings.
    """
    result: list[Finding] = []
    for finding in findings:
        level: Level = policy.policy.severity(finding.rule, finding.severity)
        if level == "off":
            continue
        if level == "error" and finding.rule in OF_THE_POLICY and policy.path is None:
            level = "warning"
        result.append(finding if level == finding.severity else finding.model_copy(update={"severity": level}))
    return tuple(result)


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that block: errors that head introduced and nobody waived."""
    return tuple(f for f in findings if f.severity == "error" and f.introduced and f.waived is None)


def verdict(findings: Iterable[Finding]) -> Literal["pass", "block"]:
    """`block` where something introduced blocks. Only findings block: under a strict policy `not-checked` is one."""
    return "block" if blocking(findings) else "pass"


def changes(old: PolicyFile, new: PolicyFile) -> tuple[str, ...]:
    """What a new policy would change, in words: what the author of a pull request that edits it is told."""
    if old.path is None and new.path is None:
        return ()
    said: list[str] = []
    if old.path is None:
        said.append("From the merge on, the policy is enforced: what blocks then fails the check instead of advising.")
    if new.path is None:
        said.append("From the merge on, nothing is enforced: the policy file is gone.")
    before, after = _flat(old.policy), _flat(new.policy)
    keys = sorted(before.keys() | after.keys())
    said.extend(
        f"`{key}`: {_value(before.get(key))} → {_value(after.get(key))}"
        for key in keys
        if before.get(key) != after.get(key)
    )
    return tuple(said)


def _flat(policy: Policy) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for section, value in policy.model_dump(by_alias=True).items():
        if isinstance(value, dict):
            result.update({f"{section}.{key}": each for key, each in value.items()})  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        else:
            result[section] = value
    return result


def _value(value: object) -> str:
    match value:
        case None | ():
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple() | list():
            return ", ".join(f"`{each}`" for each in value)  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return ", ".join(f"`{k}: {v}`" for k, v in value.items())  # pyright: ignore[reportUnknownVariableType]
        case _:
            return f"`{value}`"
