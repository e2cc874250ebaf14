"""Commands that push: what reaches the branch, and what a person gets who has to put it there."""

import asyncio
import re
import subprocess

import pytest
from conftest import GitRepo
from gate import Scripted, concluded, settled, until
from github import SLUG, Hub, Pull, Repository

from bot.gate import pushing
from tests.stories.test_commands_gate import colliding, replied
from tests.stories.test_gate_verdicts import MIGRATIONS

SYNCED = re.compile(r"Synced: (\w{40})")


def applied(pull: Pull, reply: str, folder) -> GitRepo:
    """What a person gets who follows the reply: a clone in which its commands ran."""
    shop = pull.repository
    patch = re.search(r"```+diff\n(.*?)```+\n\n</details>", reply, re.DOTALL)
    assert patch is not None, reply
    script = re.search(r"```sh\n(.*?)```", reply, re.DOTALL)
    assert script is not None, reply
    shop.git.git("clone", "--quiet", str(shop.git.path), str(folder))
    clone = GitRepo(folder)
    clone.git("fetch", "--quiet", "origin", f"refs/pull/{pull.number}/head:mine")
    clone.checkout("mine")
    clone.git("remote", "add", "upstream", str(shop.git.path))
    (folder / ".git/migrations.patch").write_text(patch[1])
    for line in script[1].splitlines():
        if not line.startswith("git push"):
            command = line.replace("migrations.patch", ".git/migrations.patch").split("   #")[0].split()
            clone.git(*command[1:])
    return clone


@pytest.mark.long
def test_somebody_pushes_meanwhile(serve, hub: Hub, shop: Repository, state_url: str, monkeypatch) -> None:
    """The repair is made anew on what the branch is now; what was pushed between is in it."""
    hub.may_write = True
    serve(judge=Scripted())
    pull = colliding(shop)
    concluded(pull)
    settled(state_url)
    raced: list[str] = []
    push = pushing.push

    async def late(*given):
        if not raced:
            # In a thread: the push is told to the service, which could not listen while it pushes itself.
            raced.append(await asyncio.to_thread(pull.push, {"README.md": "One more thing."}))
        return await push(*given)

    monkeypatch.setattr(pushing, "push", late)
    pull.say("/migrate sync")
    found = SYNCED.match(replied(pull))
    assert found is not None, pull.replies
    until(lambda: pull.head == found[1], "the commit is pushed")
    git = shop.git
    assert git.git("rev-list", "--parents", "-n1", pull.head).split()[1:] == [raced[0], git.git("rev-parse", "main")]
    assert git.git("show", f"{pull.head}:README.md") == "One more thing."
    settled(state_url)


@pytest.mark.long
def test_two_at_once(serve, hub: Hub, shop: Repository, state_url: str, monkeypatch) -> None:
    """One wins; the other says that the branch moved and that nothing is left to do. One commit is there, not two."""
    hub.may_write = True
    serve(judge=Scripted())
    pull = colliding(shop)
    old = pull.head
    concluded(pull)
    settled(state_url)
    push, waiting = pushing.push, []

    async def together(*given):
        waiting.append(1)
        for _ in range(400):
            if len(waiting) > 1:
                break
            await asyncio.sleep(0.05)
        return await push(*given)

    monkeypatch.setattr(pushing, "push", together)
    pull.say("/migrate sync", "ada")
    pull.say("/migrate sync", "grace")
    replied(pull, 2)
    won = [r for r in pull.replies if SYNCED.match(r)]
    lost = [r for r in pull.replies if "moved while this was under way, and nothing was pushed" in r]
    assert (len(won), len(lost)) == (1, 1), pull.replies
    assert "Nothing to do" in lost[0]
    until(lambda: pull.head != old, "a commit is pushed")
    assert shop.git.git("rev-list", "--count", "--first-parent", f"{old}..{pull.head}") == "1"
    settled(state_url)


@pytest.mark.long
@pytest.mark.parametrize("told", [True, False])
def test_a_branch_that_takes_signed_commits(serve, hub: Hub, shop: Repository, state_url: str, *, told: bool) -> None:
    """GitHub makes the commit from the pushed tree, and signs it for the App; nothing is left aside."""
    hub.may_write = True
    serve(judge=Scripted())
    pull = colliding(shop)
    old, git = pull.head, shop.git
    shop.guard(pull.branch, signed=True)
    if told:
        shop.rules[pull.branch] = [{"type": "required_signatures"}]
        moved = {"message": "Update is not a fast forward"}
        hub.stumble(r"/git/refs/heads/", 422, method="PATCH", body=moved)  # somebody was faster: once more
    concluded(pull)
    settled(state_url)
    pull.say("/migrate sync")
    found = SYNCED.match(replied(pull))
    assert found is not None, pull.replies
    until(lambda: pull.head == found[1], "the commit is there")
    raw = git.git("cat-file", "commit", pull.head)
    assert "gpgsig -----BEGIN PGP SIGNATURE-----" in raw
    assert f"author {SLUG}[bot] " in raw
    assert "Put 0004_order_history behind base's migrations" in raw
    assert git.git("rev-list", "--parents", "-n1", pull.head).split()[1:] == [old, git.git("rev-parse", "main")]
    assert git.git("for-each-ref", "refs/bulletproof") == ""
    settled(state_url)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["fork", "protected", "read-only"])
def test_what_cannot_be_pushed_is_a_patch(serve, hub: Hub, shop: Repository, tmp_path, kind: str) -> None:
    """The reply says why, holds all of it, and its commands make the very tree that would have been pushed."""
    hub.may_write = kind != "read-only"
    serve(judge=Scripted())
    pull = colliding(shop, fork=kind == "fork")
    if kind == "protected":
        shop.guard(pull.branch, signed=False)
    concluded(pull)
    old = pull.head
    pull.say("/migrate sync")
    reply = replied(pull)
    why = {
        "fork": "from a fork, where the App may not push",
        "protected": "Changes must be made through a pull request",
        "read-only": "The App may not write to this repository",
    }[kind]
    assert why in reply
    assert "`0003_order_history` would be `0004_order_history`" in reply
    assert "run `bulletproof db sync` there" in reply
    assert pull.head == old
    clone = applied(pull, reply, tmp_path / "mine")
    names = clone.git("ls-tree", "--name-only", "HEAD", f"{MIGRATIONS}/").split()
    assert f"{MIGRATIONS}/0004_order_history.sql" in names
    assert clone.git("merge-base", "HEAD", "origin/main") == clone.git("rev-parse", "origin/main")
    expected = subprocess.run(
        ["git", "merge-tree", "--write-tree", "origin/main", "HEAD"], cwd=clone.path, capture_output=True, check=True
    )
    assert expected.stdout.decode().split()[0] == clone.git("rev-parse", "HEAD^{tree}")


@pytest.mark.long
def test_generate_pushes_the_missing_migration(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """`schema.ts` has a column more: the migration, the snapshot and the journal are one commit, and the way back is shown."""
    hub.may_write = True
    serve(judge=Scripted())
    shop.git.git("checkout", "--quiet", "-B", "wish", "main")
    schema = next(p for p in shop.git.git("ls-files").split() if p.endswith("schema.ts"))
    text = shop.git.git("show", f"main:{schema}")
    assert "email: text(" in text, text
    shop.git.commit({schema: text.replace("email: text(", 'wish: text("wish"),\n  email: text(', 1) + "\n"})
    shop.git.git("checkout", "--quiet", "--detach")
    pull = shop.open("wish")
    concluded(pull)
    settled(state_url)
    old = pull.head
    pull.say("/migrate generate --name wishes")
    assert 'ADD COLUMN "wish" text' in replied(pull)
    until(lambda: pull.head != old, "a commit is pushed")
    changed = shop.git.git("diff", "--name-only", old, pull.head).split()
    assert [p.rsplit("/", 1)[1] for p in changed] == ["0003_wishes.sql", "0003_snapshot.json", "_journal.json"]
    pull.say("/migrate generate")
    assert "there is nothing to generate" in replied(pull, 2)
    pull.say("/migrate rollback")
    reply = replied(pull, 3)
    assert "DROP COLUMN wish;" in reply
    assert "Proven on PostgreSQL" in reply
    settled(state_url)
