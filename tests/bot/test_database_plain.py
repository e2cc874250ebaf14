"""Options that are read the short way are read as the command-line library reads them."""

import contextlib
import functools
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.branches.embedded import EmbeddedBranch
from bot.database import commands, plain
from tests.bot.database_samples import project, url

NAMES = {
    "status": commands.status,
    "migrate": commands.migrate,
    "sync": commands.sync,
    "verify": commands.verify,
    "reset-dev": commands.reset_dev,
}
WORDS = st.sampled_from(
    [
        "--url", "postgresql://x", "--url=postgresql://y", "--repo", "a/b", "--repo=c", "--rev", "HEAD", "--config", "x.ts", "--format", "json",
        "--format=text", "yaml", "--dry-run", "--sync-only", "--force", "--reason", "because", "--reason=", "--check", "--no-check",
        "--lock-timeout", "0.5", "--lock-timeout=0.01", "nan", "-1", "--tries", "3", "--tries=0", "--wait", "0", "--help", "--", "extra", "--no-drift",
        "--drift", "--offline", "--yes", "--name", "shop", "--yes=true", "--unknown", "-h", "", "--dry", "1e3", " 5 ", "1_0",
    ]
)  # fmt: skip


def caught(command: Callable[..., int], name: str) -> tuple[Callable[..., int], list[dict[str, Any]]]:
    """A command with the same options that only says what it was given, defaults included."""
    said: list[dict[str, Any]] = []

    @functools.wraps(command)
    def catch(*arguments: Any, **options: Any) -> int:
        bound = inspect.signature(command).bind(*arguments, **options)
        bound.apply_defaults()
        said.append(dict(bound.arguments))
        return 7

    catch.__name__ = name
    return catch, said


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(NAMES)), st.lists(WORDS, max_size=5))
def test_both_ways_give_the_same(name: str, words: list[str]) -> None:
    """What is taken the short way the library takes too, to the same values; the rest is its own."""
    catch, said = caught(NAMES[name], name.replace("-", "_"))
    code = plain.run({name: catch}, [name, *words])
    if code is None:
        assert said == []
        return
    short = said.pop()
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(name)(catch)
    app.command("other")(lambda: None)
    with contextlib.suppress(SystemExit):
        assert app([name, *words], standalone_mode=False) == 7, words
    assert said == [short]


@pytest.mark.parametrize(
    "words",
    [
        ["migrate", "--dry-run", "--repo", "x"],
        ["status", "--url=u", "--no-drift"],
        ["reset-dev", "--yes", "--name", "n", "--format", "json"],
    ],
)
def test_what_people_write_takes_the_short_way(words: list[str]) -> None:
    """Flags, values after a space and after a sign."""
    catch, said = caught(NAMES[words[0]], words[0])
    assert (plain.run({words[0]: catch}, words), len(said)) == (7, 1)


def test_what_it_does_not_know_is_left_to_the_library() -> None:
    """Nothing is run."""
    for words in (
        [],
        ["generate"],
        ["migrate", "--help"],
        ["migrate", "x"],
        ["migrate", "--wait"],
        ["migrate", "--tries", "0"],
    ):
        assert commands.plainly(words) is None


def test_the_short_way_out_loses_nothing(branch: EmbeddedBranch, tmp_path: Path) -> None:
    """Exit code and a long output arrive whole, through a pipe and in a file."""
    texts = [f"CREATE TABLE t{n}();" for n in range(400)]
    arguments = [
        "db",
        "migrate",
        "--url",
        url(branch),
        "--repo",
        str(project(tmp_path / "repo", texts)),
        "--dry-run",
        "--format",
        "json",
    ]
    command = [sys.executable, "-c", "import sys; from bot.cli import main; sys.exit(main())", *arguments]
    piped = subprocess.run(command, capture_output=True, check=False)
    with (tmp_path / "out").open("wb") as out:
        filed = subprocess.run(command, stdout=out, check=False)
    assert (piped.returncode, filed.returncode, piped.stderr) == (1, 1, b"")
    assert piped.stdout == (tmp_path / "out").read_bytes()
    assert len(json.loads(piped.stdout)["pending"]) == 400
