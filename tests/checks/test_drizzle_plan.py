"""A plan says what head does to the migrations, what would run, and blames head only for what head did."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from checks import rules
from checks.drizzle import history, plan
from checks.drizzle.history import (
    DeletedMigration,
    JournalMismatch,
    NumberCollision,
    SilentlySkipped,
    SnapshotChain,
)
from checks.drizzle.plan import Plan
from checks.drizzle.snapshots import ROOT
from tests.checks.drizzle_samples import CONFIG, Story, change, entry, planned, snapshot
from tests.checks.plan_samples import JOURNAL, base, said, tags


def test_a_new_migration_on_an_unchanged_base_is_pending_and_nothing_is_wrong():
    """The everyday pull request."""
    head = base().add("refunds").add("invoices")
    made = planned(base().files, head.files)
    assert tags(made.added) == tags(made.pending) == ["0002_refunds", "0003_invoices"]
    assert tags(made.merged.migrations) == ["0000_users", "0001_orders", "0002_refunds", "0003_invoices"]
    assert (made.facts, made.conflicts, made.would_skip, made.touched) == ((), (), (), True)


def test_a_change_elsewhere_touches_nothing():
    """Reviews of it say one line."""
    made = planned(base().files, {**base().files, "README.md": "hello"})
    assert (made.touched, made.added, made.facts) == (False, (), ())


def test_tables_declared_elsewhere_are_the_projects_too():
    """schema.ts may import them from any file."""
    tables = 'import { pgTable } from "drizzle-orm/pg-core";\nexport const users = pgTable("users", {});'
    assert planned(base().files, {**base().files, "src/users/table.ts": tables}).touched
    assert not planned(base().files, {**base().files, "src/users/page.ts": "export const a = 1;"}).touched


def test_both_sides_generated_from_the_same_state():
    """Number, journal idx and parent snapshot collide; the merged order is base's, then head's."""
    head, tip = base().add("refunds", when=1_760_000_009_000), base().add("invoices")
    made = planned(base().files, head.files, tip.files)
    assert said(made) == [("NumberCollision", "drizzle/0002_refunds.sql")]
    assert [c.kind for c in made.conflicts] == ["idx"]
    assert tags(made.merged.migrations)[2:] == ["0002_invoices", "0002_refunds"]
    assert (tags(made.pending), made.would_skip) == (["0002_refunds"], ())


def test_a_migration_generated_before_bases_last_one_is_skipped():
    """Drizzle's watermark is base's greatest `when`; the fact stands on the entry."""
    head, tip = base().add("refunds"), base().add("invoices", when=1_760_000_009_000)
    made = planned(base().files, head.files, tip.files)
    assert made.would_skip == ("0002_refunds",)
    assert made.pending == ()
    (fact,) = [f for f in made.facts if isinstance(f, SilentlySkipped)]
    assert (fact.other, fact.with_base, fact.introduced) == ("0002_invoices", True, True)
    assert (fact.place.path, fact.place.line) == (JOURNAL, 19)


def test_only_the_parent_snapshot_collides_where_names_carry_times():
    """With `prefix: timestamp` and a journal of other numbers the snapshots still fork."""
    start = (
        Story()
        .put("20260101000000_a.sql", "create table a()")
        .put("meta/20260101000000_snapshot.json", snapshot("a", ROOT, {"a": ["id"]}))
    )
    start.list([entry(0, "20260101000000_a")])

    def grown(name: str, idx: int) -> Story:
        story = Story(start.files).put(f"{name}.sql", f"create table {name[15:]}()")
        story.put(f"meta/{name[:14]}_snapshot.json", snapshot(name, "a", {"a": ["id"]}))
        return story.list([*start.entries, entry(idx, name)])

    made = planned(start.files, grown("20260103000000_c", 2).files, grown("20260102000000_b", 1).files)
    assert [c.kind for c in made.conflicts] == ["parent"]


def test_the_same_name_twice():
    """`--name=refunds` on both branches."""
    head, tip = base().add("refunds", "select 1", when=1_760_000_009_000), base().add("refunds", "select 2")
    made = planned(base().files, head.files, tip.files)
    assert [c.kind for c in made.conflicts] == ["name"]
    assert tags(made.added) == ["0002_refunds"]


def test_head_that_merged_base_and_renumbered_is_clean():
    """After `sync` there is nothing to say, whatever base's tip is."""
    tip = base().add("invoices")
    made = planned(tip.files, Story(tip.files).add("refunds").files, tip.files)
    assert (made.facts, tags(made.pending)) == ((), ["0003_refunds"])


def test_what_base_got_meanwhile_is_not_heads():
    """Neither its new migrations nor the damage they bring."""
    tip = base().add("invoices").drop("meta/0002_snapshot.json")
    made = planned(base().files, {**base().files, "a.ts": ""}, tip.files)
    assert (made.added, made.facts, made.pending) == ((), (), ())


def test_old_damage_is_told_as_old():
    """It is in the report, and head is not blamed."""
    old = base().drop("meta/0001_snapshot.json").put("0007_lost.sql", "")
    made = planned(
        old.files,
        {
            **old.files,
            "drizzle/0002_x.sql": "select 1",
            JOURNAL: Story(old.files).list([*old.entries, entry(2, "0002_x")]).files[JOURNAL],
        },
    )
    assert [name for name, _ in said(made, old=True)] == ["JournalMismatch", "SnapshotChain"]
    assert [f.problem for f in made.facts if f.introduced and isinstance(f, SnapshotChain)] == ["missing-unneeded"]


def test_a_project_that_keeps_no_snapshots_is_not_asked_for_one():
    """Their absence is the rule there."""
    old = base().drop("meta/0000_snapshot.json", "meta/0001_snapshot.json")
    head = Story(old.files).put("0002_x.sql", "create table x()").list([*old.entries, entry(2, "0002_x")])
    facts = [f for f in planned(old.files, head.files).facts if f.introduced]
    assert [f.problem for f in facts if isinstance(f, SnapshotChain)] == ["missing-as-usual"]


def stale(schema: str, tables: dict[str, list[str]]) -> Plan:
    """A migration whose snapshot lacks something that base's last one has."""
    tip = base().add("invoices")
    head = Story({**tip.files, "schema.ts": schema}).put("0003_refunds.sql", "create table refunds()")
    head.put("meta/0003_snapshot.json", snapshot("r", "id-invoices", {**tables, "refunds": ["id"]}))
    return planned(tip.files, head.list([*tip.entries, entry(3, "0003_refunds")]).files)


def test_a_snapshot_generated_on_a_stale_branch_forgets_what_base_got():
    """Its migration drops nothing, and yet a table that schema.ts has is gone from the snapshot."""
    (fact,) = stale('pgTable("invoices", {})', {"users": ["id"], "orders": ["id"]}).facts
    assert isinstance(fact, SnapshotChain)
    assert (fact.problem, fact.detail, fact.place.path) == ("regresses", "invoices", "drizzle/meta/0003_snapshot.json")


def test_a_table_left_in_the_database_on_purpose_is_not_forgotten():
    """schema.ts gave it up, and the DROP is kept for a later release."""
    assert stale("", {"users": ["id"], "orders": ["id"]}).facts == ()


def test_a_forgotten_column_warns():
    """Whether schema.ts still has it, its name alone does not tell."""
    found = rules.judge(stale("", {"users": ["id"], "orders": [], "invoices": ["id"]}).facts)
    assert [(f.rule, f.severity) for f in found] == [("snapshot-chain", "warning")]


def test_a_dropped_column_is_no_regress():
    """The SQL names it."""
    head = base().put("0002_x.sql", 'ALTER TABLE "orders" DROP COLUMN "id";')
    head.put("meta/0002_snapshot.json", snapshot("r", "id-orders", {"users": ["id"], "orders": []}))
    head.list([*base().entries, entry(2, "0002_x")])
    assert planned(base().files, head.files).facts == ()


def test_every_introduced_fact_stands_on_a_file_that_head_changed():
    """Also where the damage shows on an untouched neighbour."""
    head = base().drop("meta/0000_snapshot.json", "0000_users.sql")
    made = planned(base().files, head.files)
    paths = change(base().files, head.files).paths
    assert {type(f) for f in made.facts if f.introduced} == {DeletedMigration, JournalMismatch, SnapshotChain}
    assert all(f.place.path in paths for f in made.facts if f.introduced)


def test_a_broken_journal_does_not_delete_everything():
    """The migrations are still there; the journal is what is wrong."""
    head = base().put("meta/_journal.json", "{")
    made = planned(base().files, head.files)
    assert {type(f) for f in made.facts if f.introduced} == {JournalMismatch}


def test_the_first_migrations_of_a_project():
    """Base has none."""
    made = planned({"drizzle.config.ts": CONFIG}, base().files)
    assert (tags(made.pending), made.facts) == (["0000_users", "0001_orders"], ())


def test_a_removed_project_is_planned_too():
    """Its migrations are deleted, wherever its configuration went."""
    made = change(base().files, {"README.md": ""})
    (project,) = plan.concerned(made)
    assert [f.all_of_them for f in plan.make(made, project).facts if isinstance(f, DeletedMigration)] == [2]


def test_rules_say_all_of_this_in_words():
    """Every fact of this file becomes a sentence."""
    head = (
        base()
        .add("refunds")
        .put("0001_orders.sql", "select 7")
        .put("0009_lost.sql", "")
        .put("meta/0002_snapshot.json", "{")
    )
    made = planned(base().files, head.files, base().add("invoices", when=1_760_000_009_000).files)
    found = {f.rule: f.message for f in rules.judge(made.facts)}
    assert set(found) == {
        "edited-applied-migration",
        "number-collision",
        "silently-skipped",
        "journal-mismatch",
        "snapshot-chain",
    }
    assert all(f.severity == "error" for f in rules.judge(made.facts))
    assert json.dumps(found)
    assert NumberCollision.__doc__
    assert history.__doc__


def test_old_damage_is_a_note_in_words():
    """Whatever the rule's own severity is."""
    old = base().drop("meta/0001_snapshot.json", "0000_users.sql").put("0007_lost.sql", "")
    found = rules.judge(planned(old.files, {**old.files, "a.ts": ""}).facts)
    assert {f.rule for f in found} == {"journal-mismatch", "snapshot-chain"}
    assert {(f.severity, f.introduced) for f in found} == {("note", False)}


def test_what_leads_out_of_the_folder_leaves_the_chain_incomplete():
    """Drizzle may find it, a commit does not show it: nothing is said to be missing from the migrations."""
    story = base().add("refunds")
    entries = story.entries
    entries[-1]["tag"] = "../../elsewhere"
    made = planned(base().files, story.list(entries).files)
    assert (made.whole, planned(base().files, base().add("refunds").files).whole) == (False, True)


def test_a_gap_in_the_numbers_is_a_note():
    """The migrator goes by the order of the entries; some teams leave room for a colleague."""
    (found,) = rules.judge(planned(base().files, base().add("refunds", idx=5).files).facts)
    assert (found.rule, found.severity, found.introduced) == ("journal-mismatch", "note", True)


ACTIONS = st.sampled_from(
    ["add", "early", "edit", "delete", "unlist", "unsnap", "swap", "garble", "comment", "stranger"]
)


def shaken(story: Story, actions: list[tuple[str, int]], side: str) -> Story:
    """A story to which things happen."""
    made = story.fork()
    for number, (action, where) in enumerate(actions):
        if made.files[JOURNAL] != "{" and made.entries:
            shake(made, action, where, f"{side}{number}")
    return made


def shake(made: Story, action: str, where: int, name: str) -> None:
    """One thing happens."""
    entries = made.entries
    chosen = entries[where % len(entries)]
    path = f"{chosen['tag']}.sql"
    text = made.files.get(f"drizzle/{path}")
    tag = f"{len(entries):04}_{name}"
    match action:
        case "add" | "early":
            made.put(f"{tag}.sql", f"create table {name}()")
            made.list([*entries, entry(len(entries), tag, 5 if action == "early" else None)])
        case "edit" | "comment" | "delete" if text is not None:
            made.drop(path)
            if action != "delete":
                made.put(path, str(text) + ("\nselect 1;" if action == "edit" else "\n-- more"))
        case "unlist":
            made.list([e for e in entries if e is not chosen])
        case "unsnap":
            for snap in [p for p in made.files if p.endswith("_snapshot.json")][where % 3 : where % 3 + 1]:
                del made.files[snap]
        case "swap":
            made.list(entries[::-1])
        case "garble" if where % 5 == 0:
            made.put("meta/_journal.json", "{")
        case _:
            made.put(f"00{where % 90 + 10}_{name[0]}.sql", "select 1")


HAPPENINGS = st.lists(st.tuples(ACTIONS, st.integers(0, 20)), max_size=5)


@settings(max_examples=150, deadline=None)
@given(HAPPENINGS, HAPPENINGS, HAPPENINGS)
def test_head_is_blamed_only_for_what_head_changed(old, ours, theirs):
    """Whatever happened before, on head and on base."""
    start = shaken(base().add("refunds"), old, "o")
    head, tip = shaken(start, ours, "h"), shaken(start, theirs, "t")
    for ahead, behind in (
        (head.files, tip.files),
        (head.files, None),
        (tip.files, tip.files),
        (start.files, tip.files),
    ):
        made = change(start.files, ahead, behind)
        for project in plan.concerned(made):
            found = plan.make(made, project)
            introduced = [f for f in found.facts if f.introduced]
            assert all(f.place.path in made.paths for f in introduced)
            assert set(found.would_skip) <= set(tags(found.added))
            assert not set(tags(found.pending)) & set(found.would_skip)
            assert len(rules.judge(found.facts)) >= len(introduced) > -1
            if ahead is start.files or ahead is behind:
                assert (introduced, found.added, found.modified, found.deleted, found.pending) == ([], (), (), (), ())
