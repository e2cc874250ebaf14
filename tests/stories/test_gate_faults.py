"""GitHub stumbles, the database restarts, we have a bug: every head ends with one completed check, and nothing is doubled."""

import time

import psycopg
import pytest
from gate import Scripted, concluded, settled, until
from github import Hub, Repository

from bot.gate import reviewing

STUMBLES = {
    "500 for a new check run, which was made": {"pattern": r"/check-runs$", "status": 500, "method": "POST", "after": True},
    "502 for all that is read": {"pattern": "/pulls/1$", "status": 502, "times": 2},
    "a secondary limit": {
        "pattern": r"/comments$", "status": 403, "method": "POST", "headers": {"Retry-After": "1"},
        "body": {"message": "You have exceeded a secondary rate limit"},
    },
    "429": {"pattern": r"/check-runs/\d+$", "status": 429, "headers": {"Retry-After": "1"}},
    "no answer to a comment, which was made": {
        "pattern": r"/comments$", "status": None, "method": "POST", "after": True, "raw": b"HTTP/1.1 201 Created\r\nConte",
    },
    "half a body": {
        "pattern": "/pulls/1$", "status": None, "raw": b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"number": 1, "sta',
    },
    "404 right after the webhook": {"pattern": "/pulls/1$", "status": 404, "times": 1},
    "a token that is refused": {"pattern": "/pulls/1$", "status": 401, "times": 1, "body": {"message": "Bad credentials"}},
    "git does not answer": {"pattern": "git:.*info/refs", "status": 503, "times": 1},
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", STUMBLES)
def test_github_stumbles(serve, hub: Hub, shop: Repository, state_url: str, name: str) -> None:
    """It completes, with one check and one comment."""
    pull = shop.open("clean", tell=False)
    serve(judge=Scripted())
    settled(state_url)
    shop.runs.clear()
    shop.comments.clear()
    hub.stumble(**STUMBLES[name])
    pull.push({"a.txt": "a change"})
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    assert len(pull.ours) == 1
    assert len([r for r in shop.runs if r["head_sha"] == pull.head]) == 1
    assert hub.faults[0].times == 0


def test_a_fault_of_ours(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """It is no pass: "could not judge", with a button to run it again, and the delivery to be found in the log by."""
    judge = Scripted()
    judge.outcome = lambda _request: reviewing.Outcome(enforced=True, why="ZeroDivisionError at checks.x:1", ours=True)
    serve(judge=judge)
    pull = shop.open("clean")
    check = concluded(pull)
    assert check["conclusion"] == "action_required"
    assert check["output"]["title"] == "could not judge"
    assert hub.deliveries[0]["guid"] in check["output"]["summary"]
    assert check["actions"][0]["identifier"] == "rerun"
    judge.outcome = None
    settled(state_url)
    shown = {
        "id": check["id"],
        "name": check["name"],
        "head_sha": pull.head,
        "app": check["app"],
        "pull_requests": [{"number": 1}],
    }
    hub.deliver("check_run", shop.payload("rerequested", check_run=shown))
    until(lambda: pull.check and pull.check["conclusion"] == "success", "it is judged after all")


def test_a_fault_of_ours_where_nothing_is_enforced(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Advice that could not be given holds nobody up."""
    judge = Scripted()
    judge.outcome = lambda _request: reviewing.Outcome(enforced=False, why="no database")
    serve(judge=judge)
    assert concluded(shop.open("clean"))["conclusion"] == "neutral"


@pytest.mark.long
def test_the_database_restarts(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A crash of the whole server in the middle of a review: it completes."""
    judge = Scripted(seconds=1.0)
    serve(judge=judge)
    pull = shop.open("clean")
    until(lambda: judge.asked, "the review begins")
    with psycopg.connect(state_url, autocommit=True) as session:
        # A backend that dies by SIGKILL makes the postmaster restart all of them.
        session.execute("CREATE TEMP TABLE x AS SELECT pg_backend_pid() AS pid")
        with pytest.raises(psycopg.OperationalError):  # noqa: PT012 - whichever notices first
            session.execute("COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'")
            session.execute("SELECT 1")
    time.sleep(0.5)
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)
    assert len(pull.ours) == 1
