"""Waivers in SQL: what they excuse, and what is wrong with those that excuse nothing."""

import pytest

from checks import evidence, rules, waivers
from checks.drizzle import statements
from checks.drizzle.model import Migration
from checks.report import Finding


def made_of(sql: str) -> Migration:
    return Migration("0007_x", "drizzle/0007_x.sql", 1, 7, "", sql, statements.pieces(sql))


def judged(sql: str) -> list[Finding]:
    migration = made_of(sql)
    return waivers.apply(rules.judge(evidence.facts_of(None, [migration])), waivers.read(migration))


def shown(sql: str) -> list[tuple[str, int, str | None]]:
    return [(f.rule, f.line, f.waived.reason if f.waived else None) for f in judged(sql)]


def test_a_waiver_excuses_its_rule_on_the_statement_below_it() -> None:
    """The finding stays, with the reason beside it; the next statement is not excused."""
    sql = (
        "-- why we do this\n"
        "-- migrate:allow drops-column: no release since 4.2 reads it\n"
        "ALTER TABLE a DROP COLUMN b;\n"
        "--> statement-breakpoint\n"
        "ALTER TABLE a DROP COLUMN c;\n"
    )
    assert shown(sql) == [("drops-column", 3, "no release since 4.2 reads it"), ("drops-column", 5, None)]
    assert judged(sql)[0].waived is not None
    assert judged(sql)[0].waived.by == "the migration"


@pytest.mark.parametrize("between", ["\n", " ", "\n--> statement-breakpoint\n", "\n\n/* and */\n", "\r\n"])
def test_white_space_comments_and_breakpoints_may_stand_between(between: str) -> None:
    """Drizzle's marker is often the line right above a statement."""
    sql = f"SELECT 1;\n-- migrate:allow drops-table: it is empty{between if between != ' ' else chr(10)}DROP TABLE a;"
    assert [(rule, reason) for rule, _, reason in shown(sql)] == [("drops-table", "it is empty")]


def test_a_waiver_behind_a_statement_is_about_that_one() -> None:
    """On the line on which it ends, or inside it; never about the one below."""
    behind = "DROP TABLE a; -- migrate:allow drops-table: it is empty\nDROP TABLE b;"
    assert shown(behind) == [("drops-table", 1, "it is empty"), ("drops-table", 2, None)]
    assert shown(behind.replace("\n", "\r\n--> statement-breakpoint\r\n")) == [
        ("drops-table", 1, "it is empty"),
        ("drops-table", 3, None),
    ]
    inside = "DROP TABLE -- migrate:allow drops-table: it is empty\n  a;\nDROP TABLE b;"
    assert shown(inside) == [("drops-table", 1, "it is empty"), ("drops-table", 3, None)]
    assert shown("DROP TABLE a; DROP TABLE b; -- migrate:allow drops-table: gone\n") == [
        ("drops-table", 1, None),
        ("drops-table", 1, "gone"),
    ]


def test_one_statement_may_have_several_waivers() -> None:
    """Each excuses its own rule."""
    sql = (
        "-- migrate:allow drops-column: old\n-- migrate:allow renames-column: older\n"
        "ALTER TABLE a DROP COLUMN b;\nALTER TABLE a RENAME COLUMN c TO d;"
    )
    assert [(r, w) for r, _, w in shown(sql)] == [
        ("drops-column", "old"),
        ("renames-column", None),
        ("waiver-unused", None),
    ]


def test_a_waiver_without_a_reason_is_a_finding_and_excuses_nothing() -> None:
    """With and without the colon."""
    for end in ("", ":", ":   "):
        found = shown(f"-- migrate:allow drops-table{end}\nDROP TABLE a;")
        assert found == [("drops-table", 2, None), ("waiver-without-reason", 1, None)]


def test_an_unknown_rule_is_a_finding_with_the_nearest_word() -> None:
    """`drop-column` is what other tools call it."""
    found = judged("-- migrate:allow drop-column: old\nALTER TABLE a DROP COLUMN b;")
    assert [f.rule for f in found] == ["drops-column", "waiver-unknown-rule"]
    assert found[1].message == "There is no rule `drop-column`. Did you mean `drops-column`?"


def test_a_waiver_that_excuses_nothing_is_a_finding() -> None:
    """Also below the last statement, and in a file without any."""
    assert shown("-- migrate:allow drops-table: old\nSELECT 1;") == [("waiver-unused", 1, None)]
    assert shown("SELECT 1;\n-- migrate:allow drops-table: old") == [("waiver-unused", 2, None)]
    assert ("waiver-unused", 1, None) in shown("-- migrate:allow drops-table: old")


def test_what_only_looks_like_a_waiver_is_none() -> None:
    """In a string, in a function's body, in a block comment."""
    for sql in (
        "SELECT '\n-- migrate:allow drops-table: x\n';",
        "SELECT $$\n-- migrate:allow drops-table: x\n$$;",
        "/* -- migrate:allow drops-table: x */ SELECT 1;",
        "-- see migrate:allow drops-table: x\nSELECT 1;",
    ):
        assert shown(sql) == [], sql


def test_a_waiver_of_a_person_is_about_the_whole_review() -> None:
    """It has no place, so it excuses its rule wherever that speaks."""
    findings = rules.judge(evidence.facts_of(None, [made_of("DROP TABLE a; DROP TABLE b;")]))
    excused = waivers.apply(
        findings, [waivers.Waiver(rule="drops-table", reason="agreed", by="ada", until="2030-01-01")]
    )
    assert [f.waived and (f.waived.by, f.waived.until) for f in excused] == [("ada", "2030-01-01")] * 2
