"""`/migrate generate` and `db generate --static`: files into a work tree or a commit, or one question."""

import json

import pytest

from bot.git import Repository
from bot.repair import generate
from bot.repair.generate import Answers
from checks.errors import UserError

CONFIG = 'export default { dialect: "postgresql", schema: "./db/schema.ts", out: "./db/migrations" };'
PACKAGE = '{"devDependencies": {"drizzle-kit": "0.31.11"}, "dependencies": {"drizzle-orm": "0.45.4"}}'
IMPORT = 'import { pgTable, integer, text, timestamp } from "drizzle-orm/pg-core";\n'
NOW = 1_700_000_000_000


def users(columns):
    """A schema file with one table."""
    return f'{IMPORT}export const users = pgTable("users", {{ id: integer().primaryKey(), {columns} }});\n'


@pytest.fixture
def project(repo):
    """A project with one migration."""
    repo.commit({"package.json": PACKAGE, "drizzle.config.ts": CONFIG, "db/schema.ts": users("nick: text()")})
    generate.run(repo.path, Answers(name="start"), when=NOW)
    repo.commit()
    return repo


def test_run_writes_sql_snapshot_and_journal_into_the_work_tree(project):
    """The second migration stands beside the first, its snapshot builds on the first's, the journal has both."""
    project.write({"db/schema.ts": users("nick: text(), age: integer().notNull().default(0)")})
    made = generate.run(project.path, Answers(name="age"), when=NOW + 5)
    folder = project.path / "db/migrations"
    assert made.tag == "0001_age"
    assert (folder / "0001_age.sql").read_text() == 'ALTER TABLE "users" ADD COLUMN "age" integer DEFAULT 0 NOT NULL;'
    first, second = (json.loads((folder / f"meta/000{n}_snapshot.json").read_text()) for n in (0, 1))
    assert second["prevId"] == first["id"]
    journal = json.loads((folder / "meta/_journal.json").read_text())
    assert [(e["idx"], e["tag"], e["when"]) for e in journal["entries"]] == [
        (0, "0000_start", NOW),
        (1, "0001_age", NOW + 5),
    ]
    assert generate.text(made).splitlines()[0] == "written: 0001_age"
    again = generate.run(project.path, Answers())
    assert (again.files, generate.text(again)) == ({}, "No schema changes, nothing to generate.")


def test_a_commit_adds_the_files_and_moves_nothing(project):
    """For a reply: the files of the missing migration at a commit, on top of it; doing it twice gives the same files."""
    head = project.commit({"db/schema.ts": users("nick: text(), age: integer()")})
    made = generate.at(project.path, head, Answers(), when=NOW + 9)
    assert made == generate.at(project.path, head, Answers(), when=NOW + 9)
    commit = generate.commit(Repository(project.path), head, made)
    assert project.git("show", "--name-status", "--format=%P %s", commit).splitlines() == [
        f"{head} Add migration {made.tag}",
        "",
        f"A\tdb/migrations/{made.tag}.sql",
        "A\tdb/migrations/meta/0001_snapshot.json",
        "M\tdb/migrations/meta/_journal.json",
    ]
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == ""


def test_a_possible_rename_is_asked_and_writes_nothing(project):
    """One column left and one came: the reply lists every answer, each a command."""
    head = project.commit({"db/schema.ts": users("handle: text()")})
    made = generate.at(project.path, head, Answers())
    assert made.files == {}
    assert generate.code(made) == 1
    assert generate.markdown(made) == (
        "Something left `schema.ts` while something like it came. Was it renamed? One of these decides it:\n"
        "\n"
        "* column `users.nick`\n"
        "  * `/migrate generate --rename users.nick=users.handle`\n"
        "  * `/migrate generate --drop users.nick`\n"
        "  * `/migrate generate --keep users.nick`"
    )
    renamed = generate.at(project.path, head, generate.answers("--rename users.nick=users.handle"))
    assert renamed.sql == 'ALTER TABLE "users" RENAME COLUMN "nick" TO "handle";'


def test_a_pending_drop_is_told_and_written_on_request(project):
    """The column stays until its drop is asked for."""
    head = project.commit({"db/schema.ts": users("")})
    made = generate.at(project.path, head, Answers())
    assert (made.files, made.pending) == ({}, ("users.nick",))
    assert "`/migrate generate --drop users.nick`" in generate.markdown(made)
    dropped = generate.at(project.path, head, generate.answers("--drop users.nick --name=bye"))
    assert (dropped.tag, dropped.sql) == ("0001_bye", 'ALTER TABLE "users" DROP COLUMN "nick";')


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--drop", "`--drop` needs a value"),
        ("--drop --name x", "`--drop` needs a value"),
        ("please", "`please` is no option of generate"),
        ("--name a --name b", "A migration has one name"),
        ("--name 'a", "cannot be read"),
    ],
)
def test_words_that_mean_nothing_are_refused(words, told):
    """A usage error says what is wrong."""
    with pytest.raises(UserError, match=told):
        generate.answers(words)


def test_what_cannot_be_read_is_named(project):
    """An unresolved place stops it: a migration from half a schema would drop the other half."""
    head = project.commit({"db/schema.ts": users("nick: process.env.X ? text() : integer()")})
    with pytest.raises(UserError, match=r"db/schema\.ts:2 "):
        generate.at(project.path, head, Answers())


def test_a_link_out_of_the_repository_is_not_written_through(project, tmp_path):
    """The journal of the project may not be a door to other files."""
    outside = tmp_path / "outside"
    outside.mkdir()
    moved = project.path / "db/migrations/meta"
    for path in moved.iterdir():
        (outside / path.name).write_bytes(path.read_bytes())
        path.unlink()
    moved.rmdir()
    moved.symlink_to(outside)
    project.write({"db/schema.ts": users("nick: text(), age: integer()")})
    before = sorted(outside.iterdir())
    with pytest.raises(UserError):
        generate.run(project.path, Answers())
    assert sorted(outside.iterdir()) == before


V1_PACKAGE = '{"devDependencies": {"drizzle-kit": "VERSION"}, "dependencies": {"drizzle-orm": "VERSION"}}'


def v1(repo, version="1.0.0-rc.5"):
    """A project of drizzle-kit 1.0 with one migration."""
    package = V1_PACKAGE.replace("VERSION", version)
    repo.commit({"package.json": package, "drizzle.config.ts": CONFIG, "db/schema.ts": users("nick: text()")})
    generate.run(repo.path, Answers(name="start"), when=NOW)
    repo.commit()
    return repo


def test_a_v1_migration_is_a_folder_whose_snapshot_says_what_changes(repo):
    """SQL and snapshot in a folder named after its second; the snapshot builds on the first's; a third has nothing to do."""
    project = v1(repo)
    project.write({"db/schema.ts": users("nick: text(), age: integer().notNull().default(0)")})
    made = generate.run(project.path, Answers(name="age"), when=NOW + 900)
    assert made.tag == "20231114221321_age", "a second later than the first, whose second it would share"
    folder = project.path / "db/migrations"
    assert (folder / made.tag / "migration.sql").read_text() == (
        'ALTER TABLE "users" ADD COLUMN "age" integer DEFAULT 0 NOT NULL;'
    )
    first = json.loads((folder / "20231114221320_start/snapshot.json").read_text())
    second = json.loads((folder / made.tag / "snapshot.json").read_text())
    assert (first["type"], second["type"], second["prevIds"]) == ("base", "diff", [first["id"]])
    assert [delta["op"] for delta in second["deltas"]] == ["create"]
    assert [found["statementType"] for found in second["footprints"]] == ["add_column"]
    assert generate.run(project.path, Answers()).files == {}


def test_a_v1_project_of_an_older_candidate_keeps_its_form_of_snapshots(repo):
    """Before rc.5 each snapshot held the whole schema, in version 8; a chain goes on as it began."""
    project = v1(repo, "^1.0.0-beta.22")
    project.write({"db/schema.ts": users("handle: text()")})
    made = generate.run(project.path, Answers(renames=("users.nick=users.handle",)), when=NOW + 5_000)
    snapshot = json.loads((project.path / "db/migrations" / made.tag / "snapshot.json").read_text())
    assert (snapshot["version"], snapshot["renames"]) == ("8", ["public.users.nick->public.users.handle"])
    assert [row["name"] for row in snapshot["ddl"] if row["entityType"] == "columns"] == ["id", "handle"]


def test_a_v1_rename_is_asked_and_a_column_that_may_stay_is_pending(repo):
    """As for 0.x: nothing is guessed, nothing is dropped that the running release may still read."""
    project = v1(repo)
    project.write({"db/schema.ts": users("handle: text()")})
    asked = generate.run(project.path, Answers())
    assert [(q.kind, q.gone, q.new) for q in asked.questions] == [("column", "users.nick", ("users.handle",))]
    kept = generate.run(project.path, Answers(keeps=("users.nick",)), when=NOW + 5_000)
    assert kept.pending == ("users.nick",)
    assert kept.statements == ('ALTER TABLE "users" ADD COLUMN "handle" text;',)
    dropped = generate.run(project.path, Answers(drops=("users.nick",)), when=NOW + 9_000)
    assert dropped.statements == ('ALTER TABLE "users" DROP COLUMN "nick";',)
