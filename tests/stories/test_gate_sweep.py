"""What no webhook told: lost deliveries, however many, pull requests nobody heard of, installations that sleep or go."""

import asyncio
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from gate import Scripted, concluded, report, settled, until
from github import INSTALLATION, Hub, Repository

from bot.gate.clones import Clone
from bot.gate.reviewing import Outcome, Request
from bot.github import Client, Pull


def lost(hub: Hub, shop: Repository, count: int, *, ago: timedelta = timedelta(hours=1)) -> None:
    """Deliveries that nobody took, the oldest first, all of events that ask for nothing."""
    start = datetime.now(UTC) - ago
    for number in range(count):
        when = (start + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = shop.payload("created", number=number)
        hub.deliveries.insert(
            0,
            {"id": hub.id(), "guid": secrets.token_hex(8), "delivered_at": when, "status_code": 502, "event": "star",
             "payload": payload},
        )  # fmt: skip


def sweep(url: str) -> None:
    """It is time for a sweep."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("SET search_path TO bulletproof")
        session.execute("SELECT want('sweep', 'installation', NULL, '{}', false, NULL)")
    settled(url)


def test_more_than_a_page_of_lost_deliveries(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """All of them are asked for again, the oldest first and no more at once than GitHub's limits allow; later ones once only."""
    lost(hub, shop, 130, ago=timedelta(days=5))
    lost(hub, shop, 260)
    wanted = {each["guid"] for each in hub.deliveries[:260]}
    old = {each["guid"] for each in hub.deliveries[260:]}
    serve(judge=Scripted())

    def arrived() -> set[str]:
        with hub.lock:
            return {each["guid"] for each in hub.deliveries if each["status_code"] == 202}

    until(lambda: len(arrived()) >= 150, "the first hundred and fifty arrive")
    settled(state_url)
    assert len(arrived()) < 260
    sweep(state_url)
    until(lambda: arrived() >= wanted, "all arrive")
    assert not arrived() & old, "GitHub keeps them for three days"
    asked = sum(r.path.endswith("/attempts") for r in hub.requests)
    sweep(state_url)
    assert sum(r.path.endswith("/attempts") for r in hub.requests) == asked


def test_more_than_a_page_of_pull_requests(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Every open pull request of the repository is found; a second look at what did not change is free of charge."""
    shop.git.git("checkout", "--quiet", "-b", "docs", "main")
    shop.git.commit({"README.md": "# The shop"})
    shop.open("docs", tell=False)
    head = shop.pulls[1].head
    for number in range(2, 131):
        shop.pulls[number] = type(shop.pulls[1])(shop, number, "x", "docs", "main", "grace", head=head)
        shop.git.git("update-ref", f"refs/pull/{number}/head", head)
    waits: list[int] = []

    async def heard(_client: Client, pull: Pull, _base: str) -> Any:
        waits.append(pull.number)
        await asyncio.sleep(3600)

    serve(judge=Scripted(), excuses=heard)
    until(lambda: len(waits) >= 4, "work has begun")

    def known() -> bool:
        with psycopg.connect(state_url) as session:
            row = session.execute("SELECT count(*) FROM bulletproof.work WHERE kind = 'pull'").fetchone()
        return row == (130,)

    until(known, "all are looked at, or wait for it")


def test_unchanged_answers_are_free(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """The second sweep asks whether anything changed, and GitHub says no."""
    serve(judge=Scripted())
    concluded(shop.open("clean"))
    settled(state_url)
    sweep(state_url)
    before, asked = hub.unchanged, len(hub.requests)
    sweep(state_url)
    assert hub.unchanged - before >= 3, "the repositories, the pull requests, and base's tip"
    assert len(hub.requests) - asked <= hub.unchanged - before + 3


def test_an_installation_sleeps_and_wakes(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Asleep, nothing is asked for in vain, and nothing fails for ever; awake, what happened meanwhile is judged."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    hub.suspended = True
    hub.tokens.clear()
    said = {"installation": {"id": INSTALLATION}}
    hub.deliver("installation", shop.payload("suspend") | said)
    settled(state_url)
    pull.push({"a.txt": "while it sleeps"})
    began = time.monotonic()
    settled(state_url, seconds=60)
    assert time.monotonic() - began < 55
    assert pull.check is None
    hub.suspended = False
    hub.deliver("installation", shop.payload("unsuspend") | said)
    assert concluded(pull)["conclusion"] == "success"
    settled(state_url)


def test_a_repository_is_taken_away(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """It is forgotten at once, and its waiting work ends."""
    serve(judge=Scripted())
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    removed = {"repositories_removed": [{"id": shop.id, "full_name": shop.name}], "repositories_added": []}
    payload = shop.payload("removed") | removed
    del payload["repository"]
    hub.deliver("installation_repositories", payload)
    settled(state_url)
    with psycopg.connect(state_url) as session:
        assert session.execute("SELECT count(*) FROM bulletproof.pull WHERE open").fetchone() == (0,)


@pytest.mark.long
def test_a_bug_of_the_service_leaves_nothing_spinning(
    serve, hub: Hub, shop: Repository, state_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """After some attempts the check says that it could not be judged; a re-run is offered, and works; the log has no traceback."""
    broken = [True]

    async def judge(request: Request, _clone: Clone) -> Outcome:
        if broken[0]:
            raise ZeroDivisionError
        return Outcome(report=report(request), enforced=True)

    serve(judge=judge)
    pull = shop.open("clean")
    check = concluded(pull, seconds=60)
    assert (check["conclusion"], check["output"]["title"]) == ("action_required", "could not judge")
    assert "ZeroDivisionError" in check["output"]["summary"]
    settled(state_url)
    broken[0] = False
    shown = {"id": check["id"], "name": check["name"], "head_sha": pull.head, "app": check["app"], "pull_requests": []}
    hub.deliver("check_run", shop.payload("rerequested", check_run=shown))
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "it is judged after all")
    settled(state_url)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "given up" in said.out


@pytest.mark.long
def test_github_refuses_what_we_write(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """A check run that GitHub will not complete is completed in few words, and work on it ends."""
    serve(judge=Scripted())
    until(lambda: any(r.path == "/installation/repositories" for r in hub.requests), "the sweep at start has begun")
    settled(state_url)
    pull = shop.open("clean", tell=False)
    hub.stumble(r"/check-runs/\d+$", 422, method="PATCH", times=4, body={"message": "Invalid request."})
    pull.tell("opened")
    check = concluded(pull, seconds=60)
    assert (check["conclusion"], check["output"]["title"]) == ("action_required", "could not judge")
    assert "Invalid request" in check["output"]["summary"]
    assert check["actions"][0]["identifier"] == "rerun"
    settled(state_url, seconds=60)
    sweep(state_url)
    until(lambda: (run := pull.check) and run["conclusion"] == "success", "the sweep tries again")
