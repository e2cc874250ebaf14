"""The nine checklist items: each with its evidence, unknown where nothing was seen, and unmet only beside a finding."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import requirements
from checks.report import ChecklistItem, Equality, Finding, Replay, ReplayError, Unresolved, Waiver
from checks.requirements import Evidence, approval
from checks.ways.model import Connection, Reading, Unread

WAYS = Reading(
    looked=3, connection=Connection("lib/database/connection-standard.ts", "@neondatabase/serverless", inferred=False)
)
GOOD = Evidence(
    migrations=("0001_orders",),
    added=("0001_orders",),
    schema_files=("lib/database/schema.ts",),
    schema_changed=("lib/database/schema.ts",),
    equality=Equality(schema_ts="equal", snapshot="equal"),
    replay=Replay(from_base="ok", from_zero="ok"),
    ways=WAYS,
    halves=frozenset({("journal-mismatch", "a.ts", 3), ("snapshot-chain", "a.ts", 3)}),
)


def _items(evidence: Evidence) -> dict[str, ChecklistItem]:
    return {item.id: item for item in requirements.checklist(evidence)}


def _states(evidence: Evidence) -> dict[str, str]:
    return {item.id: item.state for item in requirements.checklist(evidence)}


def _finding(rule: str, **more: object) -> Finding:
    return Finding.model_validate(
        {"rule": rule, "severity": "error", "path": "a.ts", "line": 3, "message": "The harm.\nMore.", **more}
    )


def test_the_nine_items_stand_in_the_policys_order():
    assert [item.id for item in requirements.checklist(GOOD)] == [
        "schema-in-place",
        "migration-generated",
        "migration-reviewed",
        "migration-tested",
        "committed-together",
        "no-banned-commands",
        "standard-connection",
        "tracking-untouched",
        "history-linear",
    ]


def test_a_change_that_obeys_meets_them_all():
    states = _states(GOOD)
    assert states.pop("migration-reviewed") == "not-applicable"  # nobody asked for an approval
    assert set(states.values()) == {"met"}


def test_nothing_known_is_never_met():
    assert "met" not in _states(Evidence()).values()
    touched = _items(Evidence(migrations=("m",), added=("m",), schema_changed=("s.ts",)))
    assert {i for i, item in touched.items() if item.state == "met"} == {
        "committed-together",
        "history-linear",
    }  # what the paths alone show


@pytest.mark.parametrize(
    ("item", "rules"),
    [
        ("schema-in-place", ["snapshot-differs"]),
        ("migration-generated", ["missing-migration"]),
        ("migration-reviewed", ["unreviewed-migration"]),
        ("committed-together", ["journal-mismatch", "snapshot-chain"]),
        ("no-banned-commands", ["banned-command"]),
        ("standard-connection", ["forbidden-driver", "nonstandard-connection"]),
        ("tracking-untouched", ["manual-tracking"]),
        (
            "history-linear",
            [
                "edited-applied-migration",
                "deleted-migration",
                "silently-skipped",
                "number-collision",
                "journal-mismatch",
                "snapshot-chain",
            ],
        ),
    ],
)
def test_a_finding_makes_its_item_unmet_a_waiver_waives_it_and_old_damage_does_nothing(item, rules):
    clean = _states(GOOD)[item]
    for rule in rules:
        found = _items(replace(GOOD, findings=(_finding(rule),)))[item]
        assert found.state == "unmet"
        assert "`a.ts:3`" in found.why
        assert rule in found.why
        waived = _finding(rule, waived=Waiver(reason="agreed", by="ada"))
        assert _states(replace(GOOD, findings=(waived,)))[item] == "waived"
        assert _states(replace(GOOD, findings=(waived, _finding(rule))))[item] == "unmet"
        assert _states(replace(GOOD, findings=(_finding(rule, introduced=False),)))[item] == clean


def test_a_number_that_is_off_is_no_missing_half():
    """`committed-together` asks for file, entry and snapshot; what the entry says is the history's."""
    states = _states(replace(GOOD, findings=(_finding("journal-mismatch", line=9),)))
    assert (states["committed-together"], states["history-linear"]) == ("met", "unmet")


def test_a_schema_change_without_a_migration():
    """The policy: schema changes are in the schema file, a migration is generated, and both are committed."""
    items = _items(
        replace(
            GOOD,
            migrations=(),
            added=(),
            equality=Equality(schema_ts="differs", missing_sql="ALTER TABLE …"),
            findings=(_finding("missing-migration"),),
            replay=Replay(),
        )
    )
    assert {
        i: items[i].state
        for i in ("schema-in-place", "migration-generated", "committed-together", "migration-tested", "history-linear")
    } == {
        "schema-in-place": "met",
        "migration-generated": "unmet",
        "committed-together": "unmet",
        "migration-tested": "not-applicable",
        "history-linear": "not-applicable",
    }


def test_a_migration_that_the_schema_file_does_not_state():
    items = _states(
        replace(
            GOOD, schema_changed=(), equality=Equality(schema_ts="differs"), findings=(_finding("missing-migration"),)
        )
    )
    assert (items["schema-in-place"], items["migration-generated"], items["committed-together"]) == (
        "unmet",
        "not-applicable",
        "unmet",
    )


def test_a_comment_in_the_schema_file_needs_no_migration():
    states = _states(replace(GOOD, migrations=(), added=(), replay=Replay()))
    assert (states["migration-generated"], states["committed-together"]) == ("met", "met")


def test_what_cannot_be_read_without_running_it_is_unknown_and_placed():
    unresolved = Equality(
        schema_ts="unresolved", unresolved=(Unresolved(path="s.ts", line=7, why="a loop builds tables"),)
    )
    items = _items(replace(GOOD, equality=unresolved))
    assert items["schema-in-place"].state == items["migration-generated"].state == "unknown"
    assert "`s.ts:7`: a loop builds tables" in items["schema-in-place"].why


def test_tested_means_that_it_ran():
    assert _states(replace(GOOD, replay=Replay(from_base="skipped"), offline=True))["migration-tested"] == "unknown"
    gone = _items(
        replace(GOOD, replay=Replay(from_base="skipped"), not_replayed="The branch database has no postgis.")
    )["migration-tested"]
    assert (gone.state, gone.why) == ("unknown", "Not run: The branch database has no postgis.")
    error = ReplayError(migration="0001_orders", statement=1, sqlstate="42P01", message='relation "x" does not exist')
    failed = _items(replace(GOOD, replay=Replay(from_base="failed", error=error), findings=(_finding("fails"),)))[
        "migration-tested"
    ]
    assert failed.state == "unmet"
    assert "`0001_orders`, statement 2" in failed.why
    assert "42P01" in failed.why
    old = _items(replace(GOOD, replay=Replay(from_base="ok", from_zero="failed")))["migration-tested"]
    assert (old.state, "does not run from an empty database" in old.why) == ("met", True)


def test_a_journal_entry_without_its_file_is_tested_and_fails():
    """There is no migration to name, and the migrator stops all the same: that is no "not applicable"."""
    nothing = Evidence(findings=(_finding("journal-mismatch"),))
    assert _states(nothing)["migration-tested"] == "not-applicable"
    stopped = replace(nothing, replay=Replay(from_base="failed", stopped="Drizzle stops before it runs anything."))
    assert _items(stopped)["migration-tested"].state == "unmet"
    assert "Drizzle stops" in _items(stopped)["migration-tested"].why


def test_a_review_is_asked_for_only_by_the_policy():
    asked = replace(GOOD, review_required=True)
    assert _states(asked)["migration-reviewed"] == "unknown"  # approvals cannot be seen from here
    assert _items(replace(asked, approvals=("ada", "bob")))["migration-reviewed"].why == "Approved by ada, bob."
    facts = approval.facts([("0001_orders", "m/0001_orders.sql")], (), required=True)
    assert [f.tag for f in facts] == ["0001_orders"]
    assert approval.facts([("0001_orders", "p")], None, required=True) == []
    assert approval.facts([("0001_orders", "p")], ("ada",), required=True) == []
    assert approval.facts([("0001_orders", "p")], (), required=False) == []
    assert (
        _states(replace(asked, approvals=(), findings=(_finding("unreviewed-migration"),)))["migration-reviewed"]
        == "unmet"
    )


def test_a_file_that_could_not_be_read_is_unknown():
    ways = Reading(looked=1, unread=(Unread("package.json", 4, "a comma is expected"),))
    items = _items(replace(GOOD, ways=ways))
    for item in ("no-banned-commands", "standard-connection", "tracking-untouched"):
        assert (items[item].state, "`package.json:4`" in items[item].why) == ("unknown", True)


def test_what_was_inferred_asks_nothing():
    ways = Reading(looked=1, connection=Connection("src/db.ts", "pg", inferred=True))
    note = _finding("nonstandard-connection", severity="note")
    item = _items(replace(GOOD, ways=ways, findings=(note,)))["standard-connection"]
    assert (item.state, "no policy file says so" in item.why) == ("not-applicable", True)


def test_a_change_that_touches_no_schema_asks_nothing_of_it():
    states = _states(Evidence(ways=Reading(looked=0)))
    for item in (
        "schema-in-place",
        "migration-generated",
        "migration-reviewed",
        "migration-tested",
        "committed-together",
        "history-linear",
    ):
        assert states[item] == "not-applicable"


def test_what_only_the_caller_knows_to_be_unknown_is_unknown():
    evidence = replace(GOOD, unknown={"migration-tested": "The base chain does not run."})
    item = _items(evidence)["migration-tested"]
    assert (item.state, item.why) == ("unknown", "The base chain does not run.")


def test_every_item_has_a_page():
    for item in requirements.IDS:
        assert requirements.page(item).splitlines()[0].endswith(".")


RULES = [
    "snapshot-differs",
    "missing-migration",
    "unreviewed-migration",
    "journal-mismatch",
    "banned-command",
    "forbidden-driver",
    "manual-tracking",
    "number-collision",
    "fails",
]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            _finding,
            st.sampled_from(RULES),
            severity=st.sampled_from(["error", "warning", "note"]),
            introduced=st.booleans(),
        ),
        max_size=4,
    ),
    st.sampled_from(["equal", "differs", "unresolved", "absent", "unknown"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_an_unmet_item_always_has_a_finding(findings, equality, added, schema, required):
    """Only findings block, so an item is never unmet without one that says why."""
    evidence = Evidence(
        migrations=("m",) if added else (),
        added=("m",) if added else (),
        schema_changed=("s.ts",) if schema else (),
        findings=tuple(findings),
        equality=Equality(schema_ts=equality),
        replay=Replay(from_base="ok" if added else "skipped"),
        ways=WAYS,
        approvals=(),
        review_required=required,
    )
    for item in requirements.checklist(evidence):
        assert item.why
        if item.state == "unmet":
            assert any(f.introduced and f.rule in item.why for f in findings)
