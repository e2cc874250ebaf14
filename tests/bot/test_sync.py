"""`bulletproof sync`: what a developer sees, and what git and PostgreSQL say about the result."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import GitRepo

from bot import git_write
from bot.git import Repository
from bot.repair import sync, words
from tests.bot.synced import Synced, journal, offline, snapshot, tags
from tests.checks.sync_samples import CONFIG, History, commit, shop, two_sides


def test_two_people_made_number_two(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Head's migration gets the next number; base's files are as they were; git merges the result without a word."""
    fork = shop()
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().column("users", "name"))
    head = repo.git("rev-parse", "HEAD")
    synced = Synced(repo, capsys)
    assert (synced.code, synced.status, synced.told["proven"]) == (0, "synced", True), synced.told
    assert synced.told["renamed"] == [{"from": "0002_users_name", "to": "0003_users_name"}]
    assert repo.git("rev-parse", "HEAD^1", "HEAD^2").split() == [head, repo.git("rev-parse", "main")]
    assert repo.git("cat-file", "commit", "HEAD").endswith("0003_users_name")
    assert repo.git("status", "--porcelain") == ""
    assert [e["tag"] for e in journal(repo)] == ["0000_users", "0001_orders", "0002_invoices", "0003_users_name"]
    assert repo.git("diff", "--name-status", "main", "HEAD").split() == [
        "A", "drizzle/0003_users_name.sql", "A", "drizzle/meta/0003_snapshot.json", "M", "drizzle/meta/_journal.json",
    ]  # fmt: skip
    last = snapshot(repo, "0003")
    assert last["prevId"] == snapshot(repo, "0002")["id"]
    assert set(last["tables"]) == {"public.users", "public.orders", "public.invoices"}
    assert set(last["tables"]["public.users"]["columns"]) == {"id", "name"}
    again = Synced(repo, capsys)
    assert (again.code, again.status) == (0, "nothing-to-do")
    repo.checkout("main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "head")


def test_a_folder_that_no_configuration_names_is_proved_too(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration speaks of another folder: nothing is said to be proved that was not run."""
    fork = shop().put("drizzle.config.ts", CONFIG.replace("./drizzle", "./elsewhere"))
    tip = fork.fork().add("gone", 'DROP TABLE "orders";', lambda d: d["tables"].pop("public.orders"))
    two_sides(repo, fork, tip, fork.fork().add("fill", 'INSERT INTO "orders" VALUES (1);'))
    synced = Synced(repo, capsys)
    assert synced.status == "refused", synced.told
    assert 'relation "orders" does not exist' in synced.told["reason"]


def test_the_journal_merges_but_would_skip(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Head's migration is older than base's: git merges, production would never run it; sync gives it a later time."""
    fork = shop()
    tip = fork.fork().table("invoices", when=1_760_009_000_000)
    head = fork.fork().column("users", "name")
    two_sides(repo, fork, tip, head)
    assert offline(repo, capsys).status == "synced"
    assert journal(repo)[-1]["when"] == 1_760_009_000_001
    assert tags(repo)[-1] == "0003_users_name"


def test_nothing_to_do(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Base moved on without migrations, or head is merged already."""
    fork = shop()
    two_sides(repo, fork, fork.fork().put("README.md", "new"), fork.fork().column("users", "name"))
    assert (offline(repo, capsys).status, offline(repo, capsys).code) == ("nothing-to-do", 0)
    repo.checkout("main")
    repo.git("merge", "--quiet", "-m", "merge", "head")
    repo.checkout("head")
    assert offline(repo, capsys).status == "nothing-to-do"


def test_other_files_merge_as_git_merges_them(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of both sides, also of files in the migrations folder that are no migrations."""
    lines = "".join(f"{n}\n" for n in range(20))
    fork = shop().put("a.txt", lines).put("drizzle/relations.ts", lines)
    tip = fork.fork().table("invoices").put("a.txt", f"top\n{lines}").put("drizzle/relations.ts", f"top\n{lines}")
    head = fork.fork().table("notes").put("a.txt", f"{lines}end\n").put("drizzle/relations.ts", f"{lines}end\n")
    two_sides(repo, fork, tip, head)
    assert offline(repo, capsys).status == "synced"
    assert repo.git("show", "HEAD:a.txt") == repo.git("show", "HEAD:drizzle/relations.ts") == f"top\n{lines}end"


@pytest.mark.long
def test_several_on_both_sides(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Three behind two: each snapshot is the one before it and its own change."""
    fork = shop()
    tip = fork.fork().table("invoices").column("users", "email")
    head = fork.fork().column("users", "name").table("notes").column("notes", "text")
    two_sides(repo, fork, tip, head)
    assert Synced(repo, capsys).told["proven"] is True
    assert tags(repo)[2:] == ["0002_invoices", "0003_users_email", "0004_users_name", "0005_notes", "0006_notes_text"]
    assert set(snapshot(repo, "0004")["tables"]) == {"public.users", "public.orders", "public.invoices"}
    assert set(snapshot(repo, "0006")["tables"]["public.users"]["columns"]) == {"id", "email", "name"}
    assert snapshot(repo, "0005")["prevId"] == snapshot(repo, "0004")["id"]


def test_the_same_change_twice_is_left_out(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Both generated it: head's copy goes, which is said; what else head does stays."""
    fork = shop()
    tip = fork.fork().column("users", "name", tag="ours")
    head = fork.fork().column("users", "name", tag="theirs", when=1_760_000_777_000).table("notes")
    two_sides(repo, fork, tip, head)
    synced = Synced(repo, capsys)
    assert synced.told["proven"] is True, synced.told
    assert tags(repo)[2:] == ["0002_ours", "0003_notes"]
    assert "0002_theirs" in synced.told["omitted"][0]


def test_one_statement_twice_is_left_out(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest of the migration stays byte for byte."""
    fork = shop()
    tip = fork.fork().column("users", "name")
    both = fork.fork().column("users", "name", tag="two", when=1_760_000_777_000)
    mine = History(both.files)
    key = "drizzle/0002_two.sql"
    mine.files[key] = f'{both.files[key]}--> statement-breakpoint\nALTER TABLE "orders" ADD COLUMN "mark" text;'
    last = json.loads(mine.files["drizzle/meta/0002_snapshot.json"])
    last["tables"]["public.orders"]["columns"]["mark"] = {
        "name": "mark",
        "type": "text",
        "primaryKey": False,
        "notNull": False,
    }
    mine.files["drizzle/meta/0002_snapshot.json"] = json.dumps(last, indent=2)
    two_sides(repo, fork, tip, mine)
    synced = Synced(repo, capsys)
    assert synced.told["proven"] is True, synced.told
    assert repo.git("show", "HEAD:drizzle/0003_two.sql") == 'ALTER TABLE "orders" ADD COLUMN "mark" text;'


@pytest.mark.parametrize("odd", ["", "<!-- bulletproof-record {} -->", "\r\n", "x" * 50_000])
def test_by_hand(repo: GitRepo, odd: str) -> None:
    """A patch that a comment can hold; else, and where it could pass for words of ours, the commands that make it."""
    fork = shop()
    tip = fork.fork().table("invoices").put("note.txt", f"a\n{odd}\n")
    two_sides(repo, fork, tip, fork.fork().table("notes"))
    repository = Repository(repo.path)
    outcome = sync.prepare(repository, "main", "head", provider=None)
    said = words.by_hand(words.Ways(base=outcome.base, branch="main", fork=True), repository, outcome)
    assert ("git am migrations.patch" in said) == (not odd)
    assert "bulletproof sync --base FETCH_HEAD" in said
    assert "`0002_notes` would be `0003_notes`" in said
    assert "<!--" not in said


def test_write_ref_writes_that_ref_alone(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Branch, index and work tree stay; a ref that holds something else is refused."""
    fork = shop()
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().table("notes"))
    before = repo.git("rev-parse", "HEAD")
    repo.write({"schema.ts": "changed"})
    synced = offline(repo, capsys, "--head", "head", "--write-ref", "refs/heads/synced")
    assert synced.told["commit"] == repo.git("rev-parse", "synced")
    assert repo.git("rev-parse", "HEAD") == before
    assert repo.git("show", "-s", "--format=%P", "synced").split() == [before, repo.git("rev-parse", "main")]
    repo.git("branch", "other", repo.git("commit-tree", "-m", "x", "main^{tree}"))
    assert offline(repo, capsys, "--head", "head", "--write-ref", "refs/heads/other").status == "refused"


@pytest.mark.long
def test_ten_pull_requests_one_after_another(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is synced and merged; no step needs a person."""
    fork = shop()
    repo.git("config", "user.name", "Ada")
    repo.git("config", "user.email", "ada@example.com")
    commit(repo, {}, fork.files)
    for number in range(10):
        repo.branch(f"pr{number}", "main")
        commit(repo, fork.files, fork.fork().table(f"t{number}", when=1_760_000_120_000 + number).files)
    for number in range(10):
        repo.checkout(f"pr{number}")
        assert offline(repo, capsys).status == ("synced" if number else "nothing-to-do")
        repo.checkout("main")
        repo.git("merge", "--quiet", "--ff", "-m", "merge", f"pr{number}")
    assert tags(repo, "main")[2:] == [f"{n + 2:04}_t{n}" for n in range(10)]
    assert set(snapshot(repo, "0011", "main")["tables"]) == {
        "public.users",
        "public.orders",
        *(f"public.t{n}" for n in range(10)),
    }


def test_head_merged_base_and_left_both_numbers(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Base is in head already, with two migrations of one number and a forked chain."""
    fork = shop()
    tip, head = fork.fork().table("invoices"), fork.fork().column("users", "name", when=1_760_000_130_000)
    two_sides(repo, fork, tip, head)
    both = {**tip.files, **head.files, "drizzle/meta/0002_snapshot.json": head.files["drizzle/meta/0002_snapshot.json"]}
    entries = [*tip.entries, head.entries[-1]]
    both["drizzle/meta/_journal.json"] = json.dumps(
        {"version": "7", "dialect": "postgresql", "entries": entries}, indent=2
    )
    repo.git("merge", "--no-commit", "-s", "ours", "main")
    repo.commit(both)
    synced = offline(repo, capsys)
    assert synced.status == "synced", synced.told
    assert tags(repo)[2:] == ["0002_invoices", "0003_users_name"]
    assert snapshot(repo, "0002") == snapshot(repo, "0002", "main")
    assert set(snapshot(repo, "0003")["tables"]) == {"public.users", "public.orders", "public.invoices"}


def test_what_is_written_is_sound(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Git finds no fault with the objects; the commit is unsigned and says what moved."""
    fork = shop().put("a/b.txt", "x").put("drizzle.txt", "x").put("drizzle-x/y", "x")
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().table("notes"))
    assert offline(repo, capsys).status == "synced"
    repo.git("fsck", "--strict")
    raw = repo.git("cat-file", "commit", "HEAD")
    assert "gpgsig" not in raw
    assert "0002_notes is now 0003_notes" in raw
    assert subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=repo.path, capture_output=True, check=True
    ).stdout.endswith(b"\n")


def test_two_syncs_at_once(repo: GitRepo) -> None:
    """One wins; the other says that the branch moved, and writes nothing."""
    fork = shop()
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().table("notes"))
    repository = Repository(repo.path)
    old = repo.git("rev-parse", "head")
    one = sync.prepare(repository, "main", "head", provider=None)
    other = git_write.commit(repository, repo.git("rev-parse", "main^{tree}"), [old], "other\n")
    git_write.move(repository, "refs/heads/head", other, old)
    assert one.commit is not None
    with pytest.raises(git_write.MovedError, match="moved meanwhile"):
        git_write.move(repository, "refs/heads/head", one.commit, old)
    assert repo.git("rev-parse", "head") == other


def test_a_push_goes_forward_only(repo: GitRepo, tmp_path: Path) -> None:
    """A branch that moved meanwhile is not overwritten."""
    fork = shop()
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().table("notes"))
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "remote.git"))
    repository = Repository(repo.path)
    outcome = sync.prepare(repository, "main", "head", provider=None)
    assert outcome.commit is not None
    git_write.push(repository, str(tmp_path / "remote.git"), outcome.commit, "head")
    assert repo.git("ls-remote", str(tmp_path / "remote.git"), "refs/heads/head").split()[0] == outcome.commit
    rival = git_write.commit(repository, repo.git("rev-parse", "main^{tree}"), [repo.git("rev-parse", "head")], "x\n")
    with pytest.raises(git_write.MovedError):
        git_write.push(repository, str(tmp_path / "remote.git"), rival, "head")


def test_old_damage_is_left_alone(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Base lacks a snapshot, its chain does not run, and a stray file lies about: only head's own moves, which is said."""
    fork = (
        shop()
        .put("drizzle/0077_stray.sql", "SELECT 1;")
        .put("drizzle/0000_users.sql", "CREATE TABLE nowhere.users (id text);")
    )
    del fork.files["drizzle/meta/0000_snapshot.json"]
    tip = fork.fork().table("invoices")
    two_sides(repo, fork, tip, fork.fork().column("users", "name"))
    synced = Synced(repo, capsys)
    assert synced.status == "synced", synced.told
    assert tags(repo)[2:] == ["0002_invoices", "0003_users_name"]
    assert "do not run" in " ".join(synced.told["notes"])
    assert repo.git("show", "HEAD:drizzle/0077_stray.sql") == "SELECT 1;"


def test_a_rename_on_head_takes_along_what_base_added(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has its new name and base's column."""

    def rename(data: dict[str, Any]) -> None:
        table = data["tables"].pop("public.users")
        data["tables"]["public.people"] = {**table, "name": "people"}
        data["_meta"]["tables"] = {'"public"."users"': '"public"."people"'}

    fork = shop()
    head = fork.fork().add("people", 'ALTER TABLE "users" RENAME TO "people";', rename)
    two_sides(repo, fork, fork.fork().column("users", "name"), head)
    synced = Synced(repo, capsys)
    assert (synced.status, synced.told["proven"]) == ("synced", True), synced.told
    assert set(snapshot(repo, "0003")["tables"]["public.people"]["columns"]) == {"id", "name"}


def test_base_renamed_what_head_changes(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused: head's SQL speaks of a table that is gone."""

    def rename(data: dict[str, Any]) -> None:
        data["tables"]["public.people"] = {**data["tables"].pop("public.users"), "name": "people"}
        data["_meta"]["tables"] = {'"public"."users"': '"public"."people"'}

    fork = shop()
    tip = fork.fork().add("people", 'ALTER TABLE "users" RENAME TO "people";', rename)
    two_sides(repo, fork, tip, fork.fork().column("users", "name"))
    assert "table users: base dropped it or renamed it" in offline(repo, capsys).told["reason"]
