"""Drizzle histories whose snapshots are complete, so that PostgreSQL can be asked whether they say what the SQL makes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from checks.drizzle.model import ROOT
from tests.checks.drizzle_samples import entry

CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" };\n'
PARTS = (
    "indexes",
    "foreignKeys",
    "compositePrimaryKeys",
    "uniqueConstraints",
    "policies",
    "checkConstraints",
)
Files = dict[str, str | bytes | None]


def column(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    """A column of a version 7 snapshot."""
    return {"name": name, "type": kind, "primaryKey": False, "notNull": False, **more}


class History:
    """A v0 history whose SQL and snapshots agree; `files` is what the repository holds."""

    def __init__(
        self, files: Mapping[str, str | bytes] | None = None, *, folder: str = "drizzle", style: str = "index"
    ):
        self.folder = folder
        self.style = style
        self.files: dict[str, str | bytes] = dict(files or {"drizzle.config.ts": CONFIG, "schema.ts": ""})
        self.indent: int | str = 2

    def fork(self) -> "History":
        """A branch."""
        made = History(self.files, folder=self.folder, style=self.style)
        made.indent = self.indent
        return made

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What the journal lists."""
        text = self.files.get(f"{self.folder}/meta/_journal.json")
        return [] if text is None else json.loads(text)["entries"]

    @property
    def last(self) -> dict[str, Any] | None:
        """The last snapshot."""
        meta = f"{self.folder}/meta/"
        names = sorted(p for p in self.files if p.startswith(meta) and p.endswith("_snapshot.json"))
        return json.loads(self.files[names[-1]]) if names else None

    def add(self, name: str, sql: str, change=lambda data: None, *, when: int | None = None, snapshot: bool = True):
        """A migration; `change` does to the snapshot what the SQL does."""
        entries = self.entries
        idx = entries[-1]["idx"] + 1 if entries else 0
        when = when or 1_760_000_000_000 + idx * 60_000
        prefix = {"index": f"{idx:04}", "unix": str(when // 1000)}.get(self.style) or _time(when)
        tag = f"{prefix}_{name}"
        before = self.last
        empty = {k: {} for k in ("tables", "enums", "schemas", "sequences", "roles", "policies", "views")}
        data: dict[str, Any] = {
            "id": str(uuid5(NAMESPACE_URL, f"{name} {when}")),
            "prevId": before["id"] if before else ROOT,
            "version": "7",
            "dialect": "postgresql",
            **({k: before[k] for k in empty} if before else empty),
            "_meta": {"columns": {}, "schemas": {}, "tables": {}},
        }
        data = json.loads(json.dumps(data))
        change(data)
        self.files[f"{self.folder}/{tag}.sql"] = sql
        if snapshot:
            self.files[f"{self.folder}/meta/{prefix}_snapshot.json"] = json.dumps(data, indent=2)
        self.files[f"{self.folder}/meta/_journal.json"] = json.dumps(
            {"version": "7", "dialect": "postgresql", "entries": [*entries, entry(idx, tag, when)]}, indent=self.indent
        )
        return self

    def table(self, name: str, *columns: str, **more: Any) -> "History":
        """A migration that creates a table of text columns."""
        listed = ("id", *columns)
        sql = f'CREATE TABLE "{name}" (\n\t' + ",\n\t".join(f'"{c}" text' for c in listed) + "\n);\n"

        def change(data: dict[str, Any]) -> None:
            data["tables"][f"public.{name}"] = {
                "name": name,
                "schema": "",
                "columns": {c: column(c) for c in listed},
                **{part: {} for part in PARTS},
                "isRLSEnabled": False,
            }

        return self.add(more.pop("tag", name), sql, change, **more)

    def column(self, table: str, name: str, kind: str = "text", **more: Any) -> "History":
        """A migration that adds a column."""

        def change(data: dict[str, Any]) -> None:
            data["tables"][f"public.{table}"]["columns"][name] = column(name, kind)

        return self.add(
            more.pop("tag", f"{table}_{name}"), f'ALTER TABLE "{table}" ADD COLUMN "{name}" {kind};', change, **more
        )

    def put(self, path: str, text: str | bytes) -> "History":
        """Write a file of the repository."""
        self.files[path] = text
        return self


def _time(when: int) -> str:
    return datetime.fromtimestamp(when / 1000, UTC).strftime("%Y%m%d%H%M%S")


def shop() -> History:
    """Two tables."""
    return History().table("users").table("orders")


def commit(repo, before: Mapping[str, str | bytes], after: Mapping[str, str | bytes], message: str = "a step") -> str:
    """Commit a history's next state."""
    gone: Files = dict.fromkeys(p for p in before if p not in after)
    return repo.commit({**gone, **after}, message)


def two_sides(repo, fork: History, base: History, head: History):
    """Main at `base`, and a branch `head`, both from `fork`; `head` is checked out."""
    repo.git("config", "user.name", "Ada")
    repo.git("config", "user.email", "ada@example.com")
    commit(repo, {}, fork.files)
    repo.branch("head")
    commit(repo, fork.files, head.files)
    repo.checkout("main")
    commit(repo, fork.files, base.files)
    repo.checkout("head")
    return repo
