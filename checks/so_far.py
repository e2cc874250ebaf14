"""What a release has done by now: the questions that more than one rule asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checks import facts


@dataclass(frozen=True, slots=True)
class Target:
    """Something that code may name: a table, or one of its columns."""

    schema: str
    table: str
    column: str | None = None

    def __str__(self) -> str:
        return self.table if self.column is None else f"{self.table}.{self.column}"


@dataclass(frozen=True, slots=True)
class Reader:
    """A place that names a target.

    Attributes:
        what: in words, e.g. ``a query in an `sql` template``.
        sure: the name was resolved to that very table; otherwise the place merely mentions it.
    """

    path: str
    line: int
    what: str
    sure: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What is known beyond the facts.

    Attributes:
        severities: what the policy says of a rule: `error`, `warning`, `note` or `off`.
        large_tables: rows of tables known to be large, by `name` or `schema.name`.
        readers: who still reads what is dropped, renamed or narrowed.
    """

    severities: Mapping[str, str] = field(default_factory=dict[str, str])
    large_tables: Mapping[str, int] = field(default_factory=dict[str, int])
    readers: Mapping[Target, Sequence[Reader]] = field(default_factory=dict[Target, Sequence[Reader]])


class SoFar:
    """The release up to the fact that is being judged."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._created: set[str] = set()

    def learn(self, fact: facts.Fact) -> None:
        """Remember a fact that has been judged."""
        if isinstance(fact, facts.CreatesTable):
            self._created.add(fact.table)
        elif isinstance(fact, facts.RenamesTable) and fact.table in self._created:
            self._created.discard(fact.table)
            self._created.add(fact.new)
        elif isinstance(fact, facts.DropsTable):
            self._created.discard(fact.table)

    def created(self, table: str) -> bool:
        """Was this table (`schema.name` or `name`) born in this release, so that nobody reads it and it holds no rows?"""
        return full_name(table) in self._created

    def rows(self, table: str) -> int | None:
        """About how many rows a table holds where that is known to be many."""
        large = self.context.large_tables
        return large.get(full_name(table), large.get(short_name(table)))


def full_name(table: str) -> str:
    """`schema.name`; what has no schema is in `public`."""
    return table if "." in table else f"public.{table}"


def short_name(table: str) -> str:
    """As people call it: without `public.`."""
    return table.removeprefix("public.")


def waits(mode: str) -> str:
    """What waits for a lock that stops writes at least."""
    return "reads and writes" if mode == "AccessExclusiveLock" else "writes"


def named(fact: facts.Costs) -> str:
    """The table that a fact is about, and those that go with it."""
    also = [f"`{short_name(table)}`" for table in fact.also]
    more = f", {', '.join(also[:2])}" if also else ""
    return f"`{short_name(fact.table)}`{more}" + (f" and {len(also) - 2} more" if len(also) > 2 else "")
