"""What is wrong with a waiver (`-- migrate:allow RULE: reason`)."""

from dataclasses import dataclass

from checks.facts.base import Fact


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverWithoutReason(Fact):
    """It does not say why."""

    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverUnknownRule(Fact):
    """It names no rule. `nearest` asks whether a similar one was meant."""

    rule: str
    nearest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverUnused(Fact):
    """Nothing was found that it could excuse."""

    rule: str
