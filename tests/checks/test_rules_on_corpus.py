"""What the rules say about the development corpus: everything that is slow under a blocking lock, and nothing else."""

from typing import Any

import pytest
from conftest import corpus

from bot.branches.embedded import Embedded
from checks import evidence, facts, rules
from checks.drizzle import statements
from checks.drizzle.model import Chain, Migration, Project, Transaction
from checks.witnesses import replay

# The rules that say: somebody waits while this goes through a table.
LOCKING = {
    rule.id
    for rule in rules.all_rules().values()
    if any(
        issubclass(kind, facts.Costs | facts.NarrowsType | facts.HoldsLocks | facts.RecreatesEnum)
        for kind in rule.kinds
    )
}
COLUMNS = """
SELECT n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema)' AND a.attnum > 0
"""
# The session's time zone is part of its set-up; a migrator's session has its own.
ZONED = "set timezone"


def said(row: dict[str, Any], branches: Embedded | None) -> list[str]:
    """The locking rules that speak about a row; without branches, from the text alone."""
    transaction: Transaction = "none" if row["transaction"] == "none" else "one"
    migration = Migration("0001_x", "drizzle/0001_x.sql", 1, 1, "", row["sql"], statements.pieces(row["sql"]))
    run, known = None, evidence.Known()
    if branches is not None:
        with branches.branch(seconds=60) as branch:
            with branch.connect() as connection:
                connection.execute(row["setup"].encode())
                found = connection.execute(COLUMNS).fetchall()
            known = evidence.Known(columns={(table, column): kind for table, column, kind in found})
            project = Project(root="", format="v0", migrations_dir="drizzle", transaction=transaction)
            run = replay.run(branch, Chain(project, (migration,), ()))
    findings = rules.judge(evidence.facts_of(run, [migration], transaction=transaction, known=known))
    return [f.rule for f in findings if f.rule in LOCKING]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_slow_lock_is_found_once_and_no_harmless_statement_is_accused(branches: Embedded) -> None:
    """One finding for one cause; PostgreSQL's own labels are the judge."""
    missed, accused, twice = [], [], []
    for row in corpus("hazards.jsonl"):
        if row["setup"].startswith(ZONED):
            continue
        found = said(row, branches)
        if row["linear_under_blocking_lock"] and not found:
            missed.append(row["name"])
        if not row["linear_under_blocking_lock"] and found:
            accused.append((row["name"], found))
        if len(set(found)) > 1:
            twice.append((row["name"], found))
    assert (missed, accused, twice) == ([], [], [])


# A stub in a set-up under the name of a function that is volatile in truth.
STUBBED = {"pgsafe-rule/add-column-volatile-default/alter table t add column id uuid default uuid_generate_v4()#1"}


def test_without_a_database_only_what_is_certain_is_said() -> None:
    """No false alarm; what depends on the table's state waits for a database."""
    rows = [row for row in corpus("hazards.jsonl") if row["name"] not in STUBBED]
    accused = [row["name"] for row in rows if not row["linear_under_blocking_lock"] and said(row, None)]
    assert accused == []
    certain = [
        row
        for row in rows
        if row["kind"].startswith(("index_stmt", "cluster", "vacuum")) and row["linear_under_blocking_lock"]
    ]
    assert all(said(row, None) for row in certain if "if not exists" not in row["sql"].lower())
