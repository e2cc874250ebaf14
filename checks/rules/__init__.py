"""Rules turn facts into findings: one file each, whose name is the function's and, in kebab-case, the rule's id.

A rule is a function with a decorator (its default severity). The annotation of its first parameter is its
subscription, the module's docstring its page; nothing is registered anywhere.
"""

import difflib
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from checks.errors import UserError
from checks.facts import Fact
from checks.rulebook.page import Example, Page, read
from checks.rulebook.weight import weigh
from checks.so_far import Context, Reader, SoFar, Target

if TYPE_CHECKING:
    from checks.report import Finding

__all__ = [
    "Context",
    "Example",
    "Page",
    "Reader",
    "Rule",
    "Said",
    "SoFar",
    "Target",
    "all_rules",
    "error",
    "judge",
    "nearest",
    "note",
    "off",
    "page",
    "warning",
]

Level = Literal["error", "warning", "note", "off"]
Function = TypeVar("Function", bound=Callable[..., Any])
WORST = ("off", "note", "warning", "error")


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule answers when a plain sentence is not enough.

    Attributes:
        severity: instead of the rule's own.
        help: instead of the page's way out.
    """

    message: str
    severity: Level | None = None
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, its default severity, the kinds of facts it hears of, and its page."""

    id: str
    severity: Level
    kinds: tuple[type[Fact], ...]
    page: Page
    function: Callable[..., str | Said | None]
    asks_so_far: bool

    def says(self, fact: Fact, so_far: SoFar) -> Said | None:
        """What the rule says about a fact, if anything."""
        answer = self.function(fact, so_far) if self.asks_so_far else self.function(fact)
        return Said(answer) if isinstance(answer, str) else answer


def error(function: Function) -> Function:
    """It fails, loses history or breaks the written policy: blocks."""
    return _at("error", function)


def warning(function: Function) -> Function:
    """It may hurt."""
    return _at("warning", function)


def note(function: Function) -> Function:
    """Worth knowing."""
    return _at("note", function)


def off(function: Function) -> Function:
    """A matter of style: silent until the policy asks for it."""
    return _at("off", function)


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule, by id."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return {rule.id: rule for rule in map(_load, names)}


def page(rule: str) -> Page:
    """The documentation of a rule.

    Raises:
        UserError: there is no such rule; names the nearest.
    """
    found = all_rules().get(rule)
    if found is None:
        raise UserError(f"There is no rule `{rule}`.{nearest(rule, all_rules())} `bulletproof rules` lists all.")
    return found.page


def nearest(word: str, words: Iterable[str]) -> str:
    """` Did you mean …?` with the most similar of `words`, or nothing."""
    close = difflib.get_close_matches(word.lower().replace("_", "-"), list(words), n=1, cutoff=0.5)
    return f" Did you mean `{close[0]}`?" if close else ""


def judge(facts: Iterable[Fact], context: Context | None = None) -> "list[Finding]":
    """What all rules say about the facts, which come in the order in which their statements run."""
    context = context or Context()
    so_far = SoFar(context)
    findings: list[Finding] = []
    for fact in facts:
        said = (_finding(rule, fact, so_far) for rule in _listeners(type(fact)))
        findings.extend(finding for finding in said if finding is not None)
        so_far.learn(fact)
    return findings


def _finding(rule: Rule, fact: Fact, so_far: SoFar) -> "Finding | None":
    from checks.report import Finding  # noqa: PLC0415 - pydantic, which rule pages do not need

    asked = so_far.context.severities.get(rule.id, rule.severity)
    if asked == "off" or (said := rule.says(fact, so_far)) is None:
        return None
    severity, message = (said.severity or asked, said.message) if asked == rule.severity else (asked, said.message)
    if severity == "warning" and asked == rule.severity:
        severity, message = weigh(fact, so_far, message)
    if severity == "off":
        return None
    place = fact.place
    return Finding(
        rule=rule.id,
        severity=typing.cast("Literal['error', 'warning', 'note']", severity),
        path=place.path,
        line=place.line,
        end_line=place.end_line,
        message=message,
        help=said.help or rule.page.way_out or None,
        migration=place.migration,
        statement=place.statement,
        introduced=fact.introduced,
    )


@cache
def _listeners(kind: type[Fact]) -> Sequence[Rule]:
    return [rule for rule in all_rules().values() if issubclass(kind, rule.kinds)]


def _at(severity: Level, function: Function) -> Function:
    function.__severity__ = severity  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return function


def _load(name: str) -> Rule:
    module = importlib.import_module(f"{__name__}.{name}")
    function = getattr(module, name)
    first, *more = inspect.signature(function).parameters
    subscription = typing.get_type_hints(function)[first]
    is_union = isinstance(subscription, types.UnionType) or typing.get_origin(subscription) is typing.Union
    kinds: tuple[type[Fact], ...] = typing.get_args(subscription) if is_union else (subscription,)  # pyright: ignore[reportAssignmentType] - get_type_hints says Any
    rule = name.replace("_", "-")
    severity: Level = function.__severity__
    return Rule(
        id=rule,
        severity=severity,
        kinds=kinds,
        page=read(rule, severity, module.__doc__ or ""),
        function=function,
        asks_so_far=bool(more),
    )
