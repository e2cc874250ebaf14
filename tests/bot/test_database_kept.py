"""Catalogs that are kept between runs are those that a scratch database would show, or are not used."""

from pathlib import Path

import pytest

from bot.database import kept, source
from bot.database.evidence import Scratch
from bot.progress import silent
from checks.catalog import difference
from checks.catalog.model import Catalog
from tests.bot.database_samples import CHAIN, project

TEXTS = (
    *CHAIN,
    "CREATE TYPE mood AS ENUM ('ok');",
    "CREATE VIEW v AS SELECT id FROM users;",
    "CREATE INDEX i ON users (lower(email));",
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own, with the templates of the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(kept, "_folder", lambda: folder)
    return folder


def after(folder: Path, *texts: str) -> Catalog:
    found = source.read(project(folder, texts))
    return Scratch(found.chain, (), silent).after([m.tag for m in found.chain.migrations])


def test_what_is_kept_is_what_was_seen(cache: Path, tmp_path: Path) -> None:
    """The second time nothing is started, and no object differs; other files are another state."""
    first = after(tmp_path / "a", *TEXTS)
    (file,) = cache.iterdir()
    was = file.stat().st_ino
    again = after(tmp_path / "b", *TEXTS)
    assert difference.equal(first, again)
    assert (first.objects, first.needs) == (again.objects, again.needs)
    assert [path.stat().st_ino for path in cache.iterdir()] == [was]
    assert not difference.equal(first, after(tmp_path / "c", *TEXTS, "CREATE TABLE more();"))
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("harm", ["cut", "other", "open"])
def test_what_cannot_be_trusted_is_made_anew(cache: Path, tmp_path: Path, harm: str) -> None:
    """A file that is cut off, holds something else, or could have been written by others."""
    first = after(tmp_path / "a", *TEXTS)
    (file,) = cache.iterdir()
    was = file.stat().st_ino
    if harm == "open":
        file.chmod(0o666)
    else:
        file.write_bytes(file.read_bytes()[:100] if harm == "cut" else b"\x80\x05cnowhere\nnothing\n.")
    assert difference.equal(first, after(tmp_path / "b", *TEXTS))
    assert [path.stat().st_ino for path in cache.iterdir()] != [was]
