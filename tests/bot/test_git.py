"""Reading commits from git: names, renames, links, shallow and partial clones; git itself is the judge."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import GitRepo

from bot.git import Repository
from checks.change import Changed
from checks.errors import UserError


def test_a_change_has_three_trees_and_counts_from_the_merge_base(repo: GitRepo) -> None:
    """What base did meanwhile is in base's tree and in base_files, not among head's files."""
    fork = repo.commit({"a.sql": "one\n", "b.sql": "two\n" * 20})
    repo.branch("feature")
    head = repo.commit({"c.sql": "three\n", "a.sql": None})
    repo.checkout("main")
    base = repo.commit({"d.sql": "four\n"})

    change = Repository(repo.path).change("main", "feature")

    assert (change.base.sha, change.head.sha, change.merge_base.sha) == (base, head, fork)
    assert list(change.head.tree) == ["b.sql", "c.sql"]
    assert list(change.merge_base.tree) == ["a.sql", "b.sql"]
    assert list(change.base.tree) == ["a.sql", "b.sql", "d.sql"]
    assert set(change.files) == {Changed("c.sql", "added"), Changed("a.sql", "deleted")}
    assert change.base_files == (Changed("d.sql", "added"),)
    assert change.head.tree.read("c.sql") == b"three\n"
    assert change.merge_base.tree.read("a.sql") == b"one\n"
    assert change.base.tree.read("d.sql") == b"four\n"


def test_every_tree_is_what_git_lists(repo: GitRepo) -> None:
    """Trees are derived from one listing and differences; they equal `git ls-tree` of each commit."""
    repo.commit({"keep": "k", "move me": "m" * 300, "turn": "file", "edit": "1"})
    (repo.path / "link").symlink_to("keep")
    fork = repo.commit()
    repo.branch("feature")
    (repo.path / "turn").unlink()
    (repo.path / "turn").symlink_to("/etc/passwd")
    repo.git("mv", "move me", "moved")
    head = repo.commit({"edit": "2"})
    repo.checkout("main")
    base = repo.commit({"edit": "3", "keep": None})

    change = Repository(repo.path).change("main", "feature")

    for commit, sha in ((change.head, head), (change.base, base), (change.merge_base, fork)):
        listed = repo.git("ls-tree", "-r", "-z", sha).split("\0")[:-1]
        assert sorted(
            f"{e.mode} {'commit' if e.mode == '160000' else 'blob'} {e.oid}\t{e.path}" for e in commit.tree.entries()
        ) == sorted(listed)
    assert Changed("moved", "renamed", "move me") in change.files


def test_links_are_listed_and_never_followed(repo: GitRepo) -> None:
    """A symlink that leaves the tree has no content."""
    (repo.path / "out.sql").symlink_to("/etc/passwd")
    repo.commit()
    tree = Repository(repo.path).tree("HEAD")
    assert tree.entry("out.sql") is not None
    assert tree.read("out.sql") is None


def test_names_with_spaces_newlines_and_bytes_that_are_not_utf8(repo: GitRepo) -> None:
    """Names come back as they are on disk (surrogate escapes for what is not UTF-8)."""
    names = [b"with space.sql", b"new\nline.sql", b"\xff\xfe.sql", "grün.sql".encode(), b'quo"te\t.sql']
    for name in names:
        Path(os.fsdecode(os.fsencode(repo.path) + b"/" + name)).write_bytes(name)
    repo.commit()
    tree = Repository(repo.path).tree("HEAD")
    assert {os.fsencode(path) for path in tree} == set(names)
    assert all(tree.read(path) == os.fsencode(path) for path in tree)


def test_blobs_of_any_bytes_in_one_batch(repo: GitRepo) -> None:
    """Binary, empty and large contents survive the batch; so do thousands of them."""
    files = {"empty": b"", "nul": b"\0\n\0", "large": b"x" * 5_000_000} | {
        f"n/{i}": b"%d\n" % i * 200 for i in range(3000)
    }
    repo.commit(files)
    assert Repository(repo.path).tree("HEAD").read_all(files) == files


def test_a_bare_clone_is_enough(repo: GitRepo, tmp_path: Path) -> None:
    """A repository without a work tree is read the same."""
    repo.commit({"a": "1"})
    repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    assert Repository(tmp_path / "bare").tree("main").read("a") == b"1"


def test_a_partial_clone_fetches_what_it_lacks_at_once(repo: GitRepo, tmp_path: Path) -> None:
    """Missing blobs are fetched in one request, not one by one."""
    repo.commit({f"f{i}": f"{i}\n" for i in range(50)})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo.git(
        "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repo.path}", str(tmp_path / "partial")
    )
    trace = tmp_path / "trace"
    os.environ["GIT_TRACE"] = str(trace)
    try:
        tree = Repository(tmp_path / "partial").tree("HEAD")
        assert len(tree.read_all(tree)) == 50
    finally:
        del os.environ["GIT_TRACE"]
    assert trace.read_text().count("built-in: git fetch") == 1


def test_a_shallow_clone_without_the_base_says_what_to_fetch(repo: GitRepo, tmp_path: Path) -> None:
    """No merge base in a shallow clone is a message, not a crash, and never an empty review."""
    first = repo.commit({"a": "1"})
    for n in range(3):
        repo.commit({"a": str(n)})
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    with pytest.raises(UserError, match="fetch --unshallow"):
        Repository(tmp_path / "shallow").change(first, "HEAD")


@pytest.mark.parametrize("revision", ["nowhere", "--help", "", "-x", "HEAD~99", "main:file"])
def test_an_unknown_revision_is_named(repo: GitRepo, revision: str) -> None:
    """Words that are no commit, options among them, are refused by name."""
    repo.commit({"a": "1"})
    with pytest.raises(UserError, match="There is no commit"):
        Repository(repo.path).resolve(revision)


def test_unrelated_histories_are_refused(repo: GitRepo) -> None:
    """Two roots have no merge base."""
    repo.commit({"a": "1"})
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.commit({"b": "1"})
    with pytest.raises(UserError, match="no common commit"):
        Repository(repo.path).change("main", "other")


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    """The person is told which option to use."""
    with pytest.raises(UserError, match="not a git repository"):
        Repository(tmp_path)
    with pytest.raises(UserError, match="not a folder"):
        Repository(tmp_path / "absent")


def test_a_repository_without_a_commit_says_so(repo: GitRepo) -> None:
    """There is no branch to name there, so nobody is asked to name one."""
    with pytest.raises(UserError, match=r"no commit in .* yet"):
        Repository(repo.path).default_branch()


def test_history_is_what_the_commits_say(repo: GitRepo) -> None:
    """Neither replaced objects nor grafts change what is read."""
    first = repo.commit({"a": "1"})
    second = repo.commit({"a": "2"})
    repo.git("replace", second, first)
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/grafts").write_text(f"{second}\n")
    assert Repository(repo.path).merge_base(first, second) == first
    assert [f.path for f in Repository(repo.path).change(first, second).files] == ["a"]


def ordinary(repo: GitRepo, _: Path) -> Path:
    """As it is."""
    return repo.path


def worktree(repo: GitRepo, beside: Path) -> Path:
    """A second work tree, opened in a folder of it."""
    repo.git("worktree", "add", "--quiet", "--detach", str(beside), "head")
    return beside / "folder"


def borrowing(repo: GitRepo, beside: Path) -> Path:
    """A clone that keeps no objects of its own."""
    repo.git("clone", "--quiet", "--shared", "--bare", str(repo.path), str(beside))
    return beside


def long_ids(repo: GitRepo, beside: Path) -> Path:
    """Objects named by SHA-256."""
    other = GitRepo(beside)
    shutil.rmtree(beside / ".git")
    other.git("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    two_commits(other)
    return beside


def two_commits(repo: GitRepo) -> None:
    """Main, and a branch `head` with a file more."""
    repo.commit({"folder/a": "1"})
    repo.branch("head")
    repo.commit({"folder/b": "2"})
    repo.checkout("main")


@pytest.mark.parametrize("kind", [ordinary, worktree, borrowing, long_ids])
def test_every_kind_of_repository_is_read_alike(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Callable[[GitRepo, Path], Path]
) -> None:
    """Also where the environment names another repository, as it does in a hook."""
    two_commits(repo)
    path = kind(repo, tmp_path / "beside")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, "/nowhere")
    change = Repository(path).change("main", "head")
    assert [(f.path, f.change) for f in change.files] == [("folder/b", "added")]
    assert change.head.tree.read_all(change.head.tree) == {"folder/a": b"1", "folder/b": b"2"}


def test_a_name_with_two_meanings_is_refused(repo: GitRepo) -> None:
    """Git would take the tag with a warning that nobody sees: a tag called like the branch would pass any review."""
    two_commits(repo)
    repo.git("tag", "head", "main")
    with pytest.raises(
        UserError, match="'head' is a tag and a branch here: name `refs/tags/head` or `refs/heads/head`"
    ):
        Repository(repo.path).change("main", "head")
    assert Repository(repo.path).change("main", "refs/heads/head").paths == {"folder/b"}
    repo.git("tag", "--force", "head", "refs/heads/head")
    assert Repository(repo.path).change("main", "head").paths == {"folder/b"}


def loses_a_blob(repo: GitRepo) -> None:
    """An object that is not there."""
    object_of(repo, "head:folder/b").unlink()


def spoils_a_blob(repo: GitRepo) -> None:
    """An object of other bytes."""
    place = object_of(repo, "head:folder/b")
    place.chmod(0o644)
    place.write_bytes(b"spoilt")


def loses_a_tree(repo: GitRepo) -> None:
    """A folder that is not there."""
    object_of(repo, "head:folder").unlink()


def spoils_the_head(repo: GitRepo) -> None:
    """A repository that git does not take for one."""
    (repo.path / ".git" / "HEAD").write_text("spoilt")


def object_of(repo: GitRepo, name: str) -> Path:
    """The file of a loose object."""
    oid = repo.git("rev-parse", name)
    return repo.path / ".git" / "objects" / oid[:2] / oid[2:]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (loses_a_blob, "cannot be read from .*: it is missing, or damaged"),
        (spoils_a_blob, "cannot be read from .*: it is missing, or damaged"),
        (loses_a_tree, "`git fsck` tells what is damaged"),
        (spoils_the_head, "has a `.git`, but git cannot use it"),
    ],
)
def test_what_is_damaged_is_said_to_be(repo: GitRepo, spoil: Callable[[GitRepo], None], said: str) -> None:
    """Never a crash, and never less of a tree than there is."""
    two_commits(repo)
    spoil(repo)
    with pytest.raises(UserError, match=said):
        Repository(repo.path).change("main", "head").head.tree.read("folder/b")


def test_a_repository_of_another_user_is_named_with_the_way_out(repo: GitRepo) -> None:
    """In one sentence, where git takes five lines."""
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    repo.commit({"a": "1"})
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 65_534, 65_534)
    with pytest.raises(UserError, match=r"belongs to another user.*safe\.directory") as told:
        Repository(repo.path)
    assert "\n" not in str(told.value)


def test_the_default_branch(repo: GitRepo, tmp_path: Path) -> None:
    """origin/HEAD where there is one, else the usual names."""
    repo.commit({"a": "1"})
    assert Repository(repo.path).default_branch().endswith("main")
    repo.git("branch", "--move", "main", "trunk")
    assert Repository(repo.path).default_branch().endswith("trunk")
    repo.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    assert Repository(tmp_path / "clone").default_branch() == "origin/trunk"


def test_nothing_of_the_repository_runs_or_changes(repo: GitRepo, tmp_path: Path) -> None:
    """Hooks and fsmonitor programs named by the repository's configuration are not started; no file of .git changes."""
    repo.commit({"a": "1"})
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    evil.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(evil))
    before = {p: p.stat().st_mtime_ns for p in (repo.path / ".git").rglob("*")}
    change = Repository(repo.path).change("main", "main")
    change.head.tree.read_all(change.head.tree)
    assert not (tmp_path / "ran").exists()
    assert {p: p.stat().st_mtime_ns for p in (repo.path / ".git").rglob("*")} == before


def test_a_hundred_thousand_files_are_one_listing(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change in a large repository costs one `ls-tree`; its time is in the benchmarks."""
    stream = b"commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\n"
    stream += b"".join(b"M 100644 inline d%d/f%d\ndata 1\n1\n" % (i % 300, i) for i in range(100_000))
    repo.git("fast-import", "--quiet", stdin=stream + b"\n")
    repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    change = Repository(repo.path).change("main", "main")
    assert len(change.head.tree) == 100_000
    assert trace.read_text().count("built-in: git ls-tree") == 1
