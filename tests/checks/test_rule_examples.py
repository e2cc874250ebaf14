"""The examples on the rules' pages, run on a real PostgreSQL in the way Drizzle runs migrations."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.branches import Template
from bot.branches.embedded import Embedded, EmbeddedBranch
from checks import evidence, facts, rules
from checks.branch import Branch
from checks.drizzle import statements
from checks.drizzle.model import Chain, Migration, Project, Transaction
from checks.report import Finding
from checks.witnesses import replay

ROOT = Path(__file__).parents[2]
SCHEMA = (ROOT / "checks" / "rules" / "shop.sql").read_text(encoding="utf-8")

COLUMNS = """
SELECT n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND a.attnum > 0
"""
INDEXES = """
SELECT n.nspname || '.' || c.relname,
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey) k JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public'
"""


def made_of(sql: str) -> Migration:
    return Migration("0001_example", "drizzle/0001_example.sql", 1, 1, "", sql, statements.pieces(sql))


def look(branch: Branch) -> evidence.Known:
    indexes: dict[str, list[tuple[str, ...]]] = {}
    with branch.connect() as connection:
        columns = {(table, name): kind for table, name, kind in connection.execute(COLUMNS)}
        for table, names in connection.execute(INDEXES):
            indexes.setdefault(table, []).append(tuple(names))
    return evidence.Known(columns=columns, indexes=indexes)


def findings(branch: Branch, sql: str, transaction: Transaction = "one", asked: str = "") -> list[Finding]:
    """What the rules say about a migration on this branch, where the policy asks for a rule that is silent otherwise."""
    known = look(branch)
    migration = made_of(sql)
    project = Project(root="", format="v0", migrations_dir="drizzle", transaction=transaction)
    run = replay.run(branch, Chain(project, (migration,), ()))
    silent = rules.all_rules().get(asked)
    context = rules.Context(severities={asked: "note"} if silent is not None and silent.severity == "off" else {})
    return rules.judge(evidence.facts_of(run, [migration], known=known), context)


def _build(branch: Branch) -> None:
    with branch.connect() as connection:
        connection.execute(SCHEMA.encode())


def examples() -> Iterator[Any]:
    for rule in rules.all_rules().values():
        if any(not kind.__module__.startswith(f"{facts.__name__}.") for kind in rule.kinds):
            continue  # it speaks of more than SQL, and has examples of its own
        setup = "".join(e.code + "\n" for e in rule.page.examples if e.role == "setup")
        for number, example in enumerate(rule.page.examples, 1):
            if example.language == "sql" and example.role != "setup":
                yield pytest.param(rule.id, example, setup, id=f"{rule.id}-{example.role}-{number}")


@pytest.fixture
def shop(branches: Embedded) -> Iterator[EmbeddedBranch]:
    with branches.branch(
        template=Template(f"rule-examples-{hashlib.sha256(SCHEMA.encode()).hexdigest()}", _build), seconds=60
    ) as branch:
        yield branch


@pytest.mark.parametrize(("rule", "example", "setup"), list(examples()))
def test_a_bad_example_raises_exactly_its_own_rule_and_a_good_one_none(
    shop: EmbeddedBranch, rule: str, example: rules.Example, setup: str
) -> None:
    """Advice is proved: it runs under the repository's migrator, and nothing is said about it but, at most, notes."""
    with shop.connect() as connection:
        for statement in filter(str.strip, setup.split(";")):
            connection.execute(statement.encode())
    if example.how == "offline":
        said = rules.judge(evidence.facts_of(None, [made_of(example.code)]))
    else:
        alone = example.how == "none"
        code = example.code.replace(";\n", ";\n--> statement-breakpoint\n") if alone else example.code
        said = findings(shop, code, "none" if alone else "one", rule)
    shown = [(f.rule, f.severity, f.message) for f in said]
    if example.role == "bad":
        assert {f.rule for f in said} == {rule}, shown
    else:
        assert [f.rule for f in said if f.severity != "note" or f.rule == rule] == [], shown


def test_every_hazard_has_an_example_of_what_it_is_about() -> None:
    """A rule that speaks of SQL shows the SQL that raises it, and a way out in words."""
    for rule in rules.all_rules().values():
        assert rule.page.title.endswith("."), rule.id
        assert rule.page.harm, rule.id
        assert rule.page.way_out or not rule.page.examples, rule.id
