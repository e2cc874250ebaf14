"""The client by itself: tokens, limits and lists."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import gate
import pytest
from github import APP, INSTALLATION, PRIVATE_KEY, Hub, Repository

from bot.github import Client, GitHub, Refused
from bot.github.model import Annotation, Output
from bot.inbox import Later


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A GitHub; the test fails where it was asked something that GitHub would not understand."""
    made = Hub(tmp_path / "hub")
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture
def shop(hub: Hub, tmp_path: Path) -> Repository:
    """The demo's shop, hosted."""
    return gate.shop(hub, tmp_path / "shop")


def ask(hub: Hub, shop: Repository, question: Callable[[Client], Awaitable[Any]]) -> Any:
    """Open a client and ask it something."""

    async def run() -> Any:
        async with GitHub(hub.api, APP, PRIVATE_KEY).open() as github:
            return await question(github.repository(INSTALLATION, "octo", "shop", shop.id))

    return asyncio.run(run())


def test_one_token_for_many(hub: Hub, shop: Repository) -> None:
    """Twenty first calls at once make one token, and it opens this repository alone."""
    shop.open("clean", tell=False)
    ask(hub, shop, lambda c: asyncio.gather(*(c.pull(1) for _ in range(20))))
    assert hub.minted == 1
    assert list(hub.tokens.values()) == [[shop.id]]


@pytest.mark.parametrize(
    ("answer", "least"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}}, 7),
        ({"status": 403, "body": {"message": "You have exceeded a secondary rate limit."}}, 60),
        (
            {"status": 403, "headers": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "in 90 s"}},
            60,
        ),
        ({"status": 502, "times": 3}, 1),
    ],
)
def test_limits_give_the_work_back(hub: Hub, shop: Repository, answer: dict[str, Any], least: float) -> None:
    """No worker sleeps through a limit: the work is to be done later, and how much later GitHub says."""
    headers = answer.get("headers", {})
    if "x-ratelimit-reset" in headers:  # counted from now, not from when the tests were collected
        answer = {**answer, "headers": {**headers, "x-ratelimit-reset": str(int(time.time()) + 90)}}
    hub.stumble("/pulls/1$", **answer)
    began = time.monotonic()
    with pytest.raises(Later) as later:
        ask(hub, shop, lambda c: c.pull(1))
    assert later.value.seconds >= least
    assert time.monotonic() - began < 20


def test_a_refusal_is_no_limit(hub: Hub, shop: Repository) -> None:
    """What GitHub will never do is not tried again."""
    hub.stumble("/pulls/1$", 403, body={"message": "Resource not accessible by integration"})
    with pytest.raises(Refused, match="not accessible"):
        ask(hub, shop, lambda c: c.pull(1))
    assert len(hub.asked("pulls/get")) <= 1


def test_what_was_said_is_never_said_twice_blindly(hub: Hub, shop: Repository) -> None:
    """A comment whose answer is lost is not sent again by the client: whoever sent it looks first."""
    shop.open("clean", tell=False)
    hub.stumble("/comments$", 500, method="POST", after=True)
    with pytest.raises(Later):
        ask(hub, shop, lambda c: c.comment(1, "hello"))
    assert len(shop.comments[1]) == 1


def test_annotations(hub: Hub, shop: Repository) -> None:
    """Fifty a call; those that are there already are not appended again."""
    pull = shop.open("clean", tell=False)
    notes = tuple(Annotation(f"f{n}.sql", n + 1, n + 1, "notice", "rule", "said") for n in range(120))

    async def twice(client: Client) -> None:
        run = await client.begin_check("Migration policy", pull.head, url=None, title="x")
        await client.update_check(run, conclusion="success", output=Output("t", "s", notes[:110]), url=None)
        had = await client.annotations(run)
        await client.update_check(run, conclusion="failure", output=Output("t", "s", notes), url=None, had=had)

    ask(hub, shop, twice)
    assert pull.check is not None
    assert [a["path"] for a in pull.check["output"]["annotations"]] == [a.path for a in notes]


def test_long_lists(hub: Hub, shop: Repository) -> None:
    """Every page is read."""
    shop.open("clean", tell=False)
    for number in range(230):
        shop.comment(1, str(number), {"login": "ada", "id": 1, "type": "User"})
    found = ask(hub, shop, lambda c: c.comments(1))
    assert [c.body for c in found] == [str(n) for n in range(230)]


@pytest.mark.node
def test_the_description_is_asked(hub: Hub, shop: Repository) -> None:
    """The tests' GitHub notices a request that GitHub would not understand."""
    if hub.description is None:
        pytest.skip("Node.js and npm are not here, so GitHub's description cannot be had")
    assert hub.description.complaints("POST", "/repos/o/r/check-runs", "", b'{"name": "x"}')[1]
    assert hub.description.complaints("PATCH", "/repos/o/r/check-runs/1", "", b'{"conclusion": "fine"}')[1]
    assert hub.description.complaints("GET", "/repos/o/r/nothing", "", b"")[1]
    assert hub.description.complaints("GET", "/repos/o/r/pulls", "base=main&stat=open", b"")[1]
    good = b'{"name": "x", "head_sha": "a", "status": "in_progress"}'
    assert hub.description.complaints("POST", "/repos/o/r/check-runs", "", good) == ("checks/create", [])
