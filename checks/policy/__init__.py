"""The policy file: what a team has written down, read with every mistake placed, and what it makes of findings."""

from checks.policy.judging import apply, blocking, changes, verdict
from checks.policy.model import OF_THE_POLICY, Level, Policy, PolicyFile, Problem
from checks.policy.reading import LARGEST, PATHS, parse, read

__all__ = [
    "LARGEST",
    "OF_THE_POLICY",
    "PATHS",
    "Level",
    "Policy",
    "PolicyFile",
    "Problem",
    "apply",
    "blocking",
    "changes",
    "parse",
    "read",
    "verdict",
]
