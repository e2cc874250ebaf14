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
