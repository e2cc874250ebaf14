"""`db sync`: finds the point of the chain whose schema is the database's, and makes the tracking table say exactly that."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from bot.database import evidence, ours, target, tracking
from bot.database.evidence import Drift, Scratch, Search
from bot.database.line import Patience
from bot.database.source import Source
from bot.database.target import Session, Target
from bot.database.tracking import Ledger, Table
from bot.progress import Say
from checks.drizzle.model import Migration
from checks.errors import CouldNotJudge, UserError
from checks.witnesses.tracking import Row

if TYPE_CHECKING:
    from checks.catalog.model import Catalog


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is written, moved or removed. `what` says which, and why, in words."""

    what: str
    migration: Migration | None
    row: Row | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What the evidence says, and what is to be done about the rows.

    Attributes:
        found: the database is at a point of the chain (or only rows have to move).
        point: how many migrations it has.
        of: how many there are.
        proof: why, a sentence each.
        changes: to the rows; none where they are right.
        drift: what stands between the database and the nearest point, where none is equal.
        unproven: tags that change no schema and are recorded since later ones are there.
    """

    found: bool
    point: int
    of: int
    proof: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    drift: Drift | None = None
    unproven: tuple[str, ...] = ()


@dataclass(slots=True)
class Synced:
    """What was done."""

    plan: Plan
    written: bool = False
    notes: list[str] = field(default_factory=list[str])


def run(at: Target, source: Source, say: Say, *, dry_run: bool = False) -> Synced:
    """Make the rows true.

    Raises:
        UserError, CouldNotJudge: the table cannot be read or written, or nothing can be compared.
    """
    from bot.database.runner import Runner  # noqa: PLC0415 - it needs the whole of psycopg's wire

    worker = Runner(at, source.chain, Patience(), say)
    try:
        target.check_writable(worker.session, at)
        worker.take_turn()
        table = tracking.read(worker.session, at, source.project)
        ledger = tracking.compare(table, source.chain)
        if table.shape == "absent":
            refuse_other_table(worker.session, source)
        real = evidence.read(worker.session, source.chain)
        plan = make(worker.session, Scratch(source.chain, source.extensions, say), table, ledger, real)
        if plan.found and plan.changes and not dry_run:
            write(worker.session, at, source, table, plan)
        return Synced(plan, written=bool(plan.found and plan.changes and not dry_run))
    finally:
        worker.close()


def refuse_other_table(session: Session, source: Source) -> None:
    """Rows of this chain in a table of another name: the name is wrong, not the database.

    Raises:
        UserError: so it is.
    """
    other = tracking.elsewhere(session, source.chain)
    if other is not None:
        raise UserError(
            f"{'.'.join(source.project.table)} is not there, and {other[0]} has {other[1]} rows of these migrations. Name it as "
            f"`drizzle: {{table: {other[0]}}}` in the policy file, or in drizzle.config. Nothing was written."
        )


def make(session: Session, scratch: Scratch, table: Table, ledger: Ledger, real: "Catalog") -> Plan:
    """What should be done, by the evidence of the catalog; nothing is written."""
    found = scratch.search(real, session)
    migrations = scratch.chain.migrations
    if not found.equal:
        return _between(scratch, table, ledger, real) or _nowhere(found, migrations)
    point = _choose(found, migrations, ledger)
    strangers = ours.strange(real)
    theirs = bool(ledger.unknown) and bool(
        strangers - ours.schemas([scratch.after([m.tag for m in migrations])]) if not found.stuck else strangers
    )
    if theirs and point == 0:
        why = f"Nothing of this project is in the database, and its migrations table has {len(ledger.unknown)} rows of another."
        return Plan(found=False, point=0, of=len(migrations), proof=(why, "Its rows were left as they are."))
    applied = [m for m in migrations[:point] if m.tag not in found.lacking or m.tag in ledger.applied]
    changes = _changes(applied, table, ledger, keep_unknown=theirs)
    unproven = tuple(
        m.tag
        for n, m in enumerate(migrations[:point], start=1)
        if n - 1 in found.equal and n in found.equal and m.tag not in ledger.applied and m.tag not in found.filled
    )
    proof = [_standing(point, migrations)]
    proof += [
        f"{m.tag} fills tables that are empty there, so it is not recorded: "
        + (
            "`db migrate` runs it."
            if n in found.equal
            else "what else it makes is there already, so `db migrate` stops at it. Fill the tables and sync again, or remove what it makes."
        )
        for n, m in enumerate(migrations[:point])
        if m not in applied
    ]
    return Plan(
        found=True, point=point, of=len(migrations), proof=tuple(proof), changes=tuple(changes), unproven=unproven
    )


def _standing(point: int, migrations: Sequence[Migration]) -> str:
    if point == 0:
        return "The schema is that before the first migration: none of them is applied."
    last = migrations[point - 1].tag
    return f"The schema is, object for object, what the first {point} of {len(migrations)} migrations build (up to {last})."


def _between(scratch: Scratch, table: Table, ledger: Ledger, real: "Catalog") -> Plan | None:
    """A branch's migrations ran here, and base's were put before them since: the rows say which ran, if the schema agrees."""
    if not ledger.moved or ledger.edited:
        return None
    try:
        expected = scratch.after(ledger.applied.keys())
    except CouldNotJudge:
        return None
    if evidence.compare(expected, real, ours.schemas([expected])) is not None:
        return None
    chain = scratch.chain.migrations
    applied = [m for m in chain if m.tag in ledger.applied]
    left = ", ".join(m.tag for m in ledger.pending)
    proof = (
        f"The schema is, object for object, what the {len(applied)} migrations build whose content the rows name.",
        f"Not applied yet: {left}. Run `bulletproof db migrate` next; `drizzle-kit migrate` passes over what is older than a row.",
    )
    changes = tuple(_changes(applied, table, ledger, keep_unknown=True))
    return Plan(found=True, point=len(applied), of=len(chain), proof=proof, changes=changes)


def _nowhere(found: Search, migrations: Sequence[Migration]) -> Plan:
    near = f"after {migrations[found.nearest - 1].tag}" if found.nearest else "before the first migration"
    proof = [f"No point of the chain has this schema. The nearest is {near}; nothing was written."]
    if found.stuck is not None:
        proof.append(
            f"Points from {found.stuck[0]} on could not be looked at: it does not run on a scratch database ({found.stuck[1]})."
        )
    return Plan(found=False, point=found.nearest, of=len(migrations), proof=tuple(proof), drift=found.drift)


def _choose(found: Search, migrations: Sequence[Migration], ledger: Ledger) -> int:
    """Of several points with one schema, the least that the evidence forces: rows of the table, rows of the migrations."""
    point = found.equal[0]
    for candidate in found.equal[1:]:
        between = migrations[point:candidate]
        if all(m.tag in ledger.applied or m.tag in found.filled for m in between):
            point = candidate
        else:
            break
    return point


def _changes(applied: Sequence[Migration], table: Table, ledger: Ledger, *, keep_unknown: bool) -> list[Change]:
    """From the rows that are there to one true row for each applied migration."""
    changes: list[Change] = []
    tags = {m.tag for m in applied}
    for migration in applied:
        row = ledger.applied.get(migration.tag)
        if row is None:
            changes.append(Change(f"record {migration.tag}", migration, None))
        elif row.hash != migration.hash:
            changes.append(Change(f"give {migration.tag} the hash of its file, which was edited since", migration, row))
        elif row.created_at != migration.when or (table.shape == "v1" and row.name != migration.tag):
            changes.append(Change(f"move the row of {migration.tag}, which was renumbered", migration, row))
    for tag, row in ledger.applied.items():
        if tag not in tags:
            changes.append(Change(f"remove the row of {tag}, which is not there", None, row))
    changes += [Change(f"remove row {row.id}, which says again what another says", None, row) for row in ledger.doubled]
    if not keep_unknown:
        changes += [
            Change(f"remove row {row.id}, which is of no migration in the files", None, row) for row in ledger.unknown
        ]
    return changes


def write(session: Session, at: Target, source: Source, table: Table, plan: Plan) -> None:
    """Write the rows, all or none.

    Raises:
        UserError: the role may not.
        CouldNotJudge: the database refused for a reason of its own.
    """
    tracking.ensure(session, at, source.chain, table)
    project = source.project
    place = sql.SQL("{}.{}").format(*map(sql.Identifier, project.table))
    v1 = project.format == "v1"
    try:
        with session.transaction():
            for change in plan.changes:
                if change.migration is None and change.row is not None:
                    session.execute(sql.SQL("delete from {} where id = %s").format(place), (change.row.id,))
            for change in plan.changes:
                migration = change.migration
                if migration is None:
                    continue
                if change.row is None:
                    session.execute(*tracking.insert(project, [migration]))
                    continue
                update = sql.SQL("update {} set hash = %s, created_at = %s{} where id = %s").format(
                    place, sql.SQL(", name = %s" if v1 else "")
                )
                named = (migration.tag,) if v1 else ()
                session.execute(update, (migration.hash, migration.when, *named, change.row.id))
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(f"The role may not write {'.'.join(project.table)}: {at.words(error)}.") from None
    except psycopg.Error as error:
        raise CouldNotJudge(f"{'.'.join(project.table)} could not be written: {at.words(error)}.") from None


def rows_only(source: Source, table: Table, ledger: Ledger) -> Plan:
    """Move the rows of renumbered migrations by their hash, and drop doubles: the files and the rows are proof enough."""
    applied = [m for m in source.chain.migrations if m.tag in ledger.applied]
    edited = set(ledger.edited)
    changes = [
        c
        for c in _changes(applied, table, ledger, keep_unknown=True)
        if c.migration is None or c.migration.tag not in edited
    ]
    return Plan(
        found=True,
        point=len(applied),
        of=len(source.chain.migrations),
        proof=("Rows were matched to renumbered migrations by the hash of their content.",),
        changes=tuple(changes),
    )
