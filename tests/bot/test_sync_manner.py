"""`bulletproof sync` keeps to the manner of the files that it finds: white space, line ends, prefixes, folders."""

import json
import subprocess

import pytest
from conftest import GitRepo

from tests.bot.synced import offline, snapshot, tags
from tests.checks.sync_samples import History, shop, two_sides


def test_committed_conflict_markers_are_taken_out(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """As git left them: in the journal's entry, and in the snapshot."""
    fork = shop()
    two_sides(repo, fork, fork.fork().table("invoices"), fork.fork().column("users", "name"))
    subprocess.run(["git", "merge", "main"], cwd=repo.path, capture_output=True, check=False)
    assert "<<<<<<<" in (repo.path / "drizzle/meta/_journal.json").read_text()
    repo.commit(message="merge with markers")
    synced = offline(repo, capsys)
    assert synced.status == "synced", synced.told
    assert tags(repo)[2:] == ["0002_invoices", "0003_users_name"]
    assert set(snapshot(repo, "0003")["tables"]) == {"public.users", "public.orders", "public.invoices"}


@pytest.mark.parametrize(("indent", "end"), [("\t", "\n"), (None, "")])
def test_the_journal_keeps_its_manner(repo: GitRepo, capsys: pytest.CaptureFixture[str], indent, end: str) -> None:
    """Indentation, and the newline at its end."""
    fork = shop()
    tip, head = fork.fork().table("invoices"), fork.fork().table("notes")
    for side in (fork, tip, head):
        told = {"version": "7", "dialect": "postgresql", "entries": side.entries}
        side.put("drizzle/meta/_journal.json", json.dumps(told, indent=indent) + end)
    two_sides(repo, fork, tip, head)
    assert offline(repo, capsys).status == "synced"
    written = (repo.path / "drizzle/meta/_journal.json").read_text()
    assert written == json.dumps(json.loads(written), indent=indent) + end
    assert tags(repo)[-1] == "0003_notes"


def test_line_ends_stay(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """CRLF in the journal and in SQL, byte for byte."""
    fork = shop()
    tip, head = fork.fork().table("invoices"), fork.fork().table("notes")
    for side in (fork, tip, head):
        for path, text in side.files.items():
            if path.startswith("drizzle/"):
                side.files[path] = text.replace("\n", "\r\n")
    two_sides(repo, fork, tip, head)
    assert offline(repo, capsys).status == "synced"
    written = (repo.path / "drizzle/meta/_journal.json").read_bytes()
    assert written.count(b"\n") == written.count(b"\r\n") > 20
    assert (repo.path / "drizzle/0003_notes.sql").read_bytes() == head.files["drizzle/0002_notes.sql"].encode()


@pytest.mark.parametrize("style", ["timestamp", "unix"])
def test_other_prefixes(repo: GitRepo, capsys: pytest.CaptureFixture[str], style: str) -> None:
    """A name that sorts behind base's already stays; another gets a later time."""
    fork = History(style=style).table("users").table("orders")
    tip = fork.fork().table("invoices", when=1_760_000_500_000)
    head = fork.fork().table("early", when=1_760_000_400_000).table("late", when=1_760_000_600_000)
    two_sides(repo, fork, tip, head)
    synced = offline(repo, capsys)
    assert synced.status == "synced", synced.told
    names = tags(repo)
    assert names == sorted(names)
    assert [n.rpartition("_")[2] for n in names] == ["users", "orders", "invoices", "early", "late"]
    assert len(synced.told["renamed"]) == 1


def test_a_monorepo_with_two_projects(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are repaired, in one commit."""
    one, two = shop(), History(folder="apps/web/db").table("pages")
    fork = {**one.files, **two.files}
    tip = {**one.fork().table("a").files, **two.fork().table("b").files}
    head = {**one.fork().table("c").files, **two.fork().table("d").files}
    two_sides(repo, History(fork), History(tip), History(head))
    assert offline(repo, capsys).status == "synced"
    assert tags(repo)[2:] == ["0002_a", "0003_c"]
    assert tags(repo, folder="apps/web/db") == ["0000_pages", "0001_b", "0002_d"]


@pytest.mark.parametrize("mover", ["base", "head"])
def test_one_side_moved_the_folder(repo: GitRepo, capsys: pytest.CaptureFixture[str], mover: str) -> None:
    """All are in the new folder afterwards."""
    fork = shop()
    tip, head = fork.fork().table("invoices"), fork.fork().table("notes")
    side = tip if mover == "base" else head
    side.files = {p.replace("drizzle/", "db/out/"): t.replace("./drizzle", "./db/out") for p, t in side.files.items()}
    two_sides(repo, fork, tip, head)
    synced = offline(repo, capsys)
    assert synced.status == "synced", synced.told
    assert tags(repo, folder="db/out")[2:] == ["0002_invoices", "0003_notes"]
    assert repo.git("ls-tree", "-r", "--name-only", "HEAD", "drizzle/") == ""


def test_both_sides_moved_the_folder(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can know where it should be."""
    fork = shop()
    tip, head = fork.fork().table("invoices"), fork.fork().table("notes")
    tip.files = {p.replace("drizzle/", "one/"): t for p, t in tip.files.items()}
    head.files = {p.replace("drizzle/", "two/"): t for p, t in head.files.items()}
    two_sides(repo, fork, tip, head)
    assert offline(repo, capsys).status == "refused"


@pytest.mark.long
def test_a_long_journal(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """10,000 entries."""
    entries = [
        {"idx": n, "version": "7", "when": 1_700_000_000_000 + n, "tag": f"{n:04}_x", "breakpoints": True}
        for n in range(9_990)
    ]
    fork = shop()
    for side in (fork, tip := fork.fork(), head := fork.fork()):
        side.put(
            "drizzle/meta/_journal.json",
            json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}, indent=2),
        )
    tip.table("invoices")
    head.table("notes")
    two_sides(repo, fork, tip, head)
    synced = offline(repo, capsys)
    assert synced.told["renamed"] == [{"from": "9990_notes", "to": "9991_notes"}]
