"""`bulletproof diff` and `bulletproof rollback`: what differs, proved; and the way back, run up, down and up."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import GitRepo

from bot import demo
from bot.branches.embedded import Embedded
from bot.cli import main
from checks.catalog import difference
from checks.catalog.read import read


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's repository, as the folder one is in."""
    demo.build(tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def files(tmp_path: Path, before: str, after: str) -> tuple[str, str]:
    """Two .sql files."""
    (tmp_path / "before.sql").write_text(before)
    (tmp_path / "after.sql").write_text(after)
    return str(tmp_path / "before.sql"), str(tmp_path / "after.sql")


def test_the_statements_turn_one_file_into_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], branches: Embedded
) -> None:
    """Run on FROM, they give TO; the exit code says that there is something to do."""
    one, two = files(
        tmp_path,
        "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (id int PRIMARY KEY, m mood);",
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE t (id bigint PRIMARY KEY, m mood DEFAULT 'sad', \"Ünï\" text); CREATE INDEX ON t (m);",
    )
    code, sql, err = run(capsys, "diff", one, two)
    assert (code, err) == (1, "")
    with branches.branch() as a, branches.branch() as b, a.connect() as start, b.connect() as wanted:
        start.execute(Path(one).read_bytes())
        start.execute(sql.encode())
        wanted.execute(Path(two).read_bytes())
        assert difference.equal(read(start), read(wanted))


def test_equal_sides_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, no output; the order of columns does not count."""
    one, two = files(tmp_path, "CREATE TABLE t (a int, b text);", "CREATE TABLE t (b text, a int);")
    assert run(capsys, "diff", one, two) == (0, "", "")


def test_roles_that_a_file_names_and_does_not_make_are_no_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They belong to the cluster; however the statement is laid out."""
    one, two = files(
        tmp_path,
        "CREATE TABLE t (a int);",
        'CREATE TABLE t (a int);\nCREATE POLICY p ON t\n  TO "role 1",\n    other\n  USING (true);\nGRANT SELECT ON t\n TO app;',
    )
    code, sql, err = run(capsys, "diff", one, two)
    assert (code, err) == (1, "")
    assert 'CREATE POLICY p ON public.t TO other, "role 1" USING (true)' in sql


def test_json_has_everything(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The contract's keys; changes are in words."""
    code, out, _ = run(capsys, "diff", "git:main", "git:clean", "--format", "json")
    found: dict[str, Any] = json.loads(out)
    assert code == 1
    assert {"version", "equal", "sql", "unified", "changes"} <= found.keys()
    assert found["changes"] == ["table `order_events` created with 4 columns", "`orders`: column `note` added (text)"]
    assert found["proven"] is True


def test_a_database_is_read_by_its_url(tmp_path: Path, capsys: pytest.CaptureFixture[str], branches: Embedded) -> None:
    """A URL on either side; the database itself is only read."""
    one, _ = files(tmp_path, "CREATE TABLE t (a int, gone text);", "")
    with branches.branch() as there, there.connect() as session:
        session.execute("CREATE TABLE t (a int)")
        url = f"postgresql:///{session.info.dbname}?host={session.info.host}&user={session.info.user}"
        code, sql, err = run(capsys, "diff", url, one)
        assert (code, sql, err) == (1, "ALTER TABLE public.t ADD COLUMN gone text;\n", "")
        code, sql, _ = run(capsys, "diff", one, url)
        assert (code, sql) == (1, "-- loses data: its values are lost\nALTER TABLE public.t DROP COLUMN gone;\n")


@pytest.mark.parametrize(
    ("sides", "code", "said"),
    [
        (("nowhere.sql", "nowhere.sql"), 2, "nowhere.sql cannot be read"),
        (("bad.sql", "bad.sql"), 2, "bad.sql, line 3"),
        (("git:nonsense", "git:main"), 2, "There is no commit 'nonsense'"),
        (("postgresql://u:secret@127.0.0.1:1/x", "git:main"), 3, "Cannot connect"),
    ],
)
def test_sides_that_cannot_be_read(
    shop: Path, capsys: pytest.CaptureFixture[str], sides: tuple[str, str], code: int, said: str
) -> None:
    """File and line, PostgreSQL's words, no password, no traceback."""
    (shop / "bad.sql").write_text("CREATE TABLE t (a int);\n\nDROP TABLE elsewhere;\n")
    got, out, err = run(capsys, "diff", *sides)
    assert (got, out) == (code, "")
    assert said in err
    assert "secret" not in err


def test_the_way_back_is_proved_and_says_what_is_lost(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The dropped column comes back empty; its values are named, with the statement that saves them."""
    code, out, _ = run(capsys, "rollback", "--base", "main", "--head", "breaking")
    assert code == 0
    assert out.startswith("-- proven")
    assert "the values of `users.nickname`" in out
    assert "ALTER TABLE public.users ADD COLUMN nickname text;" in out


def test_the_way_back_really_leads_back(shop: Path, capsys: pytest.CaptureFixture[str], branches: Embedded) -> None:
    """Main's migrations, head's, then what was printed: main's schema again."""
    _, out, _ = run(capsys, "rollback", "--base", "main", "--head", "clean")
    code, forth, _ = run(capsys, "diff", "git:main", "git:clean")
    with branches.branch() as there, there.connect() as session:
        for tag in sorted((shop / "lib/database/migrations").glob("*.sql")):
            session.execute(tag.read_bytes())
        before = read(session)
        session.execute(forth.encode())
        assert not difference.equal(before, read(session))
        statements = out.split(";\n", 1)[1]  # the first one clears the tracking table, which is not here
        session.execute(statements.encode())
        assert difference.equal(before, read(session))
    assert code == 1


def test_nothing_to_undo(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A head without migrations is a sentence, not a traceback."""
    repo.commit({"a": "1"})
    code, _, err = run(capsys, "rollback", "--repo", str(repo.path), "--base", "main", "--head", "main")
    assert (code, "nothing to undo" in err) == (2, True)


JOURNAL = '{{"version": "7", "dialect": "postgresql", "entries": [{entries}]}}'
ENTRY = '{{"idx": {0}, "version": "7", "when": 170000000{0}000, "tag": "000{0}_step", "breakpoints": true}}'
CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" };'


def project(root: str, *migrations: str) -> dict[str, str]:
    """A Drizzle project with these migrations."""
    entries = ", ".join(ENTRY.format(number) for number in range(len(migrations)))
    files = {f"000{number}_step.sql": sql for number, sql in enumerate(migrations)}
    files["meta/_journal.json"] = JOURNAL.format(entries=entries)
    return {f"{root}drizzle.config.ts": CONFIG, f"{root}schema.ts": ""} | {
        f"{root}drizzle/{name}": text for name, text in files.items()
    }


FIRST = """\
CREATE TYPE "mood" AS ENUM('sad', 'ok');
CREATE TABLE "users" ("id" serial PRIMARY KEY, "email" text NOT NULL, "nick name" text, "age" bigint, "m" "mood" DEFAULT 'ok');
CREATE TABLE "logs" ("line" text);"""
SECOND = """\
ALTER TABLE "users" DROP COLUMN "nick name";
ALTER TYPE "mood" ADD VALUE 'glad';
ALTER TABLE "users" ALTER COLUMN "age" SET DATA TYPE integer;
UPDATE "users" SET "email" = lower("email");
WITH old AS (DELETE FROM users RETURNING *) SELECT count(*) FROM old;
DROP TABLE "logs";
CREATE TABLE "new" ("t" text);
INSERT INTO "new" VALUES ('x');
DO $$ BEGIN PERFORM 1; END $$;"""


def test_what_does_not_come_back_is_named_with_what_saves_it(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Column by column; changed rows, added enum values and code that nobody can read included; new tables are no loss."""
    repo.commit(project("", FIRST))
    repo.branch("head")
    repo.commit(project("", FIRST, SECOND))
    code, out, _ = run(capsys, "rollback", "--repo", str(repo.path), "--base", "main")
    lost = [line.removeprefix("-- does not come back: ") for line in out.splitlines() if "does not come back" in line]
    assert (code, lost) == (
        0,
        [
            "the rows of `logs` (save them: CREATE TABLE logs_saved AS TABLE logs)",
            "values of `users.age` that integer could not hold as bigint did (save them: CREATE TABLE users_age_saved AS SELECT id, age FROM users)",
            'the values of `users."nick name"` (save them: CREATE TABLE "users_nick name_saved" AS SELECT id, "nick name" FROM users)',
            "'glad' of the enum `mood` in rows written since: the way back stops at them (find them: SELECT * FROM users WHERE m IN ('glad'))",
            "what rows of `users` were before UPDATE (0001_step, line 4; save them: CREATE TABLE users_saved AS TABLE users)",
            "the rows of `users` that DELETE took (0001_step, line 5; save them: CREATE TABLE users_saved AS TABLE users)",
            "what a function that SELECT calls did to rows, if anything (0001_step, line 5)",
            "what the DO block did to rows, if anything (0001_step, line 9)",
        ],
    )


def test_rows_that_a_migration_silently_loses_are_no_proof(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema comes back, but a column dropped and added again keeps its name and not its values."""
    repo.commit(project("", "CREATE TABLE t (id int PRIMARY KEY, a text);"))
    repo.branch("head")
    again = "CREATE TABLE t (id int PRIMARY KEY, a text);"
    repo.commit(
        project("", again, "ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a text; CREATE INDEX ON t (a);")
    )
    code, out, _ = run(capsys, "rollback", "--repo", str(repo.path), "--base", "main")
    assert (code, "rows do not survive it in public.t" in out) == (1, True)


def test_a_monorepo_is_told_apart_by_the_folder(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a project it is that one, elsewhere the projects are named; the way back is of all of them."""
    repo.commit(project("apps/a/", "CREATE TABLE a (id int);") | project("apps/b/", "CREATE TABLE b (id int);"))
    repo.branch("head")
    repo.commit(
        project("apps/a/", "CREATE TABLE a (id int);", "ALTER TABLE a ADD COLUMN n text;")
        | project("apps/b/", "CREATE TABLE b (id int);", "ALTER TABLE b ADD COLUMN n text;")
    )
    monkeypatch.chdir(repo.path / "apps" / "b" / "drizzle")
    assert run(capsys, "diff", "git:main", "git:head")[:2] == (1, "ALTER TABLE public.b ADD COLUMN n text;\n")
    monkeypatch.chdir(repo.path)
    code, out, err = run(capsys, "diff", "git:main", "git:head")
    assert (code, out, "(apps/a/drizzle, apps/b/drizzle). Run it in the folder of one." in err) == (2, "", True)
    code, out, _ = run(capsys, "rollback", "--base", "main")
    assert (code, "ALTER TABLE public.a DROP COLUMN n" in out, "ALTER TABLE public.b DROP COLUMN n" in out) == (
        0,
        True,
        True,
    )
