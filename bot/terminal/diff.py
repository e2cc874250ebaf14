"""The difference of two schemas as SQL, proved before it is shown. A side is a .sql file, a PostgreSQL URL, or `git:REV`."""

import contextlib
import json
import sys
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from bot import progress
from bot.branches import Provider, Remembers
from bot.progress import Say, silent
from bot.terminal import sides
from bot.terminal.stderr import say
from checks.catalog import kept
from checks.catalog import read as catalogs
from checks.catalog.model import Catalog

if TYPE_CHECKING:
    from bot.terminal.ahead import Started
    from checks.catalog import proof, statements

Format = Literal["sql", "unified", "json"]
_TRACKING = ("drizzle",)


@dataclass(frozen=True, slots=True)
class Difference:
    """What turns one schema into the other.

    Attributes:
        sql: the statements; empty where the two are equal.
        sides: what the two are called, and their schemas.
        proven: the statements were run on a database at FROM, and it was then at TO.
        why: why it is not proven, or what does not hold for every row.
    """

    equal: bool
    sides: tuple[tuple[str, Catalog], tuple[str, Catalog]]
    sql: str = ""
    proven: bool = True
    why: str = ""

    @property
    def unified(self) -> str:
        """The text difference of both dumps."""
        from checks.catalog import difference  # noqa: PLC0415 - what is not shown is not made

        (before, start), (after, wanted) = self.sides
        return difference.unified(start, wanted, before=before, after=after)

    @property
    def changes(self) -> tuple[str, ...]:
        """In words."""
        from checks.catalog import words  # noqa: PLC0415 - as above

        return tuple(words.summary(self.sides[0][1], self.sides[1][1]))

    def text(self, form: Format) -> str:
        """As it is printed."""
        if form == "unified":
            return self.unified
        if form == "sql":
            return (f"-- not proven: {self.why}\n" if not self.proven else "") + self.sql
        found: dict[str, object] = {"version": 1, "equal": self.equal, "sql": self.sql, "unified": self.unified}
        found |= {"changes": list(self.changes), "proven": self.proven, "why": self.why}
        return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def run(before: str, after: str, form: Format, started: "Started | None" = None) -> int:
    """Print the difference; the exit code: 1 where the two differ. `started`: see `diff`."""
    from bot.terminal import local  # noqa: PLC0415 - others bring a provider of their own

    with progress.shown() as say_so:
        found = diff(before, after, provider=local.provider(), say=say_so, started=started)
    sys.stdout.write(found.text(form))
    if not found.proven:
        say(f"the difference is not proven: {found.why}")
    return 0 if found.equal else 1


def diff(
    before: str,
    after: str,
    *,
    provider: Provider,
    repo: Path = Path(),
    seconds: float = 300.0,
    say: Say = silent,
    started: "Started | None" = None,
) -> Difference:
    """Compare two sides, and prove the difference on a branch database: on `started`, where one was started already.

    Raises:
        UserError: a side cannot be read, or its SQL fails; the text names file, line and PostgreSQL's words.
        CouldNotJudge: a database cannot be reached.
    """
    one, other = (sides.read(name, repo) for name in (before, after))
    ignore = _TRACKING if any(isinstance(side, sides.Revision) for side in (one, other)) else ()
    look = _Look(ignore, provider, seconds)
    say(f"reading {one.label} and {other.label}")
    with catalogs.uncollected(), contextlib.ExitStack() as opened:
        aside = opened.enter_context(ThreadPoolExecutor(2))
        theirs = aside.submit(look.read, other)
        # A database of the person's is only read: what is tried is tried elsewhere, and that is made ready meanwhile.
        scratch = None
        if isinstance(one, sides.Database):
            scratch = aside.submit(look.hold, started)
            opened.callback(_close, scratch)
        # What reading needs is there; the rest is fetched while the databases answer.
        from bot.terminal import respelling  # noqa: PLC0415
        from checks.catalog import difference, proof, statements  # noqa: PLC0415

        session = opened.enter_context(one.open(provider, seconds))
        start = catalogs.read(session, ignore=ignore)
        start, wanted = respelling.alike(start, theirs.result(), lambda: sides.fresh(provider, seconds))
        made = statements.sql(start, wanted)
        if not made and difference.equal(start, wanted):
            return Difference(True, ((before, start), (after, wanted)))
        say("proving the difference")
        if scratch is None:
            shown = proof.prove(lambda: contextlib.nullcontext(session), made, wanted, ignore=ignore, start=start)
        else:
            shown = _prove_elsewhere(scratch, lambda: sides.fresh(provider, seconds), start, made, wanted)
            aside.submit(_close, scratch)
        told = statements.text(made)
        return Difference(False, ((before, start), (after, wanted)), told, shown.proven, shown.why or shown.caution)


@dataclass(frozen=True, slots=True)
class _Held:
    """A session that stays open, and what was read there."""

    opened: contextlib.ExitStack
    session: psycopg.Connection[Any]
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class _Look:
    """How both sides are read. Roles belong to the cluster, not to the schema: those that TO names are made where they lack."""

    ignore: tuple[str, ...]
    provider: Provider
    seconds: float

    def read(self, side: sides.Side) -> Catalog:
        """A side's schema; nothing stays open."""
        with side.open(self.provider, self.seconds) as session:
            return catalogs.read(session, ignore=self.ignore)

    def hold(self, started: "Started | None") -> _Held:
        """A strong session where nothing is, and what that looks like."""
        with contextlib.ExitStack() as opened:
            # One thing to close, not several: who closes it second, from another thread, must find nothing left to do.
            session, remark = opened.enter_context(self._nothing(started))
            known = None if remark is None else kept.of_bytes(remark)
            catalog = catalogs.read(session) if known is None else known
            return _Held(opened.pop_all(), session, catalog)

    @contextlib.contextmanager
    def _nothing(self, started: "Started | None") -> "Generator[tuple[psycopg.Connection[Any], bytes | None]]":
        if started is None:
            with sides.fresh(self.provider, self.seconds) as session:
                yield session, None
            return
        opened, branch = started.result()
        with opened, sides.strongest(branch) as session:
            yield session, branch.remark if isinstance(branch, Remembers) else None


def _close(held: Future[_Held]) -> None:
    if not held.cancelled() and held.exception() is None:
        held.result().opened.close()


def _prove_elsewhere(
    scratch: Future[_Held], again: "proof.Connect", start: Catalog, made: list["statements.Statement"], wanted: Catalog
) -> "proof.Proof":
    """What the difference touches is made again on a branch, and tried there.

    No statement can touch anything else unseen: on the branch there is nothing else. Where it turns out that something
    else is needed (the body of a function is a string, and PostgreSQL does not know what it names), all is made again.
    """
    from checks.catalog import ground  # noqa: PLC0415 - as above

    held = scratch.result()
    # Only a superuser can make event triggers.
    watchers = held.session.info.parameter_status("is_superuser") == "on"
    near = ground.of(start, wanted, watchers=watchers)
    shown = _prove_in(held.session, held.catalog, near, made)
    if shown.proven or not len(near[0].objects) < len(start.objects) <= _MOST:
        return shown
    with again() as session:
        return _prove_in(session, catalogs.read(session), ground.at_home(start, wanted), made)


_MOST = 50_000
"""Objects that are made again to prove a difference that its own part does not prove: some 1,500 tables, half a minute."""


def _prove_in(
    session: psycopg.Connection[Any],
    blank: Catalog,
    sides: tuple[Catalog, Catalog],
    made: list["statements.Statement"],
) -> "proof.Proof":
    from checks.catalog import difference, proof, statements  # noqa: PLC0415 - as above

    start, wanted = sides
    try:
        script = sorted((each.sql for each in statements.sql(blank, start)), key=_watches)
        session.execute(";\n".join(script).encode())
        if not difference.equal(catalogs.read(session), start):
            return proof.Proof(proven=False, why="the schema could not be made again here exactly as it is there")
        return proof.prove(lambda: contextlib.nullcontext(session), made, wanted, start=start)
    except psycopg.Error as error:
        return proof.Proof(
            proven=False, why=f"the schema could not be made again here: {error.diag.message_primary or error}"
        )


def _watches(sql: str) -> bool:
    """It makes an event trigger, which is to see what is tried and not how the place for it is made."""
    return sql.startswith(("CREATE EVENT TRIGGER", "ALTER EVENT TRIGGER", "COMMENT ON EVENT TRIGGER"))
