"""What stories of the service share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gate
import pytest
from github import Hub, Repository


@pytest.fixture(scope="session")
def state_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL for the service's state, as its owner."""
    with gate.state_cluster(tmp_path_factory.mktemp("state")) as url:
        yield url


@pytest.fixture
def state_url(state_server: str) -> Iterator[str]:
    """A fresh database for the service's state."""
    with gate.database(state_server) as url:
        yield url


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A GitHub; the test fails where it was asked something that GitHub would not understand."""
    made = Hub(tmp_path / "hub")
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where services keep clones; shared, as on one machine."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def shop(hub: Hub, tmp_path: Path) -> Repository:
    """The demo's shop, hosted."""
    return gate.shop(hub, tmp_path / "shop")


Start = Callable[..., gate.Service]


@pytest.fixture
def serve(hub: Hub, state_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts services, and stops them in the end."""
    running: list[gate.Service] = []

    def start(**parts: Any) -> gate.Service:
        made = gate.Service(gate.settings(hub, tmp_path / "data"), state_url, **parts)
        hub.hook = made.url
        running.append(made)
        return made

    yield start
    for each in running:
        each.stop()
