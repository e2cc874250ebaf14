"""Sets up the branch databases of one review: the same stubs and extensions on each, states kept as templates."""

import contextlib
import hashlib
import logging
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from bot.branches import Provider, Template, platforms
from checks.branch import Branch
from checks.catalog import part
from checks.catalog import read as catalogs
from checks.catalog.model import Catalog
from checks.errors import CouldNotJudge
from checks.witnesses import reach
from checks.witnesses.model import Failure, Run

_EXTENSION = re.compile(r'\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)"?', re.IGNORECASE)
_CONCURRENTLY = re.compile(r"^(CREATE (?:UNIQUE )?INDEX) CONCURRENTLY\b")  # as our own writers write it
# A pipeline that fails is told to us; psycopg's own word of it is for nobody's terminal.
logging.getLogger("psycopg").addHandler(logging.NullHandler())
_FORMAT = "6"  # of what is kept in templates; another number makes them anew


class StateFailedError(Exception):
    """A state cannot be reached; nothing is kept of the attempt."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run


@dataclass(frozen=True, slots=True)
class Stage:
    """What every branch of one review has in common.

    Attributes:
        stubs: statements that stand in for what the platform brings along.
        extensions: that the SQL asks for, or the policy promises.
        seconds: how long each branch may live.
        ignored: what is not a part of the schema under review: the tracking table.
    """

    provider: Provider
    stubs: tuple[str, ...]
    extensions: Sequence[str]
    seconds: float
    ignored: tuple[str, ...]

    @classmethod
    def of(
        cls,
        provider: Provider,
        texts: Iterable[str],
        table: tuple[str, str],
        *,
        extensions: Sequence[str],
        seconds: float,
    ) -> "Stage":
        """A stage on which all of `texts` can run."""
        sql = list(dict.fromkeys(texts))  # base's are head's, too
        asking = (text for text in sql if "extension" in text.lower())
        wanted = {*extensions, *(name.lower() for text in asking for name in _EXTENSION.findall(text))}
        schema, name = table
        ignored = ("drizzle", f"{schema}.{name}") if schema == "drizzle" else (f"{schema}.{name}",)
        return cls(provider, platforms.stubs(sql), sorted(wanted), seconds, ignored)

    def template(self, name: str, parts: Sequence[str], build: Callable[[Branch], bytes | None]) -> Template:
        """A state that depends on the stubs, the extensions and `parts`; made once, copied afterwards."""
        digest = hashlib.sha256()
        for each in (_FORMAT, name, *self.stubs, "", *self.extensions, "", *parts):
            digest.update(each.encode("utf-8", "surrogateescape") + b"\0")

        def staged(branch: Branch) -> bytes | None:
            play(branch, self.stubs)
            return build(branch)

        return Template(digest.hexdigest(), staged)

    def drawn(self, statements: Sequence[str]) -> Catalog | None:
        """The schema that statements of ours make on an empty database; None where they do not run there."""
        return self.all_drawn([statements])[0]

    def all_drawn(self, drawings: Sequence[Sequence[str]]) -> list[Catalog | None]:
        """The same for several, each on an empty database.

        They share one branch, each in a transaction that is undone: to make a database takes longer than to make a schema.
        What does not run like that (too many locks for one transaction, say) is drawn once more on a branch of its own.
        """
        made: dict[tuple[str, ...], Catalog | None] = {}
        wanted = list(dict.fromkeys(map(tuple, drawings)))
        with contextlib.suppress(CouldNotJudge, psycopg.Error), self.empty() as branch, branch.connect() as session:
            for statements in wanted:
                drawn = self._undone(session, statements)
                if drawn is None:
                    break
                made[statements] = drawn
        for statements in wanted:
            if statements not in made:
                made[statements] = self._alone(statements)
        return [made[tuple(each)] for each in drawings]

    def both_drawn(self, old: Sequence[str], delta: Sequence[str]) -> tuple[Catalog | None, Catalog | None] | None:
        """A drawing, and what it is after a few more statements; None for what does not run there, or where there is no database."""
        try:
            with self.empty() as branch, branch.connect() as session:
                session.execute("begin")
                if not _made(session, old):
                    return None, None
                first = catalogs.read(session, ignore=self.ignored)
                return first, catalogs.read(session, ignore=self.ignored) if _made(session, delta) else None
        except (CouldNotJudge, psycopg.Error):
            return None

    def drawn_upon(
        self, session: psycopg.Connection[Any], delta: Sequence[str], near: Collection[tuple[str, str]]
    ) -> Catalog | None:
        """A few tables as they are after a few statements, which are undone; None where these do not run there.

        Args:
            session: in which nothing is left of it: PostgreSQL 15 or later.
            delta: the statements.
            near: the tables that they touch, and those to which these point.
        """
        drawn = self._undone(session, delta, near)
        # What was looked through is counted now, not while somebody else's statements are counted.
        with contextlib.suppress(psycopg.Error):
            session.execute("select pg_catalog.pg_stat_force_next_flush()")
        return drawn

    def _undone(
        self,
        session: psycopg.Connection[Any],
        statements: Sequence[str],
        near: Collection[tuple[str, str]] | None = None,
    ) -> Catalog | None:
        """Draw in a transaction, read, and undo; None where anything went otherwise."""
        try:
            session.execute("begin")
            return catalogs.read(session, ignore=self.ignored, near=near) if _made(session, statements) else None
        except psycopg.Error:
            return None
        finally:
            with contextlib.suppress(psycopg.Error):
                session.execute("rollback")

    def _alone(self, statements: Sequence[str]) -> Catalog | None:
        try:
            with self.empty() as branch:
                play(branch, statements)
                return self.catalog(branch)
        except (StateFailedError, CouldNotJudge, psycopg.Error):
            return None

    def empty(self) -> AbstractContextManager[Branch]:
        """A branch with nothing on it but the stubs."""
        template = self.template("zero", [], lambda _: None) if self.stubs else None
        return self.provider.branch(template=template, extensions=self.extensions, seconds=self.seconds)

    def catalog(self, branch: Branch) -> Catalog:
        """The schema of a branch as it is now."""
        with branch.connect() as session:
            return self.catalog_in(session)

    def catalog_in(
        self, session: psycopg.Connection[Any], *, near: Collection[tuple[str, str]] | None = None, needs: bool = False
    ) -> Catalog:
        """The same, of the database of a session; `near`, `needs`: see `catalogs.read`."""
        return catalogs.read(session, ignore=self.ignored, near=near, needs=needs)

    def catalog_after(self, session: psycopg.Connection[Any], run: Run, before: Catalog) -> Catalog:
        """The schema after a run; only the tables are read that it can have changed, where that is plain."""
        names = reach.tables(run, before)
        if names is not None:
            some = self.catalog_in(session, near=part.near(before, names), needs=True)
            if (found := part.gone_on(before, some, names)) is not None:
                return found
        return self.catalog_in(session)


def _made(session: psycopg.Connection[Any], statements: Sequence[str]) -> bool:
    """Run statements in the open transaction; false where anything went otherwise."""
    ask: LiteralString = "select pg_catalog.pg_current_xact_id_if_assigned(), pg_catalog.pg_current_xact_id()"
    try:
        mine = session.execute(ask).fetchone()
        with session.pipeline():
            for statement in statements:
                session.execute(_at_once(statement).encode("utf-8", "surrogateescape"))
        now = session.execute(ask).fetchone()
    except psycopg.Error:
        return False
    return mine is not None and now == (mine[1], mine[1])  # else something in it ended the transaction


def _at_once(statement: str) -> str:
    """An index that would be built beside others' work is the same index built at once, which a transaction allows."""
    return _CONCURRENTLY.sub(r"\1", statement)


def play(branch: Branch, statements: Sequence[str]) -> None:
    """Run statements of ours, one by one.

    Raises:
        StateFailedError: one of them failed.
    """
    with branch.connect() as session:
        for statement in statements:
            try:
                session.execute(statement.encode("utf-8", "surrogateescape"))
            except psycopg.Error as error:
                failure = Failure(error.sqlstate or "XX000", error.diag.message_primary or str(error))
                raise StateFailedError(Run(state="failed", transaction="each", failure=failure)) from None
