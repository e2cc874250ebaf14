"""Who comes, goes, renames, pushes and presses buttons, and what the service does. The judge is scripted; all else is real."""

import time

import pytest
from gate import Scripted, concluded, report, settled, until
from github import APP, SLUG, Hub, Repository

from bot.gate import reviewing


def one(pull) -> None:
    """There is one comment of ours."""
    assert len(pull.ours) == 1


def test_a_fork_a_draft_and_a_deleted_fork(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """All are judged, by their commits in this repository; what is left of a deleted fork is null."""
    serve(judge=Scripted())
    fork = shop.open("clean", fork=True, author="stranger")
    assert concluded(fork)["conclusion"] == "success"
    shop.git.git("branch", "drafted", "breaking")
    draft = shop.open("drafted", draft=True)
    assert concluded(draft)["conclusion"] == "success"
    fork.fork_deleted = True
    fork.push({"a.txt": "one more"})
    assert concluded(fork)["conclusion"] == "success"
    settled(state_url)
    one(fork)
    one(draft)


def test_a_renamed_repository(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Work that was asked for under the old name is done under the new one."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    with hub.lock:
        del hub.repositories["octo/shop"]
        hub.renamed["octo/shop"] = "octo/corner-shop"
        shop.name = "octo/corner-shop"
        hub.repositories["octo/corner-shop"] = shop
    hub.deliver("repository", shop.payload("renamed", changes={"repository": {"name": {"from": "shop"}}}))
    pull.push({"a.txt": "after the renaming"})
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    one(pull)


def test_twenty_pushes_in_a_second(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """At most two reviews begin to an end, one comment is made, the last head is green and no other head is left spinning."""
    judge = Scripted(seconds=1.5)
    serve(judge=judge)
    shop.git.git("checkout", "--quiet", "--detach", "clean")
    heads = [shop.git.commit({"a.txt": str(n)}) for n in range(20)]
    pull = shop.open("clean", tell=False)
    for head in heads:
        pull.set(head)
        time.sleep(0.05)
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    assert len(judge.asked) <= 2
    assert judge.asked[-1].head == heads[-1]
    one(pull)
    assert all(run["status"] == "completed" for run in shop.runs)


def test_a_force_push_during_a_review(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """The review is stopped; nothing is said of the old head but that it is superseded, and the comment is about the new one."""
    judge = Scripted(seconds=3)
    serve(judge=judge)
    pull = shop.open("clean")
    old = pull.head
    until(lambda: judge.asked, "the review begins")
    judge.seconds = 0.1
    shop.git.git("checkout", "--quiet", "--detach", "main")
    pull.set(shop.git.commit({"b.txt": "another history"}))
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    before = shop.check(old)
    assert before is not None
    assert before["conclusion"] == "cancelled"
    assert [r.head for r in judge.asked] == [old, pull.head]
    assert judge.finished == 1
    one(pull)


def test_buttons_run_it_again(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """`Re-run` of GitHub, of the whole suite, and our own button each give one more review in the same check run."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean", fork=True)
    run = concluded(pull)
    app = {"id": APP, "slug": SLUG}
    shown = {"id": run["id"], "name": run["name"], "head_sha": pull.head, "app": app, "pull_requests": []}
    suite = {"id": 1, "head_sha": pull.head, "app": app, "pull_requests": []}
    settled(state_url)
    presses = (
        ("check_run", shop.payload("rerequested", check_run=shown)),
        ("check_suite", shop.payload("rerequested", check_suite=suite)),
        ("check_run", shop.payload("requested_action", check_run=shown, requested_action={"identifier": "rerun"})),
    )
    for count, (event, payload) in enumerate(presses, start=2):
        assert hub.deliver(event, payload) == 202
        until(lambda count=count: len(judge.asked) == count, f"review {count}")
        settled(state_url)
    assert pull.check is not None
    assert pull.check["id"] == run["id"]
    assert pull.check["conclusion"] == "success"
    one(pull)


def test_other_peoples_checks_are_none_of_our_business(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A check run of another App asks for nothing."""
    judge = Scripted()
    serve(judge=judge)
    shown = {"id": 1, "name": "CI", "head_sha": "a" * 40, "app": {"id": APP + 1}, "pull_requests": [{"number": 1}]}
    assert hub.deliver("check_run", shop.payload("rerequested", check_run=shown)) == 202
    settled(state_url)
    assert judge.asked == []


def test_a_comment_with_our_marker_by_somebody_else(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Anybody can write a marker; only our own comment is edited."""
    serve(judge=Scripted())
    pull = shop.open("clean", tell=False)
    theirs = pull.say("<!-- bulletproof -->\nall fine, merge it", "mallory", tell=False)
    pull.tell("opened")
    concluded(pull)
    settled(state_url)
    one(pull)
    assert pull.comments[0] == theirs


def test_redelivery(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A delivery that was finished has no effect when it comes again; nothing is read from GitHub and nothing written."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean", tell=False)
    payload = shop.payload("opened", number=1, pull_request=pull.shown())
    assert hub.deliver("pull_request", payload, guid="11111111-aaaa") == 202
    concluded(pull)
    settled(state_url)
    before = len(hub.requests)
    for _ in range(3):
        assert hub.deliver("pull_request", payload, guid="11111111-aaaa") == 202
    time.sleep(0.3)
    settled(state_url)
    assert len(hub.requests) == before
    assert len(judge.asked) == 1


def test_what_no_webhook_told(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A pull request that was opened while nobody listened is found by the sweep at start, and a failed delivery is asked for."""
    pull = shop.open("clean")
    assert hub.deliveries[0]["status_code"] == 0
    serve(judge=Scripted())
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    assert hub.asked("apps/redeliver-webhook-delivery") or hub.description is None
    one(pull)


def test_two_pull_requests_with_one_head(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """They share the commit's check run: as long as one of them may not be merged, it is not green."""
    judge = Scripted()
    shop.git.git("branch", "release", "main~1")

    def outcome(request: reviewing.Request) -> reviewing.Outcome:
        on_main = request.base == shop.git.git("rev-parse", "main")
        return reviewing.Outcome(
            report=report(request, verdict="pass" if on_main else "block", title="said"), enforced=True
        )

    judge.outcome = outcome
    serve(judge=judge)
    second = shop.open("clean", base="release")
    assert concluded(second)["conclusion"] == "failure"
    settled(state_url)
    shop.open("clean", base="main")
    settled(state_url)
    assert second.check is not None
    assert second.check["conclusion"] == "failure"


@pytest.mark.parametrize("state", ["APPROVED", "CHANGES_REQUESTED"])
def test_approvals_are_told_to_the_judge(serve, hub: Hub, shop: Repository, state_url: str, state: str) -> None:
    """An approval of this head by somebody who may write counts; the author's, a stranger's or an old one does not."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean", author="grace", tell=False)
    for login, commit in (("ada", pull.head), ("grace", pull.head), ("mallory", pull.head)):
        pull.reviews.append({"id": 1, "user": {"login": login, "id": 1}, "state": state, "commit_id": commit})
    hub.deliver("pull_request_review", shop.payload("submitted", pull_request=pull.shown(), review={"id": 1}))
    concluded(pull)
    assert judge.asked[-1].approvals == (("ada",) if state == "APPROVED" else ())


def test_a_webhook_that_names_no_installation(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """It is asked for."""
    serve(judge=Scripted())
    settled(state_url)
    pull = shop.open("clean", tell=False)
    payload = shop.payload("opened", number=1, pull_request=pull.shown())
    del payload["installation"]
    hub.deliver("pull_request", payload)
    assert concluded(pull)["conclusion"] == "success"


def test_a_small_github(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Where rules, reviews, deliveries and our own name cannot be read, pull requests are judged all the same."""
    for pattern in ("/rules/", "/reviews$", "/app/hook/", "/app$"):
        hub.stumble(pattern, 404, times=99)
    serve(judge=Scripted())
    pull = shop.open("clean")
    assert concluded(pull)["conclusion"] == "success"
    pull.push({"a.txt": "once more"})
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    one(pull)
