"""A provider under attack, and what holds after each attack."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.branches import embedded, orphans
from tests.bot.sandbox.attacked import attacker

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("1[45678]/bin"))


@pytest.fixture(
    scope="module",
    params=[None, *(pytest.param(folder, marks=pytest.mark.long) for folder in INSTALLED)],
    ids=["wheel", *(f"installed-{folder.parent.name}" for folder in INSTALLED)],
)
def provider(request, tmp_path_factory):
    """Branches of the wheel's PostgreSQL, and of each that is installed, in a folder of runs that no other test uses."""
    provider = embedded.Embedded(tmp_path_factory.mktemp("data"), request.param)
    place = provider._place
    runs = place.folders.runs.with_name(f"bulletproof-sandbox-{os.getpid()}")
    runs.mkdir()
    runs.chmod(0o711)
    provider.__dict__["_place"] = replace(place, folders=replace(place.folders, runs=runs))
    yield provider
    assert orphans.processes(runs) == []
    runs.rmdir()


@pytest.fixture
def runs(provider):
    """The folder of running clusters; whatever the attack, no process and no file is there afterwards."""
    folder = provider._place.folders.runs
    before = set(folder.iterdir())
    yield folder
    left = set(folder.iterdir()) - before
    assert [orphans.processes(path) for path in left if path.is_dir()] == []
    assert left == set()


@pytest.fixture
def branch(provider, runs):
    """A branch with time and room for an honest attack."""
    with provider.branch(seconds=60) as branch:
        yield branch


@pytest.fixture
def session(branch):
    """A session of that branch as hostile SQL gets it."""
    with attacker(branch) as session:
        yield session
