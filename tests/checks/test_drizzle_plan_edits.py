"""What head does to migrations that base has: edits, deletions, renames, squashes, moves."""

from checks.drizzle.history import (
    DeletedMigration,
    EditedAppliedMigration,
)
from tests.checks.drizzle_samples import CONFIG, Story, change, planned
from tests.checks.plan_samples import JOURNAL, base, said, tags


def test_an_edit_is_found_where_the_texts_part():
    """The finding stands on the first statement that differs."""
    start = base().put("0001_orders.sql", "create table a();\n\nalter table a add b int;")
    made = planned(
        start.files, start.fork().put("0001_orders.sql", "create table a();\n\nalter table a add c int;").files
    )
    (fact,) = made.facts
    assert isinstance(fact, EditedAppliedMigration)
    assert (fact.place.path, fact.place.line, fact.change) == ("drizzle/0001_orders.sql", 3, "edited")
    assert made.pending == ()


def test_white_space_and_comments_may_change():
    """As may line ends and the cut into chunks."""
    start = base().put("0001_orders.sql", "create table a(); select 1")
    head = start.fork().put(
        "0001_orders.sql", "-- orders\r\ncreate table a ( ) ;\r\n--> statement-breakpoint\r\nselect 1;\r\n"
    )
    assert planned(start.files, head.files).facts == ()


def test_an_edit_that_base_made_too_is_not_heads():
    """Head took base's version."""
    edited = base().put("0001_orders.sql", "select 42").files
    assert planned(base().files, edited, edited).facts == ()


def test_editing_ones_own_new_migration_is_fine():
    """It exists in head alone."""
    head = base().add("refunds")
    assert planned(base().files, head.put("0002_refunds.sql", "select 1").files).modified == ()


def test_a_deleted_migration():
    """The file, its entry and its snapshot are gone."""
    head = Story().add("users")
    made = planned(base().files, head.files)
    assert said(made) == [("DeletedMigration", "drizzle/0001_orders.sql")]
    assert tags(made.deleted) == ["0001_orders"]
    assert tags(made.merged.migrations) == ["0000_users"]


def test_a_deleted_entry_whose_file_stays():
    """New databases never run it."""
    head = base()
    head.list(head.entries[:1])
    made = planned(base().files, head.files)
    (gone,) = [f for f in made.facts if isinstance(f, DeletedMigration)]
    assert (gone.tag, gone.file_stays, gone.place.path) == ("0001_orders", True, JOURNAL)
    assert all(f.place.path in change(base().files, head.files).paths for f in made.facts if f.introduced)


def test_a_deletion_that_base_made_too_is_not_heads():
    """Head followed base."""
    less = Story().add("users").files
    assert planned(base().files, less, less).facts == ()


def test_a_squash_is_one_finding():
    """All migrations replaced by one."""
    head = Story().add("everything", "create table users(); create table orders()")
    made = planned(base().files, head.files)
    (gone,) = [f for f in made.facts if isinstance(f, DeletedMigration)]
    assert gone.all_of_them == 2
    assert len(made.deleted) == 2


def test_a_renamed_migration():
    """The same SQL under another name."""
    head = base()
    head.put("0001_purchases.sql", head.files["drizzle/0001_orders.sql"]).drop("0001_orders.sql")
    head.list([head.entries[0], {**head.entries[1], "tag": "0001_purchases"}])
    made = planned(base().files, head.files)
    (fact,) = made.facts
    assert isinstance(fact, EditedAppliedMigration)
    assert (fact.change, fact.tag, fact.now) == ("renamed", "0001_orders", "0001_purchases")
    assert (made.added, made.deleted) == ((), ())


def test_a_later_when_on_an_old_entry_runs_it_again():
    """Regenerated journals do this."""
    head = base()
    head.list([head.entries[0], {**head.entries[1], "when": 1_800_000_000_000}])
    made = planned(base().files, head.files)
    (fact,) = made.facts
    assert isinstance(fact, EditedAppliedMigration)
    assert (fact.change, fact.place.line) == ("restamped", 12)
    assert tags(made.pending) == ["0001_orders"]


def test_a_moved_folder_is_no_squash():
    """Every migration is where it was in the chain."""
    moved = Story(
        {"drizzle.config.ts": CONFIG.replace("./drizzle", "./database/migrations"), "schema.ts": ""},
        folder="database/migrations",
    )
    moved.add("users").add("orders").add("refunds")
    made = planned(base().files, moved.files)
    assert (tags(made.added), made.facts, tags(made.pending)) == (["0002_refunds"], (), ["0002_refunds"])


def test_a_moved_folder_with_old_damage_stays_old():
    """Its path is no part of a damage's identity."""
    old = base().drop("meta/0001_snapshot.json")
    moved = {path.replace("drizzle/", "migrations/"): text for path, text in old.files.items()}
    moved["drizzle.config.ts"] = CONFIG.replace("./drizzle", "./migrations")
    made = planned(old.files, moved)
    assert said(made) == []
    assert len(said(made, old=True)) == 1
