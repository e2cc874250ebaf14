"""Runs the way back on a branch where head's migrations have just run: down, up and down again, with rows in the tables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from bot.stage import Stage
from checks import way_back
from checks.catalog import difference, ground, part, proof, seeds, statements, words
from checks.catalog.model import Catalog
from checks.catalog.tables import Table
from checks.drizzle.plan import Plan
from checks.errors import CouldNotJudge
from checks.report import Rollback
from checks.witnesses.model import Run

_NOT_AGAIN = "after it head's migrations do not run again"


@dataclass(frozen=True, slots=True)
class Way:
    """The way from the schema after head's migrations back to the one before, as it is written.

    Attributes:
        made: its statements.
        lost: what does not come back with it.
        near: what the two ends touch and stand on (`ground`); None where that is no table.
        certain: where each way leads depends on nothing but where it begins (`way_back.unconditional`).
        tables: where all that differs stands, if that is certain and so plain.
    """

    plan: Plan
    before: Catalog
    after: Catalog
    made: tuple[statements.Statement, ...]
    lost: tuple[str, ...]
    near: tuple[Catalog, Catalog] | None
    certain: bool
    tables: part.Tables | None


def written(plan: Plan, before: Catalog, after: Catalog) -> Way:
    """Write it down."""
    made = tuple(statements.sql(after, before))
    lost = tuple(way_back.irreversible(before, after, plan))
    tables = any(isinstance(each, Table) for each in part.of(before, after)[0])
    near = ground.of(before, after) if tables else None
    ours = (statement.sql for migration in plan.added for statement in migration.statements)
    certain = way_back.unconditional((*ours, *(statement.sql for statement in made)))
    return Way(plan, before, after, made, lost, near, certain, part.tables(before, after) if certain else None)


def tried(way: Way, session: Callable[[], psycopg.Connection[Any]], stage: Stage, up: Callable[[], Run]) -> Rollback:
    """Go back, up again by `up`, and back; by a session of ours, on a branch where head's migrations have just run.

    Proven where the schema is then what it was at both ends, and rows that were there before have survived both ways
    in every column that the way up keeps.
    """
    try:
        why = _Trial(way, stage, session(), up).run()
    except (psycopg.Error, CouldNotJudge) as error:
        said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
        why = f'PostgreSQL says "{said}"'
    told = f"-- {' '.join(why.split())}\n" if why else ""
    sql = told + way_back.forget(way.plan) + statements.text(way.made)
    return Rollback(sql=sql, proven=not why, irreversible=way.lost)


@dataclass(frozen=True, slots=True)
class _Trial:
    """One way back, being tried.

    Attributes:
        session: of ours, between those of the migrator; nothing that one step sets is there for the next.
    """

    way: Way
    stage: Stage
    session: psycopg.Connection[Any]
    up: Callable[[], Run]

    def run(self) -> str:
        """Why it is not proven; empty where it is."""
        self._down()
        if self.way.plan.project.transaction == "one":
            return self._at_once()
        # What fails half way is not undone, so rows come second; where they stop the way up, that says nothing of the way back.
        why = _NOT_AGAIN if self.up().state != "ok" else self._there_and_back()
        if why or not (kept := self._fill()) or self.up().state != "ok":
            return why
        return self._there_and_back() or self._changed(kept)

    def _at_once(self) -> str:
        kept = self._fill()
        again = self.up().state
        if again != "ok" and kept:
            self._empty(kept)
            kept = {}
            again = self.up().state
        return _NOT_AGAIN if again != "ok" else self._there_and_back() or self._changed(kept)

    def _there_and_back(self) -> str:
        way = self.way
        if not way.certain and not difference.equal(got := self.stage.catalog_in(self.session), way.after):
            return f"up again the schema is another: {_few(got, way.after)}"
        self._down()
        if not difference.equal(got := self._back(way.tables), way.before):
            return f"after it, this is still to do: {_few(got, way.before)}"
        return ""

    def _back(self, tables: part.Tables | None) -> Catalog:
        """The schema now: only the tables are read that differed, where nothing else can differ."""
        if tables is None:
            return self.stage.catalog_in(self.session)
        some = self.stage.catalog_in(self.session, near=tables.near)
        return part.with_tables(self.way.before, some, tables.names)

    def _down(self) -> None:
        # One message is one transaction, and one wait: for each answer this thread would queue behind those that compute.
        said = (way_back.forget(self.way.plan), *(statement.sql for statement in self.way.made), "RESET ALL")
        self.session.execute("\n;\n".join(said).encode())

    def _fill(self) -> dict[str, Any]:
        """Rows in the tables that are touched, and what is in the columns that stay; empty where there are none."""
        if self.way.near is None:
            return {}
        counted = seeds.put(self.session, self.way.near[0])
        return proof.contents(self.session, *self.way.near, [table for table, rows in counted.items() if rows])

    def _empty(self, kept: dict[str, Any]) -> None:
        self.session.execute(f"TRUNCATE {', '.join(kept)} CASCADE".encode())

    def _changed(self, kept: dict[str, Any]) -> str:
        written, opaque = way_back.writes(self.way.plan)
        if not kept or opaque or self.way.near is None:
            return ""
        now = proof.contents(self.session, *self.way.near, kept)
        changed = sorted(table for table in kept if now.get(table) != kept[table] and table not in written)
        return f"rows do not survive it in {', '.join(changed)}" if changed else ""


def _few(got: Catalog, wanted: Catalog) -> str:
    return "; ".join(words.summary(got, wanted)[:5])
