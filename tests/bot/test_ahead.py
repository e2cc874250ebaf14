"""The cluster of a base that was judged before is started while files are read, and put away where it is not wanted."""

from pathlib import Path

import pytest

from bot.branches import Template, embedded
from bot.branches.embedded import Begun, Embedded
from checks.branch import Branch
from tests.conftest import BINDIR


def state(name: str) -> Template:
    """A state of the database that bears a name."""

    def build(branch: Branch) -> bytes:
        with branch.connect() as session:
            session.execute(f"CREATE TABLE {name} ()".encode())
        return name.encode()

    return Template(name, build)


def tables(branch: Branch) -> list[str]:
    """What was built there."""
    with branch.connect() as session:
        found = session.execute("SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        return [name for (name,) in found]


class Watched(Embedded):
    """Remembers where it began clusters."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, BINDIR)
        self.places: list[Path] = []

    def begin(self, key: str) -> Begun | None:
        """One more."""
        begun = super().begin(key)
        if begun is not None:
            self.places.append(begun.branch._sockets)  # type: ignore[reportPrivateUsage]
        return begun


@pytest.fixture
def provider(tmp_path: Path) -> Watched:
    """One that has kept two states, and been told that the first comes first."""
    made = Watched(tmp_path / "data")
    with made.ahead("base") as first:
        for name in ("one", "two"):
            with first.branch(template=state(name)) as branch:
                assert tables(branch) == [name]
    return made


def test_it_is_the_branch_that_would_have_been_given(provider: Watched) -> None:
    """At its state, with what was said of it; the second is made as ever."""
    with provider.ahead("base") as first:
        with first.branch(template=state("one"), extensions=["no_such"]) as branch:
            assert tables(branch) == ["one"]
            assert getattr(branch, "remark", None) == b"one"
            assert branch.missing_extensions == {"no_such"}
        with first.branch(template=state("one")) as branch:
            assert tables(branch) == ["one"]


@pytest.mark.parametrize("name", ["two", "three"])
def test_what_is_not_wanted_is_put_away(provider: Watched, name: str) -> None:
    """Another state is given where another is wanted, and begun the next time."""
    with provider.ahead("base") as first, first.branch(template=state(name)) as branch:
        assert tables(branch) == [name]
    with provider.ahead("base"):
        pass
    assert len(provider.places) == 2
    assert not any(place.exists() for place in provider.places)
    with provider.ahead("base") as first, first.branch(template=state(name)) as branch:
        assert tables(branch) == [name]


def test_a_token_that_nobody_said_begins_nothing(provider: Watched) -> None:
    """Nor does a state that is no longer kept."""
    with provider.ahead("other") as first, first.branch(template=state("two")) as branch:
        assert tables(branch) == ["two"]
    for path in provider._place.templates.folder.glob("*/data.pack"):  # type: ignore[reportPrivateUsage]
        if not path.parent.name.startswith("blank"):
            path.unlink()
            (path.parent / "remark").unlink()
            path.parent.rmdir()
    with provider.ahead("other") as first, first.branch(template=state("two")) as branch:
        assert tables(branch) == ["two"]


def test_one_that_waited_too_long_is_not_given(provider: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is over; a new one's begins when it is asked for."""
    monkeypatch.setattr(embedded, "_PATIENCE", 0.01)
    with provider.ahead("base") as first, first.branch(template=state("one")) as branch:
        assert tables(branch) == ["one"]
        assert branch.stopped is None
