"""What people say in a pull request, `/migrate …`: each command answered once, and what it changes."""

import json

import pytest
from gate import Scripted, concluded, settled, until
from github import Hub, Pull, Repository

from bot.gate.reviewing import Outcome, Request
from checks.report import Report
from tests.stories.test_gate_verdicts import MIGRATIONS, renumbered

TRACKING = 'DELETE FROM "drizzle"."__drizzle_migrations" WHERE "id" < 0;'


def blocked(shop: Repository) -> Pull:
    """A pull request that touches Drizzle's own table, and is sound otherwise."""
    path = f"{MIGRATIONS}/0003_order_history.sql"
    sql = shop.git.git("show", f"clean:{path}")
    shop.git.git("checkout", "--quiet", "-B", "tracking", "clean")
    shop.git.commit({path: f"{sql}--> statement-breakpoint\n{TRACKING}\n"})
    return shop.open("tracking")


def colliding(shop: Repository, *, fork: bool = False) -> Pull:
    """A pull request whose number base has taken meanwhile."""
    files = renumbered(shop, "clean", "0003_from_base")
    snapshot = json.loads(shop.git.git("show", f"main:{MIGRATIONS}/meta/0002_snapshot.json"))
    snapshot |= {"prevId": snapshot["id"], "id": "6f2f3a90-52b3-4b8e-9a3e-0c1d7c9d2f11"}
    files[f"{MIGRATIONS}/meta/0003_snapshot.json"] = json.dumps(snapshot, indent=2)
    files[f"{MIGRATIONS}/0003_from_base.sql"] = "COMMENT ON TABLE \"orders\" IS 'what people bought';\n"
    shop.push(files, tell=False)
    return shop.open("clean", fork=fork)


def replied(pull: Pull, count: int = 1) -> str:
    """The latest reply, once there are so many."""
    until(lambda: len(pull.replies) >= count, f"{count} replies")
    return pull.replies[-1]


def test_help_is_answered_once(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A reaction, and one reply that lists the commands; delivered twice, edited or said by a program, it stays one."""
    serve(judge=Scripted())
    pull = shop.open("clean")
    concluded(pull)
    shop.permissions["linus"] = "read"
    said = pull.say("/migrate help", "linus")
    assert "/migrate waive RULE REASON" in replied(pull)
    settled(state_url)
    [reaction] = hub.asked("create-for-issue-comment") or [r for r in hub.requests if r.path.endswith("/reactions")]
    assert f"/comments/{said['id']}/" in reaction.path
    payload = {"issue": {"number": pull.number, "pull_request": {"url": "x"}}, "comment": said}
    hub.deliver("issue_comment", shop.payload("created", **payload))
    pull.edit(said, "/migrate status")
    pull.say("> /migrate help")
    pull.say("/migrate help", "linus", performed_via_github_app={"id": 1, "slug": "other"})
    settled(state_url)
    assert len(pull.replies) == 1


@pytest.mark.long
def test_who_may_not_is_told_so(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Someone without the permission is refused, with the reason; nothing changes."""
    serve(judge=Scripted())
    pull = shop.open("clean")
    concluded(pull)
    pull.say("/migrate force let me", "grace")
    assert "takes the permission `admin`; you have the permission `write`" in replied(pull)
    pull.say("/migrate waive drops-table please", "eve")
    assert "takes the permission `write`; you have no access to this repository" in replied(pull, 2)
    pull.press("sync", "eve")
    assert "@eve, `/migrate sync` takes the permission `write`" in replied(pull, 3)
    settled(state_url)


@pytest.mark.long
def test_force_holds_for_this_head_and_base(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """An admin lets a blocked pull request through, and the check says who; another commit, and the policy holds again."""
    judge = Scripted()

    def no(request: Request) -> Outcome:
        report = Report(verdict="block", title="1 error", base=request.base, head=request.head, merge_base=request.base)
        return Outcome(report=report, enforced=True)

    judge.outcome = no
    serve(judge=judge)
    pull = shop.open("clean")
    assert concluded(pull)["conclusion"] == "failure"
    settled(state_url)
    pull.say("/migrate force the pager rings", "ada")
    check = until(lambda: (run := pull.check) and run["conclusion"] == "success" and run, "it goes through")
    assert check["output"]["title"] == "forced by @ada: 1 error"
    assert "the pager rings" in check["output"]["summary"]
    pull.push({"README.md": "One more thing."})
    assert concluded(pull)["conclusion"] == "failure"
    settled(state_url)


@pytest.mark.long
def test_a_waiver_turns_it_green_without_a_push(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """`waive` excuses what was found, `unwaive` takes it back; a waiver whose comment is edited ends, too."""
    serve()
    pull = blocked(shop)
    assert concluded(pull)["conclusion"] == "failure"
    settled(state_url)
    head = pull.head
    pull.say("/migrate waive manual-tracking nobody reads it")
    settled(state_url)
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "it turns green")
    assert "@ada waives `manual-tracking`" in replied(pull)
    settled(state_url)
    pull.say("/migrate unwaive manual-tracking", "grace")
    until(lambda: (run := pull.check) and run["conclusion"] == "failure", "it turns red")
    settled(state_url)
    again = pull.say("/migrate waive manual-tracking we asked everyone")
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "it turns green again")
    settled(state_url)
    pull.edit(again, "never mind, /migrate was wrong")
    until(lambda: (run := pull.check) and run["conclusion"] == "failure", "it turns red again")
    settled(state_url)
    assert (pull.head, len(pull.replies)) == (head, 3)


@pytest.mark.long
def test_sync_pushes_and_the_new_head_passes(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Base took the number: the button shows, is pressed, one commit is pushed, and its review passes."""
    hub.may_write = True
    serve()
    pull = colliding(shop)
    red = concluded(pull)
    assert red["conclusion"] == "failure"
    assert "sync" in [a["identifier"] for a in red["actions"]]
    settled(state_url)
    old = pull.head
    pull.press("sync", "grace")
    assert replied(pull).startswith("Synced: ")
    until(lambda: pull.head != old, "a commit is pushed")
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    git = shop.git
    assert git.git("rev-list", "--parents", "-n1", pull.head).split()[1:] == [old, git.git("rev-parse", "main")]


@pytest.mark.long
def test_a_fork_gets_the_commands(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """The App may not push to a fork: the reply says what to run, and nothing is pushed."""
    hub.may_write = True
    serve()
    pull = colliding(shop, fork=True)
    red = concluded(pull)
    assert "sync" not in [a["identifier"] for a in red["actions"]]
    settled(state_url)
    old = pull.head
    pull.say("/migrate sync", "grace")
    assert "bulletproof sync --base FETCH_HEAD" in replied(pull)
    settled(state_url)
    assert pull.head == old
