"""A sync as the command line tells it, and what is at a revision then."""

import json
from itertools import pairwise
from typing import Any

import pytest
from conftest import GitRepo
from hypothesis import HealthCheck, Phase, settings

from bot.cli import main
from tests.checks.sync_samples import CONFIG


def few(examples: int) -> settings:
    """Histories at random, each of which asks Node.js many times: the same few in every run, and none is made smaller."""
    return settings(
        max_examples=examples, deadline=None, phases=[Phase.generate], derandomize=True, database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip


class Synced:
    """A sync, as JSON."""

    def __init__(self, repo: GitRepo, capsys: pytest.CaptureFixture[str], *more: str) -> None:
        self.code = main(["sync", "--repo", str(repo.path), "--base", "main", "--format", "json", *more])
        out, self.err = capsys.readouterr()
        self.told: dict[str, Any] = json.loads(out) if out else {}

    @property
    def status(self) -> str:
        """`synced`, `nothing-to-do` or `refused`."""
        return self.told["status"]


def journal(repo: GitRepo, revision: str = "HEAD", folder: str = "drizzle") -> list[dict[str, Any]]:
    """The entries of the journal at a revision."""
    return json.loads(repo.git("show", f"{revision}:{folder}/meta/_journal.json"))["entries"]


def snapshot(repo: GitRepo, number: str, revision: str = "HEAD") -> dict[str, Any]:
    """A snapshot at a revision."""
    return json.loads(repo.git("show", f"{revision}:drizzle/meta/{number}_snapshot.json"))


def offline(repo: GitRepo, capsys: pytest.CaptureFixture[str], *more: str) -> Synced:
    """A sync without the proof."""
    return Synced(repo, capsys, "--offline", *more)


def tags(repo: GitRepo, revision: str = "HEAD", folder: str = "drizzle") -> list[str]:
    """What the journal lists, in order; its numbers and times must be in order, too."""
    entries = journal(repo, revision, folder)
    assert [e["idx"] for e in entries] == list(range(len(entries)))
    assert all(a["when"] < b["when"] for a, b in pairwise(entries))
    return [e["tag"] for e in entries]


# --- v1 ---


def folder(name: str, own: str, parents: list[str], table: str, *columns: str) -> dict[str, str]:
    """A v1 migration that creates a table, or (without `id`) adds columns to it."""
    born = "id" in columns
    rows = [{"schema": "public", "name": table, "isRlsEnabled": False, "entityType": "tables"}] if born else []
    rows += [
        {"schema": "public", "table": table, "name": c, "type": "text", "typeSchema": None, "notNull": False, "dimensions": 0,
         "default": None, "generated": None, "identity": None, "entityType": "columns"}
        for c in columns
    ]  # fmt: skip
    listed = ", ".join(f'"{c}" text' for c in columns)
    sql = f'CREATE TABLE "{table}" ({listed});' if born else f'ALTER TABLE "{table}" ADD COLUMN {listed};'
    head = {"version": "9", "dialect": "postgres", "id": own, "prevIds": parents, "footprints": []}
    first = parents == ["00000000-0000-0000-0000-000000000000"]
    data = (
        {"type": "base", **head, "ddl": rows}
        if first
        else {"type": "diff", **head, "deltas": [{"op": "create", "row": r} for r in rows]}
    )
    return {f"drizzle/{name}/migration.sql": sql, f"drizzle/{name}/snapshot.json": json.dumps(data, indent=2)}


START = {
    "drizzle.config.ts": CONFIG,
    **folder("20260101000000_start", "s", ["00000000-0000-0000-0000-000000000000"], "users", "id"),
}
