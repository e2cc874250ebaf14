"""Intake: what is not signed by GitHub is not stored, and what is, is."""

import hashlib
import hmac
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import gate
import httpx
import psycopg
import pytest
from conftest import ROOT
from github import SECRET, Hub
from psycopg.types.json import Jsonb

from bot import state, webhook


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    """A service that takes in and does nothing else."""
    folder = tmp_path_factory.mktemp("intake")
    hub = Hub(folder / "hub")
    with gate.state_cluster(folder / "state") as url:
        there = gate.Service(gate.settings(hub, folder), url, work=False)
        with httpx.Client(base_url=there.url, trust_env=False) as client:
            yield client, url
        there.stop()
    hub.close()


BODY = json.dumps({
    "action": "opened", "repository": {"id": 7, "full_name": "octo/shop"}, "installation": {"id": 77},
    "pull_request": {"number": 3},
}).encode()  # fmt: skip


def headers(body: bytes = BODY, **more: str) -> dict[str, str]:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    said = {"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "d-1", "X-Hub-Signature-256": f"sha256={signature}"}
    return said | more


def stored(url: str) -> tuple[Any, ...]:
    """How many deliveries are stored, and how often work is wanted."""
    with psycopg.connect(url) as session:
        row = session.execute(
            "SELECT (SELECT count(*) FROM bulletproof.delivery), (SELECT coalesce(sum(wanted), 0) FROM bulletproof.work)"
        ).fetchone()
    assert row is not None
    return row


def test_signatures(service: tuple[httpx.Client, str]) -> None:
    """Wrong, missing, malformed, or of another body: 401, and nothing is stored."""
    client, url = service
    before = stored(url)
    good = headers()["X-Hub-Signature-256"]
    wrong = ["", "sha256=", "sha1=" + "a" * 40, "sha256=" + "0" * 64, good.upper(), good + "0", good[:-1], "é" * 71]
    for each in wrong:
        sent = headers() | {"X-Hub-Signature-256": each}
        answer = client.post("/webhook", content=BODY, headers={k: v.encode() for k, v in sent.items()})
        assert answer.status_code == 401, each
    missing = {k: v for k, v in headers().items() if "Signature" not in k}
    assert client.post("/webhook", content=BODY, headers=missing).status_code == 401
    assert client.post("/webhook", content=BODY + b" ", headers=headers()).status_code == 401
    assert stored(url) == before


def test_taken_in_once(service: tuple[httpx.Client, str]) -> None:
    """A delivery is stored before it is answered; while its work is not done, a repetition asks for it again."""
    client, url = service
    before = stored(url)
    first = client.post("/webhook", content=BODY, headers=headers(**{"X-GitHub-Delivery": "once"}))
    assert (first.status_code, first.json()["outcome"]) == (202, "new")
    assert stored(url) == (before[0] + 1, before[1] + 1)
    again = client.post("/webhook", content=BODY, headers=headers(**{"X-GitHub-Delivery": "once"}))
    assert again.json()["outcome"] == "again"
    assert stored(url)[0] == before[0] + 1
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("UPDATE bulletproof.work SET done = wanted")
    done = client.post("/webhook", content=BODY, headers=headers(**{"X-GitHub-Delivery": "once"}))
    assert done.json()["outcome"] == "done"


def test_a_burst_is_one_job(service: tuple[httpx.Client, str]) -> None:
    """However many deliveries ask for the same, one job waits for it."""
    client, url = service
    for number in range(30):
        assert client.post("/webhook", content=BODY, headers=headers(**{"X-GitHub-Delivery": f"b-{number}"})).is_success
    with psycopg.connect(url) as session:
        row = session.execute("SELECT count(*) FROM bulletproof.procrastinate_jobs WHERE lock = '7#3'").fetchone()
    assert row == (1,)


def test_bad_bodies(service: tuple[httpx.Client, str]) -> None:
    """Not JSON: 400; too long: 413, also where the length is not declared or a lie; an unknown event: taken and ignored."""
    client, url = service
    before = stored(url)
    assert client.post("/webhook", content=b"{", headers=headers(b"{")).status_code == 400
    assert client.post("/webhook", content=BODY, headers=headers(**{"X-GitHub-Event": "../x"})).status_code == 400
    no_id = {k: v for k, v in headers().items() if "Delivery" not in k}
    assert client.post("/webhook", content=BODY, headers=no_id).status_code == 400
    large = b" " * (webhook.MOST + 1)
    assert client.post("/webhook", content=large, headers=headers(large)).status_code == 413
    chunks = (b" " * (1 << 20) for _ in range(27))
    assert client.post("/webhook", content=chunks, headers=headers()).status_code == 413
    star = client.post("/webhook", content=BODY, headers=headers(**{"X-GitHub-Event": "star"}))
    assert (star.status_code, star.json()["outcome"]) == (202, "ignored")
    assert client.get("/webhook").status_code == 405
    assert stored(url) == before


def test_a_nul_in_a_name_stops_nobody_else(service: tuple[httpx.Client, str]) -> None:
    """PostgreSQL cannot keep it, so that delivery is refused; the next one is taken in."""
    client, _ = service
    body = json.dumps(json.loads(BODY) | {"action": "x", "ref": "refs/heads/a\x00b"}).encode()
    sent = headers(body, **{"X-GitHub-Event": "push", "X-GitHub-Delivery": "nul"})
    assert client.post("/webhook", content=body, headers=sent).status_code in {202, 400, 503}
    assert client.post("/webhook", content=BODY, headers=headers(**{"X-GitHub-Delivery": "after"})).status_code == 202


def test_the_log_holds_no_secret_and_no_traceback() -> None:
    """Tokens, passwords in addresses and signatures are struck out; of an exception there is one line."""
    code = (
        "from bot import logs; import structlog, logging; logs.start()\n"
        "structlog.get_logger('x').info('see', url='postgresql://me:hunter2@host/db', token='ghs_abcdefghijkl')\n"
        "structlog.get_logger('x').info('at', path='/reviews/1?signature=0123abcd')\n"
        "try: 1/0\nexcept Exception: logging.getLogger('lib').exception('oh %s', 'no')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not any(word in done.stderr for word in ("hunter2", "abcdefghijkl", "0123abcd", "Traceback"))
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["error"] == "ZeroDivisionError: division by zero"


def test_many_at_once_are_stored_as_one_by_one(service: tuple[httpx.Client, str]) -> None:
    """What a batch leaves behind is what its deliveries would have left one after the other, and each is told the same."""
    _, url = service
    dice = random.Random(7)
    names = ("id", "event", "key", "kind", "repository", "owner", "name", "installation", "about", "fresh")

    def delivery(number: int) -> tuple[Any, ...]:
        key = dice.choice(["7#1", "7#2", "7@main", None])
        about = {dice.choice("abc"): number, "number": dice.randrange(3)}
        name = dice.choice(["shop", "store"])
        return f"d{number}", "push", key, "pull", 7, "octo", name, dice.choice([0, 77]), about, dice.random() < 0.2

    sent = [delivery(number) for number in range(60)]
    batches: list[list[tuple[Any, ...]]] = []
    for start in range(0, 60, 6):
        again = [sent[dice.randrange(start)]] if start else []
        batches.append([*sent[start : start + 6], *again])
    state_of = (
        "SELECT key, kind, repository, about, wanted, fresh, delivery, queued, attempts FROM work ORDER BY key",
        "SELECT * FROM repository",
        "SELECT lock, args FROM procrastinate_jobs ORDER BY lock",
        "SELECT id, event, key FROM delivery ORDER BY id",
    )
    left: list[Any] = []
    for together in (True, False):
        told: list[str] = []
        with gate.database(url) as other:
            state.migrate(other)
            with psycopg.connect(other, autocommit=True, options="-c search_path=bulletproof") as session:
                for number, batch in enumerate(batches):
                    if together:
                        rows = [{"n": n, **dict(zip(names, row, strict=True))} for n, row in enumerate(batch, start=1)]
                        [(outcomes,)] = session.execute("SELECT receive_all(%s::jsonb)", [json.dumps(rows)])
                        told += outcomes
                    else:
                        for row in batch:
                            values = [Jsonb(value) if isinstance(value, dict) else value for value in row]
                            [(outcome,)] = session.execute(f"SELECT receive({', '.join(['%s'] * 10)})", values)
                            told.append(outcome)
                    if number == 4:
                        session.execute("UPDATE work SET done = wanted, queued = false")
                        session.execute("DELETE FROM procrastinate_jobs")
                left.append([told, *(session.execute(query).fetchall() for query in state_of)])
                assert session.execute(
                    "SELECT count(*) FROM delivery WHERE key IS NOT NULL AND generation = 0"
                ).fetchone() == (0,)
    assert left[0] == left[1]
