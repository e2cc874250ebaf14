"""Reads from the plans of a change what its new migrations claim: places in the chain, and objects of the database."""

import re
from collections.abc import Iterable

from checks.drizzle import damage_v0
from checks.drizzle.model import Chain, Migration
from checks.drizzle.plan import Plan
from checks.rivals import Claim, Place
from checks.witnesses import clauses as c
from checks.witnesses import text

_MOST_STATEMENTS = 500
_IF = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b|\bOR\s+REPLACE\b", re.IGNORECASE)


def read(plans: Iterable[Plan]) -> Claim | None:
    """What the new migrations of a change claim; None where there are none."""
    plans = [plan for plan in plans if plan.added]
    if not plans:
        return None
    things = _Things()
    for plan in plans:
        statements = [s.sql for migration in plan.added for s in migration.statements][:_MOST_STATEMENTS]
        for sql, reading in zip(statements, text.read_all(statements), strict=True):
            # What asks first whether it has anything to do collides with nothing; a block of code mostly does.
            if reading.kind != "do_stmt" and not _IF.search(sql):
                for clause in reading.clauses:
                    things.take(clause)
    return Claim(
        places=tuple(_place(plan, migration) for plan in plans for migration in plan.added),
        makes=tuple(sorted(map(_kept, things.makes))),
        drops=tuple(sorted(map(_kept, things.drops))),
        needs=tuple(sorted(map(_kept, things.needs))),
        types=tuple(sorted((_kept(column), _kept(new)) for column, new in things.types.items())),
    )


class _Things:
    """What statements, one after the other, make, drop and need."""

    def __init__(self) -> None:
        self.makes: set[str] = set()
        self.drops: set[str] = set()
        self.needs: set[str] = set()
        self.types: dict[str, str] = {}

    def take(self, clause: c.Clause) -> None:  # noqa: C901, PLR0912 - one line a kind
        """One more clause."""
        match clause:
            case c.CreateTable() if not clause.temporary:
                self._make(f"table {clause.table}")
            case c.CreateView():
                self._make(f"view {clause.table}")
            case c.CreateEnum():
                self._make(f"type {clause.enum}")
            case c.AddEnumValue():
                self._make(f"value {clause.enum}.{clause.value}")
            case c.AddColumn():
                self._need(f"table {clause.table}")
                self._make(f"column {clause.table}.{clause.column}", inside=f"table {clause.table}")
            case c.AddConstraint():
                self._need(f"table {clause.table}")
                for column in clause.columns:
                    self._need(f"column {clause.table}.{column}", inside=f"table {clause.table}")
                if clause.name:
                    self._make(f"constraint {clause.table}.{clause.name}", inside=f"table {clause.table}")
                if clause.referenced:
                    self._need(f"table {clause.referenced}")
            case c.CreateIndex():
                self._need(f"table {clause.table}")
                for column in clause.columns:
                    self._need(f"column {clause.table}.{column}", inside=f"table {clause.table}")
                if clause.name:
                    self._make(f"index {clause.table.rpartition('.')[0]}.{clause.name}")
            case c.AlterType() | c.SetNotNull():
                self._need(f"table {clause.table}")
                column = f"column {clause.table}.{clause.column}"
                self._need(column, inside=f"table {clause.table}")
                if (
                    isinstance(clause, c.AlterType)
                    and column not in self.makes
                    and f"table {clause.table}" not in self.makes
                ):
                    self.types[column] = clause.type
            case c.DropColumn():
                self._need(f"table {clause.table}")
                self._drop(f"column {clause.table}.{clause.column}", inside=f"table {clause.table}")
            case c.DropConstraint():
                self._need(f"table {clause.table}")
                self._drop(f"constraint {clause.table}.{clause.name}", inside=f"table {clause.table}")
            case c.Drop() if clause.kind in {"table", "view", "type", "index"}:
                for name in clause.names:
                    self._drop(f"{clause.kind} {name}")
            case c.Rename() if clause.column is None:
                self._drop(f"table {clause.table}")
                self._make(f"table {clause.new}")
            case c.Rename():
                self._need(f"table {clause.table}")
                self._drop(f"column {clause.table}.{clause.column}", inside=f"table {clause.table}")
                self._make(f"column {clause.table}.{clause.new}", inside=f"table {clause.table}")
            case _:
                pass

    def _make(self, thing: str, *, inside: str | None = None) -> None:
        if inside in self.makes:
            return  # it comes and goes with what is made here
        if thing in self.drops:
            self.drops.discard(thing)  # made anew
            self.needs.add(thing)
        else:
            self.makes.add(thing)

    def _need(self, thing: str, *, inside: str | None = None) -> None:
        if thing not in self.makes and (inside is None or inside not in self.makes):
            self.needs.add(thing)

    def _drop(self, thing: str, *, inside: str | None = None) -> None:
        if thing in self.makes:
            self.makes.discard(thing)
        elif inside is None or inside not in self.makes:
            self.drops.add(thing)


def _place(plan: Plan, migration: Migration) -> Place:
    v0 = plan.project.format == "v0"
    return Place(
        folder=_kept(plan.project.migrations_dir),
        tag=_kept(migration.tag),
        idx=migration.idx,
        number=damage_v0.prefix(migration.tag) if v0 else "",
        parents=_parents(plan.head, migration, v0=v0),
    )


def _parents(chain: Chain, migration: Migration, *, v0: bool) -> tuple[str, ...]:
    """What no other snapshot may continue: in v0 its parent, in v1 the empty beginning (two branches are normal there)."""
    found = [s for s in chain.snapshots if s.tag == migration.tag]
    return tuple(_kept(s.parents[0]) if v0 else "" for s in found if s.parents and (v0 or s.type == "base"))


def _kept(name: str) -> str:
    """As JSON and PostgreSQL can carry it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\ufffd")
