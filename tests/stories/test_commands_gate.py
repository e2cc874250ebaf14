"""What people say in a pull request, `/migrate …`: each command answered once, and what it changes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from gate import Scripted, concluded, report, settled, until
from github import APP, SLUG, Hub, Pull, Repository

from bot.gate import conversation
from bot.gate.reviewing import Outcome, Request
from checks.report import Finding, Report
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


@pytest.mark.long
def test_what_does_nothing(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A command that was edited into an old comment, is quoted, stands in code or below other words, or is our own."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    old = pull.say("looks fine to me")
    pull.edit(old, "/migrate force because")
    for body in ("> /migrate retry", "```\n/migrate retry\n```", "    /migrate retry", "please\n/migrate retry"):
        pull.say(body)
    own = {"login": f"{SLUG}[bot]", "id": 9, "type": "Bot"}
    said = shop.comment(pull.number, "/migrate retry", own, performed_via_github_app={"id": APP, "slug": SLUG})
    payload = {"issue": {"number": pull.number, "pull_request": {"url": "x"}}, "comment": said}
    hub.deliver("issue_comment", shop.payload("created", **payload))
    settled(state_url)
    assert [r for r in pull.replies if r != "/migrate retry"] == []
    assert len(judge.asked) == 1
    pull.say("/migrate help\n" * 4600)
    assert "| Command |" in replied(pull, 2)
    settled(state_url)
    assert len(pull.replies) == 2


@pytest.mark.long
def test_an_approval_is_of_this_sql_by_somebody_else(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """The author cannot give it; it holds for the SQL that was reviewed; deleting the comment takes it back."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean", author="grace")
    concluded(pull)
    settled(state_url)
    pull.say("/migrate approve", "grace")
    assert "your own pull request" in replied(pull)
    said = pull.say("/migrate approve", "ada")
    assert "@ada approves the SQL" in replied(pull, 2)
    settled(state_url)
    assert [by for _, by in judge.asked[-1].spoken.approved] == ["ada"]
    shop.comments[pull.number].remove(said)
    issue = {"number": pull.number, "pull_request": {"url": "x"}}
    hub.deliver("issue_comment", shop.payload("deleted", issue=issue, comment=said))
    until(lambda: judge.asked[-1].spoken.approved == (), "it is looked at again")
    settled(state_url)


@pytest.mark.long
def test_a_waiver_ends_with_its_last_day(serve, hub, shop: Repository, state_url: str, monkeypatch) -> None:
    """Nobody pushes and nobody comments: the day comes, and the check is red again."""
    judge = Scripted()

    def excused(request: Request) -> Outcome:
        waived = next((e.given for e in request.spoken.excused if e.rule == "drops-table"), None)
        finding = Finding(rule="drops-table", severity="error", path="README.md", message="x", waived=waived)
        verdict = "pass" if waived else "block"
        return Outcome(report=report(request, verdict=verdict, findings=(finding,)), enforced=True)

    judge.outcome = excused
    serve(judge=judge)
    pull = shop.open("clean")
    assert concluded(pull)["conclusion"] == "failure"
    settled(state_url)
    today = datetime.now(UTC).date()
    pull.say(f"/migrate waive drops-table we know until {today}")
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "it is green today")
    settled(state_url)
    monkeypatch.setattr(conversation, "_today", lambda: today + timedelta(days=1))
    serve(judge=judge)  # every service sweeps when it starts, and every few minutes
    until(lambda: (run := pull.check) and run["conclusion"] == "failure", "it is red tomorrow")
    settled(state_url)


@pytest.mark.long
@pytest.mark.parametrize("name", ["reset", "retry"])
def test_a_reply_whose_answer_is_lost_is_not_given_twice(serve, hub: Hub, shop, state_url: str, name: str) -> None:
    """GitHub heard the reply and hung up: there is one reply, and what was asked for is done all the same."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    hub.stumble(r"/issues/\d+/comments$", method="POST", after=True)
    pull.say(f"/migrate {name}")
    until(lambda: len(judge.asked) == 2, "it is reviewed again")
    settled(state_url)
    assert len(pull.replies) == 1


@pytest.mark.long
def test_nobody_forces_what_they_did_not_see(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """The head was pushed after the comment: it is not forced."""
    serve(judge=Scripted())
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    before = "2026-01-01T00:00:00Z"
    pull.say("/migrate force the pager rings", "ada", created_at=before, updated_at=before)
    assert "came after your comment" in replied(pull)
    settled(state_url)
