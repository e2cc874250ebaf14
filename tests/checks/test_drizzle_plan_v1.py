"""The same questions where each migration has a folder (Drizzle 1.0)."""

import pytest

from checks import rules
from checks.drizzle.history import (
    EditedAppliedMigration,
    OutOfOrder,
    SnapshotChain,
)
from checks.drizzle.snapshots import ROOT
from tests.checks.drizzle_samples import CONFIG, Story, folder_v1, planned
from tests.checks.plan_samples import tags


@pytest.mark.parametrize("later", [1000, 1])
def test_an_upgrade_to_v1_deletes_nothing(later):
    """`drizzle-kit up` makes folders of the same migrations, also of two that were generated in one second."""
    start = Story().add("alpha").add("beta")
    start.list([start.entries[0], {**start.entries[1], "when": start.entries[0]["when"] + later}])
    head = {"drizzle.config.ts": CONFIG}
    parent = ROOT
    for number, (name, kind) in enumerate((("alpha", "base"), ("beta", "diff"))):
        stamp = "20251009085321" if name == "beta" and later == 1000 else "20251009085320"
        sql = str(start.files[f"drizzle/{number:04}_{name}.sql"])
        head |= folder_v1(f"{stamp}_{name}", name, [parent], kind=kind, sql=sql)
        parent = name
    made = planned(start.files, head)
    assert (made.facts, made.pending, made.deleted, made.project.format) == ((), (), (), "v1")


A, B, C = "20260101000000_a", "20260102000000_b", "20260103000000_c"


START = {"drizzle.config.ts": CONFIG, **folder_v1(A, "a", [ROOT], kind="base")}


def test_two_leaves_of_v1_are_no_conflict():
    """Each side has a migration of its own; both run, by name."""
    made = planned(START, {**START, **folder_v1(C, "c", ["a"])}, {**START, **folder_v1(B, "b", ["a"])})
    assert (made.facts, made.conflicts, made.would_skip) == ((), (), ())
    assert tags(made.pending) == [C]
    assert tags(made.merged.migrations) == [A, B, C]


def test_a_v1_folder_that_sorts_before_bases_last_one_runs_late():
    """drizzle-orm 1.0 goes by names, so it runs; old databases run it after base's last one, and new ones before."""
    made = planned(START, {**START, **folder_v1(B, "b", ["a"])}, {**START, **folder_v1(C, "c", ["a"])})
    early = [f for f in made.facts if isinstance(f, OutOfOrder)]
    assert [(f.tag, f.other, f.place.path) for f in early] == [(B, C, f"drizzle/{B}/migration.sql")]
    assert [m.tag for m in made.pending] == [B]
    assert [m.tag for m in made.merged.migrations] == [A, B, C]
    assert rules.judge(made.facts)[0].severity == "note"


def test_a_v1_snapshot_without_its_sql_is_told():
    """drizzle-orm passes over the folder, drizzle-kit takes its snapshot for applied."""
    head = {**START, **folder_v1(B, "b", ["a"])}
    del head[f"drizzle/{B}/migration.sql"]
    (fact,) = planned(START, head).facts
    assert isinstance(fact, SnapshotChain)
    assert (fact.problem, fact.introduced, fact.place.path) == ("no-sql", True, f"drizzle/{B}/snapshot.json")


def test_a_renamed_v1_folder_runs_again():
    """Its name is its identity."""
    head = {
        "drizzle.config.ts": CONFIG,
        **folder_v1("20260101000000_renamed", "a", [ROOT], kind="base", sql="select 1"),
    }
    made = planned(START, head)
    (fact,) = made.facts
    assert isinstance(fact, EditedAppliedMigration)
    assert (fact.change, tags(made.pending)) == ("renamed", ["20260101000000_renamed"])


def test_two_first_migrations_of_v1_collide():
    """A folder has one base snapshot."""
    start = {"drizzle.config.ts": CONFIG, "drizzle/.keep": ""}
    sides = [
        {**start, **folder_v1(name, name, [ROOT], kind="base", sql=f"select {n}")} for n, name in enumerate((A, B))
    ]
    assert [c.kind for c in planned(start, sides[0], sides[1]).conflicts] == ["parent"]
