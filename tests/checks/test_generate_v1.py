"""Writing v1 migrations on chains that are not plain: several last ones, lost snapshots, old forms, names that clash."""

import json

import pytest

from checks.drizzle import chain, generate
from checks.drizzle.model import Project
from checks.errors import UserError
from checks.schema.read import read
from checks.tree import Tree
from tests.checks.schema_samples import HEAD

NOW = 1_700_000_000_000
PROJECT = Project(root="", format="v1", migrations_dir="drizzle", schema_files=("schema.ts",))


def schema(columns, more=""):
    """What a file with one table means."""
    source = f"{HEAD}export const t = pgTable('t', {{ id: integer().primaryKey(), {columns} }});{more}"
    return read(Tree.of({"schema.ts": source}), ["schema.ts"], format="v1")


def following(files, columns, more="", **answers):
    """The next migration after these files."""
    return generate.migration(chain.read(Tree.of(files), PROJECT), schema(columns, more), **{"when": NOW, **answers})


def snapshot(made):
    """The snapshot that was written."""
    return json.loads(next(text for path, text in made.files.items() if path.endswith("snapshot.json")))


@pytest.fixture
def branched():
    """Two branches that each added a column to the same beginning, merged."""
    files = dict(following({}, "a: text()", name="start").files)
    ours = following(files, "a: text(), b: text()", name="ours", when=NOW + 5_000)
    theirs = following(files, "a: text(), c: text()", name="theirs", when=NOW + 9_000)
    return files | ours.files | theirs.files, snapshot(ours)["id"], snapshot(theirs)["id"]


def test_a_merge_builds_on_every_last_migration(branched):
    """The schema is that of both branches; the new snapshot names both parents, the newest first, and only what is new."""
    files, ours, theirs = branched
    assert following(files, "a: text(), b: text(), c: text()").files == {}
    made = following(files, "a: text(), b: text(), c: text(), d: text()", name="next")
    assert made.tag == "20231114221330_next", "behind both, though the clock says otherwise"
    assert snapshot(made)["prevIds"] == [theirs, ours]
    assert made.statements == ('ALTER TABLE "t" ADD COLUMN "d" text;',)
    assert following(files | made.files, "a: text(), b: text(), c: text(), d: text()").files == {}


def test_a_lost_snapshot_is_said(branched):
    """What the schema was cannot be known without it."""
    files, _, _ = branched
    first = next(path for path in files if path.endswith("start/snapshot.json"))
    with pytest.raises(UserError, match="o migration was written"):
        following({path: text for path, text in files.items() if path != first}, "a: text()")


def test_a_name_that_drizzle_made_up_stays_when_its_column_is_renamed():
    """1.0 keeps the constraint's name, so nothing is dropped; the database's name and the snapshot's stay one."""
    files = dict(following({}, "nick: text().unique()", name="start").files)
    made = following(files, "handle: text().unique()", renames=["t.nick=t.handle"], when=NOW + 5_000)
    assert made.statements == ('ALTER TABLE "t" RENAME COLUMN "nick" TO "handle";',)
    assert following(files | made.files, "handle: text().unique()", when=NOW + 9_000).files == {}
    gone = following(files | made.files, "handle: text()", when=NOW + 9_000)
    assert gone.statements == ('ALTER TABLE "t" DROP CONSTRAINT "t_nick_key";',)


def test_an_index_that_only_has_another_name_is_asked_about_and_another_index_is_not():
    """Renaming keeps it, dropping builds it anew; what is defined otherwise cannot have been renamed."""
    files = dict(following({}, "a: text()", " export const u = pgTable('u', { x: integer(), y: integer() }, (t) => [index('old').on(t.x)]);", name="start").files)  # fmt: skip
    named = " export const u = pgTable('u', { x: integer(), y: integer() }, (t) => [index('new').on(t.x)]);"
    asked = following(files, "a: text()", named)
    assert [q.answers for q in asked.questions] == [("--rename u.old=u.new", "--drop u.old")]
    assert following(files, "a: text()", named, renames=["u.old=u.new"]).statements == (
        'ALTER INDEX "old" RENAME TO "new";',
    )
    other = following(files, "a: text()", named.replace("t.x)", "t.y)"))
    assert other.statements == ('DROP INDEX "old";', 'CREATE INDEX "new" ON "u" ("y");')


def test_a_value_with_a_quote_is_added_as_postgresql_reads_it():
    """drizzle-kit leaves the quote as it is, which is no SQL."""
    mood = " export const mood = pgEnum('mood', [{}]);"
    files = dict(following({}, "a: text()", mood.format("'a'"), name="start").files)
    made = following(files, "a: text()", mood.format("'a', \"it's\""))
    assert made.statements == ("ALTER TYPE \"mood\" ADD VALUE 'it''s';",)
