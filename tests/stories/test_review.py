"""`bulletproof review` from a terminal: what a developer sees, and what nobody may be shown."""

import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, GitRepo

from bot import demo
from bot.cli import main
from tests.checks.drizzle_samples import CONFIG, Story

LONG = 60.0


def bulletproof(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments], cwd=cwd, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(Path.home())},
    )  # fmt: skip


class Reviewed:
    """A review of a branch against main, as JSON."""

    def __init__(self, repo: GitRepo, capsys: pytest.CaptureFixture[str], *more: str) -> None:
        arguments = ["review", "--repo", str(repo.path), "--base", "main", "--head", "head", "--format", "json", *more]
        self.code = main(arguments)
        out, self.err = capsys.readouterr()
        self.report: dict[str, Any] = json.loads(out) if out else {}

    @property
    def verdict(self) -> str:
        """`pass`, `block` or `unjudged`."""
        return self.report["verdict"]

    def rules(self, severity: str | None = None, *, introduced: bool = True) -> list[str]:
        """Ids of the rules that spoke."""
        return sorted(
            f["rule"]
            for f in self.report["findings"]
            if f["introduced"] is introduced and severity in {None, f["severity"]}
        )

    def item(self, name: str) -> str:
        """The state of a checklist item."""
        return next(i["state"] for i in self.report["checklist"] if i["id"] == name)


def two_sides(repo: GitRepo, base: Story, head: Story, tip: Story | None = None) -> GitRepo:
    """Main at `base` (or moved on to `tip`), and a branch `head` that left it at `base`."""
    repo.commit(base.files)
    repo.branch("head")
    gone = {path: None for path in base.files if path not in head.files}
    repo.commit({**gone, **head.files})
    repo.checkout("main")
    if tip is not None:
        repo.commit(tip.files)
    return repo


class Shop(Story):
    """A history whose schema file declares what its migrations make."""

    def add(self, name: str, sql: str | None = None, **more: Any) -> "Shop":
        """Generate a migration, and declare its table."""
        super().add(name, sql, **more)
        if sql is None:
            self.files["schema.ts"] += f'export const {name} = pgTable("{name}", {{ id: text() }});\n'
        return self

    def fork(self) -> "Shop":
        """A branch."""
        return Shop(self.files, folder=self.folder)


def empty() -> Shop:
    """No migration yet."""
    return Shop({"drizzle.config.ts": CONFIG, "schema.ts": 'import { pgTable, text } from "drizzle-orm/pg-core";\n'})


def story() -> Shop:
    """Two tables."""
    return empty().add("users").add("orders")


def test_an_ordinary_migration_passes(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """It ran on base's state and from zero, nothing was found, and the difference is told in words."""
    reviewed = Reviewed(two_sides(repo, story(), story().add("refunds")), capsys)
    assert (reviewed.code, reviewed.verdict) == (0, "pass")
    assert reviewed.report["replay"]["from_base"] == reviewed.report["replay"]["from_zero"] == "ok"
    assert reviewed.report["schema_diff"]["summary"] == ["table `refunds` created with 1 column"]
    assert reviewed.report["coverage"] == {"statements": 1, "read": 1, "executed": 1, "opaque": []}
    assert reviewed.item("migration-tested") == "met"
    assert reviewed.item("history-linear") == "met"
    assert reviewed.rules("error") == []


def test_the_garbage_collector_is_left_as_it_was(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A review tells it to be patient, and whoever else lives in the process is not asked."""
    was = gc.get_threshold()
    Reviewed(two_sides(repo, story(), story().add("refunds")), capsys)
    assert (gc.get_threshold(), gc.isenabled()) == (was, True)


def test_a_failing_statement_blocks_in_postgresqls_own_words(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """File, line, SQLSTATE and message; what comes after it is listed as not run."""
    head = story().add(
        "x",
        'ALTER TABLE "users" ADD COLUMN "a" text;\n--> statement-breakpoint\n\n-- why\nDROP TABLE "nowhere";\n--> statement-breakpoint\nSELECT 1;',
    )
    reviewed = Reviewed(two_sides(repo, story(), head), capsys)
    assert (reviewed.code, reviewed.verdict) == (1, "block")
    replay = reviewed.report["replay"]
    assert replay["from_base"] == "failed"
    assert replay["error"] == {
        "migration": "0002_x",
        "statement": 1,
        "sqlstate": "42P01",
        "message": 'table "nowhere" does not exist',
    }
    first, second, third = reviewed.report["migrations"][0]["statements"]
    assert (first["executed"], second["executed"], third["executed"]) == (True, False, False)
    assert second["line"] == 5
    (finding,) = [f for f in reviewed.report["findings"] if f["rule"] == "fails"]
    assert (finding["path"], finding["line"], finding["severity"]) == ("drizzle/0002_x.sql", 5, "error")


def test_what_runs_on_base_and_not_from_zero_is_a_warning(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Base's seed leaves a deferred check pending; on an empty database head's ALTER comes in the same transaction."""
    seed = "CREATE TABLE p (id int PRIMARY KEY);--> statement-breakpoint\nCREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);"
    base = empty().add(
        "seed",
        f"{seed}--> statement-breakpoint\nINSERT INTO p VALUES (1);--> statement-breakpoint\nINSERT INTO c VALUES (1);",
    )
    head = base.fork().add("note", "ALTER TABLE c ADD COLUMN note text;")
    reviewed = Reviewed(two_sides(repo, base, head), capsys)
    replay = reviewed.report["replay"]
    assert (replay["from_base"], replay["from_zero"], reviewed.verdict) == ("ok", "failed", "pass")
    (finding,) = [f for f in reviewed.report["findings"] if f["rule"] == "fails"]
    assert (finding["severity"], finding["migration"], finding["path"]) == (
        "warning",
        "0001_note",
        "drizzle/0001_note.sql",
    )


def test_a_strict_policy_blocks_by_a_finding(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be checked is named, on a file that head changed."""
    base = story()
    base.files[".github/migration-policy.yml"] = "strict: true\n"
    reviewed = Reviewed(two_sides(repo, base, base.fork().add("refunds")), capsys, "--offline")
    assert (reviewed.code, reviewed.verdict) == (1, "block")
    assert set(reviewed.rules("error")) == {"not-checked"}


def test_what_collides_with_base_blocks_and_says_the_way_out(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Both sides made number 2; the conflict names `sync`."""
    base = story()
    head, tip = base.fork().add("refunds"), base.fork().add("invoices", when=1_760_000_009_000)
    reviewed = Reviewed(two_sides(repo, base, head, tip), capsys)
    assert reviewed.verdict == "block"
    assert {"number-collision", "silently-skipped"} <= set(reviewed.rules("error"))
    assert reviewed.report["replay"]["would_skip"] == ["0002_refunds"]
    assert reviewed.report["conflicts"][0]["with"] == "base"
    assert "sync" in reviewed.report["conflicts"][0]["fix"]


def test_old_damage_never_blocks(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing snapshot on base is a note of the pull request that adds the next migration."""
    base = story().drop("meta/0000_snapshot.json")
    reviewed = Reviewed(two_sides(repo, base, base.fork().add("refunds")), capsys)
    assert (reviewed.code, reviewed.rules("error")) == (0, [])


def test_a_base_chain_that_does_not_replay_is_replaced_by_its_snapshot(
    repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database born by push: the first migration alters a table that no migration creates."""
    base = empty().add("users").add("x", 'ALTER TABLE "elsewhere" ADD COLUMN "a" text;')
    head = base.fork().add("refunds")
    reviewed = Reviewed(two_sides(repo, base, head), capsys)
    assert (reviewed.code, reviewed.verdict) == (0, "pass")
    assert reviewed.report["replay"]["from_base"] == "ok"
    assert any("snapshot" in note for note in reviewed.report["notes"])


def test_no_migration_touched_is_one_line(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """A pull request about something else passes without a database."""
    head = story()
    head.files["README.md"] = "hello"
    reviewed = Reviewed(two_sides(repo, story(), head), capsys)
    assert (reviewed.code, reviewed.verdict, reviewed.report["title"]) == (0, "pass", "no migration or schema touched")


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_other_databases_are_not_judged(repo: GitRepo, capsys: pytest.CaptureFixture[str], dialect: str) -> None:
    """A SQLite project is said to be one, and passes."""
    files = {
        "drizzle.config.ts": f'export default {{ dialect: "{dialect}", schema: "./schema.ts", out: "./drizzle" }};',
        "schema.ts": "",
    }
    journal = {"version": "7", "dialect": dialect, "entries": []}
    base = Story({**files, "drizzle/meta/_journal.json": json.dumps(journal)})
    head = base.fork()
    head.files["drizzle/0000_a.sql"] = "CREATE TABLE `a` (`id` integer);"
    reviewed = Reviewed(two_sides(repo, base, head), capsys)
    assert (reviewed.code, reviewed.verdict) == (0, "pass")
    assert dialect in reviewed.report["title"]


# --- bad input never tracebacks and never passes ---


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["review", "--repo", "/nowhere"], "not a folder"),
        (["review", "--repo", "/"], "not a git repository"),
        (["review", "--base", "nonsense"], "There is no commit 'nonsense'"),
        (["review", "--format", "xml"], "xml"),
        (["reveiw"], "reveiw"),
    ],
)
def test_what_a_person_can_mend_is_said_in_a_sentence(arguments: list[str], said: str) -> None:
    """Exit code 2 or 3, one or two sentences, no traceback, no password."""
    done = bulletproof(*arguments)
    assert done.returncode in {2, 3}
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
    assert done.stdout == ""


BAD: dict[str, tuple[dict[str, str | bytes], str]] = {
    "a journal that is not JSON": ({"meta/_journal.json": "{"}, "journal-mismatch"),
    "a journal with conflict markers": ({"meta/_journal.json": "<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n"}, "journal-mismatch"),
    "a journal of another shape": ({"meta/_journal.json": "[1, 2]"}, "journal-mismatch"),
    "a file that the journal does not list": ({"0007_x.sql": "SELECT 1;"}, "journal-mismatch"),
    "a binary migration": ({"0002_refunds.sql": b"\x00\x01\xff\xfe\x00"}, "fails"),
    "a snapshot that is not JSON": ({"meta/0002_snapshot.json": "no"}, "snapshot-chain"),
    "a snapshot of an unknown version": ({"meta/0002_snapshot.json": '{"id": "x", "prevId": "id-orders", "version": "99", "dialect": "postgresql"}'}, "snapshot-chain"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_damage_that_head_makes_blocks_with_its_own_finding(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whatever is wrong with the files is a finding on a file that head changed."""
    files, rule = BAD[name]
    head = story().add("refunds")
    for path, content in files.items():
        head.put(path, content)
    reviewed = Reviewed(two_sides(repo, story(), head), capsys)
    assert (reviewed.code, reviewed.verdict) == (1, "block"), reviewed.err
    assert rule in reviewed.rules("error")
    if rule == "journal-mismatch" and "meta/_journal.json" in files:
        assert reviewed.rules("error") == [rule]  # what follows from it is not told again
        assert reviewed.item("migration-tested") in {"unmet", "not-applicable"}
        assert (reviewed.report["replay"]["from_base"], reviewed.report["replay"]["from_zero"]) == ("failed", "failed")


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ([(0, "0000_users"), (1, "0001_orders"), (2, "0002_gone")], "journal-mismatch"),
        ([(0, "0000_users"), (1, "0001_orders"), (1, "0002_refunds")], "journal-mismatch"),
        ([(0, "0000_users"), (1, "0001_orders"), (-1, "0002_refunds")], "journal-mismatch"),
        ([(0, "0000_users"), (1, "0001_orders"), (2, "../../../etc/passwd")], "journal-mismatch"),
    ],
)
def test_entries_that_make_no_sense(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], entries: list[tuple[int, str]], rule: str
) -> None:
    """A missing file, a doubled or negative index, a name that climbs out of the folder."""
    head = story().add("refunds")
    head.list(
        [
            {"idx": i, "version": "7", "when": 1_760_000_000_000 + n * 1000, "tag": tag, "breakpoints": True}
            for n, (i, tag) in enumerate(entries)
        ]
    )
    reviewed = Reviewed(two_sides(repo, story(), head), capsys)
    assert reviewed.verdict == "block"
    assert {rule, "number-collision"} & set(reviewed.rules("error"))
    if entries[2][1] == "0002_gone":  # Drizzle reads all files before it runs one
        replay = reviewed.report["replay"]
        assert (replay["from_base"], replay["from_zero"], replay["error"]) == ("failed", "failed", None)
        assert (
            replay["stopped"]
            == "Drizzle stops before it runs anything: `drizzle/0002_gone.sql` is in the journal and not there."
        )
        assert reviewed.item("migration-tested") == "unmet"


def test_line_ends_of_windows_change_nothing(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """CRLF in SQL and journal is read, run and placed the same."""
    head = story().add(
        "x", 'CREATE TABLE "a" ("id" text);\r\n--> statement-breakpoint\r\nCREATE TABLE "b" ("id" text);\r\n'
    )
    reviewed = Reviewed(two_sides(repo, story(), head), capsys)
    assert (reviewed.code, [s["line"] for s in reviewed.report["migrations"][0]["statements"]]) == (0, [1, 3])


def test_a_shallow_clone_without_the_base_says_what_to_fetch(repo: GitRepo, tmp_path: Path) -> None:
    """The usual mistake of a CI job is answered with its cure."""
    repo = two_sides(repo, story(), story().add("refunds"), story().add("invoices"))
    repo.git("clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{repo.path}", str(tmp_path / "shallow"))
    done = bulletproof("review", "--base", "origin/main", "--head", "origin/head", cwd=tmp_path / "shallow")
    assert (done.returncode, "fetch --unshallow" in done.stderr) == (2, True), done.stderr


@pytest.mark.long
def test_a_migration_that_never_ends_is_stopped_and_said(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SQL lifts its own time limit and traps cancellation; the watchdog outside ends it, and that is no pass."""
    endless = "SET statement_timeout = 0;--> statement-breakpoint\nDO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;"
    monkeypatch.setattr("bot.terminal.local.SECONDS", 4.0)
    began = time.monotonic()
    reviewed = Reviewed(two_sides(repo, story(), story().add("x", endless)), capsys)
    assert time.monotonic() - began < LONG
    assert (reviewed.code, reviewed.verdict) == (1, "block")
    assert "fails" in reviewed.rules()
    assert reviewed.item("migration-tested") in {"unmet", "unknown"}


@pytest.mark.long
def test_a_migration_of_fifty_megabytes(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """It is read and run like any other, within the time limit."""
    row = "INSERT INTO users VALUES ('" + "x" * 100_000 + "');\n"
    reviewed = Reviewed(two_sides(repo, story(), story().add("x", row * 500)), capsys)
    assert reviewed.verdict in {"pass", "block"}
    assert reviewed.report["coverage"]["statements"] == 500


def test_a_database_that_cannot_be_reached_is_no_pass(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Verdict `unjudged`, exit code 3, the reason without the password; what the text shows is still there."""
    url = "postgresql://nobody:secret@127.0.0.1:1/x"
    reviewed = Reviewed(two_sides(repo, story(), story().add("refunds")), capsys, "--database", url)
    assert (reviewed.code, reviewed.verdict) == (3, "unjudged")
    assert "127.0.0.1" in reviewed.report["notes"][0]
    assert "secret" not in json.dumps(reviewed.report) + reviewed.err
    assert reviewed.item("migration-tested") == "unknown"


def test_offline_the_text_alone_judges(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """One witness; what needs a database is unknown, never met; what the text proves still blocks."""
    reviewed = Reviewed(two_sides(repo, story(), story().add("refunds")), capsys, "--offline")
    assert (reviewed.code, reviewed.report["witnesses"]) == (0, ["text"])
    assert reviewed.item("migration-tested") == "unknown"
    assert reviewed.report["replay"]["from_base"] == "skipped"


def test_the_review_writes_nothing_into_the_repository(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """No ref, no index, no file changes."""
    two_sides(repo, story(), story().add("refunds"))
    before = {p: p.stat().st_mtime_ns for p in repo.path.rglob("*")}
    Reviewed(repo, capsys)
    assert {p: p.stat().st_mtime_ns for p in repo.path.rglob("*")} == before


@pytest.mark.parametrize("form", ["text", "markdown", "sarif"])
def test_every_form_of_the_demo_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    """The breaking pull request in each form, with exit code 1."""
    demo.build(tmp_path / "shop")
    code = main(["review", "--repo", str(tmp_path / "shop"), "--base", "main", "--head", "breaking", "--format", form])
    out = capsys.readouterr().out
    assert code == 1
    assert "number-collision" in out


def test_the_demo_shows_both_verdicts() -> None:
    """`make demo` ends well once `pass` and `block` are shown."""
    done = bulletproof("demo")
    assert done.returncode == 0, done.stderr
    assert "✓ passed\n  verdict pass ·" in done.stdout
    assert "✗ blocked: 7 errors, 2 warnings\n  verdict block ·" in done.stdout
