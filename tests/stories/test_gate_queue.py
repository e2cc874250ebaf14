"""The merge queue: what stands in the pull requests of a group stands for the group, and nothing else does."""

from typing import Any

import pytest
from gate import Scripted, concluded, settled, until
from github import Hub, Repository

from bot.gate.reviewing import Outcome, Request
from checks.report import Finding, Report
from tests.stories.test_commands_gate import blocked, replied
from tests.stories.test_gate_verdicts import MIGRATIONS

ADDITIONS = f"{MIGRATIONS}/0003_order_history.sql"


def judged(shop: Repository, sha: str) -> dict[str, Any]:
    """The completed check of a group."""
    return until(lambda: (run := shop.check(sha)) and run["status"] == "completed" and run, "the group is judged")


@pytest.mark.long
@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_waiver_holds_in_the_queue(serve, hub: Hub, shop: Repository, state_url: str, method: str) -> None:
    """A pull request that is waived and green stays green in the queue, however the queue merges; beside another one, too."""
    serve()
    pull = blocked(shop)
    concluded(pull)
    settled(state_url)
    pull.say("/migrate waive manual-tracking nobody reads it")
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "it turns green")
    settled(state_url)
    shop.git.git("checkout", "--quiet", "-b", "docs", "main")
    shop.git.commit({"README.md": "# The shop"})
    other = shop.open("docs")
    concluded(other)
    settled(state_url)
    for group in ((pull,), (pull, other)):
        sha, _ = shop.queue(*group, method=method)
        check = judged(shop, sha)
        assert check["conclusion"] == "success", check["output"]["summary"]
        assert "waived by `ada`" in check["output"]["summary"]


def no(path: str = ADDITIONS) -> Any:
    """A judge who finds an error in a file."""

    def say(request: Request) -> Outcome:
        finding = Finding(rule="drops-table", severity="error", path=path, message="gone", introduced=True)
        report = Report(
            verdict="block", title="1 error", findings=(finding,), base=request.base, head=request.head,
            merge_base=request.base,
        )  # fmt: skip
        return Outcome(report=report, enforced=True)

    return say


@pytest.mark.long
def test_force_holds_in_the_queue(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """What an admin forced goes through the queue, also behind another, and the check says who; what others bring does not."""
    judge = Scripted()
    judge.outcome = no()
    serve(judge=judge)
    shop.git.git("checkout", "--quiet", "-b", "docs", "main")
    shop.git.commit({"README.md": "# The shop"})
    docs = shop.open("docs", tell=False)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    pull.say("/migrate force the pager rings", "ada")
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "it goes through")
    assert replied(pull)
    settled(state_url)
    first, _ = shop.queue(docs)
    judged(shop, first)
    behind, _ = shop.queue(pull, base=first, branch="main")
    check = judged(shop, behind)
    assert (check["conclusion"], check["output"]["title"]) == ("success", "forced by @ada: 1 error")
    assert "the pager rings" in check["output"]["summary"]
    judge.outcome = no("README.md")
    both, _ = shop.queue(pull, docs)
    assert judged(shop, both)["conclusion"] == "failure"


@pytest.mark.long
def test_a_name_in_a_subject_proves_nothing(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A commit that calls itself `(#1)` brings nothing that was said in #1, unless the changes of #1 are there."""
    judge = Scripted()
    judge.outcome = no("README.md")
    serve(judge=judge)
    forced = shop.open("clean")
    concluded(forced)
    settled(state_url)
    forced.say("/migrate force really", "ada")
    until(lambda: (run := forced.check) and run["conclusion"] == "success", "it goes through")
    settled(state_url)
    shop.git.git("checkout", "--quiet", "-b", "mine", "main")
    shop.git.commit({"README.md": "# Mine"}, "innocent (#1)")
    mine = shop.open("mine", tell=False)
    sha, _ = shop.queue(mine, method="rebase")
    assert judged(shop, sha)["conclusion"] == "failure"
    assert [len(request.members) for request in judge.asked if request.head == sha] == [1]


@pytest.mark.long
def test_approvals_are_those_of_every_member(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A group is approved when each of its pull requests is; one that nobody approved leaves it unapproved."""
    judge = Scripted()
    serve(judge=judge)
    one = shop.open("clean", tell=False)
    shop.git.git("checkout", "--quiet", "-b", "two", "main")
    shop.git.commit({"drizzle/x.sql": "SELECT 1;"})
    two = shop.open("two", tell=False)
    one.reviews.append({"id": 1, "user": {"login": "ada", "id": 1}, "state": "APPROVED", "commit_id": one.head})
    both, _ = shop.queue(one, two)
    judged(shop, both)
    assert judge.asked[-1].approvals == ()
    two.reviews.append({"id": 2, "user": {"login": "ada", "id": 1}, "state": "APPROVED", "commit_id": two.head})
    again, _ = shop.queue(two, one)
    judged(shop, again)
    assert judge.asked[-1].approvals == ("ada",)


@pytest.mark.long
def test_a_group_that_is_no_more(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Nothing goes on spinning on its commit."""
    judge = Scripted(seconds=2)
    serve(judge=judge)
    pull = shop.open("clean", tell=False)
    sha, ref = shop.queue(pull)
    until(lambda: shop.check(sha), "it is being judged")
    group = {"head_sha": sha, "head_ref": ref, "base_sha": "0" * 40, "base_ref": "refs/heads/main"}
    hub.deliver("merge_group", shop.payload("destroyed", reason="dequeued", merge_group=group))
    check = judged(shop, sha)
    assert check["conclusion"] in {"cancelled", "success"}
    settled(state_url)
    assert all(run["status"] == "completed" for run in shop.runs)
