"""`kill -9` of service or worker at any moment: every head ends with one completed check, and no second comment."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from gate import concluded, settled, until
from github import APP, PRIVATE_KEY, SECRET, Hub, Repository

SERVED = Path(__file__).parent / "served.py"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(hub: Hub, state_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts services and workers as processes, and kills them in the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running: list[subprocess.Popen[bytes]] = []
    hub.hook = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "BULLETPROOF_GITHUB_APP_ID": str(APP),
        "BULLETPROOF_GITHUB_PRIVATE_KEY": PRIVATE_KEY,
        "BULLETPROOF_WEBHOOK_SECRET": SECRET,
        "BULLETPROOF_GITHUB_API_URL": hub.api,
        "BULLETPROOF_GITHUB_GIT_URL": hub.git,
        "BULLETPROOF_DATABASE_URL": state_url,
        "BULLETPROOF_DATA_DIR": str(tmp_path / "data"),
        "BULLETPROOF_PORT": str(port),
    }

    def begin(seconds: float, what: str = "serve") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", str(SERVED), str(seconds), what]
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        if what == "serve":
            until(ready, "the service is ready")
        return running[-1]

    def ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    yield begin
    for each in running:
        each.kill()
        each.wait()
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    assert f'"url": "http://127.0.0.1:{port}", "event": "serving"' in said
    assert "signature=" not in said


@pytest.mark.long
@pytest.mark.parametrize("moment", [0.05, 0.35, 0.8])
def test_kill_the_service(start: Start, hub: Hub, shop: Repository, state_url: str, moment: float) -> None:
    """Killed while somebody pushes, and started again: the last head is green, with one comment."""
    pull = shop.open("clean", tell=False)
    service = start(0.3)
    pull.tell("opened")
    pull.push({"a.txt": "a step"})
    time.sleep(moment)
    service.kill()
    service.wait()
    start(0.3)
    assert concluded(pull, seconds=60)["conclusion"] == "success"
    settled(state_url, seconds=60)
    assert len(pull.ours) == 1
    assert all(run["status"] == "completed" for run in shop.runs)
    heads = [run["head_sha"] for run in shop.runs]
    assert len(heads) == len(set(heads))


@pytest.mark.long
def test_kill_a_worker(start: Start, hub: Hub, shop: Repository, state_url: str) -> None:
    """Its work is taken over by another within thirty seconds."""
    busy = start(60.0)
    pull = shop.open("clean")
    until(lambda: pull.check, "the service is at work")
    start(0.1, "worker")
    busy.kill()
    busy.wait()
    began = time.monotonic()
    assert concluded(pull, seconds=30)["conclusion"] == "success"
    assert time.monotonic() - began < 30
    settled(state_url)
    assert len(pull.ours) == 1
