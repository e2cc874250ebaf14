"""Small Drizzle histories as mappings from path to text, and changes made of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from checks.change import Change, Changed, Commit
from checks.drizzle import chain, plan, projects
from checks.drizzle.model import Chain
from checks.drizzle.snapshots import ROOT
from checks.tree import Tree

Files = Mapping[str, str | bytes]
CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" };'


def entry(idx: int, tag: str, when: int | None = None) -> dict[str, Any]:
    """A journal entry; `when` is a second apart where it is not given."""
    return {"idx": idx, "version": "7", "when": when or 1_760_000_000_000 + idx * 1000, "tag": tag, "breakpoints": True}


def journal(entries: Sequence[Mapping[str, Any]]) -> str:
    """A journal as drizzle-kit writes it."""
    return json.dumps({"version": "7", "dialect": "postgresql", "entries": list(entries)}, indent=2)


def snapshot(own: str, parent: str, tables: Mapping[str, Sequence[str]], version: str = "7") -> str:
    """A v0 snapshot with these tables and columns."""
    written = {
        f"public.{name}": {"name": name, "schema": "", "columns": {c: {"name": c, "type": "text"} for c in columns}}
        for name, columns in tables.items()
    }
    return json.dumps(
        {"id": own, "prevId": parent, "version": version, "dialect": "postgresql", "tables": written}, indent=2
    )


class Story:
    """A v0 history that grows by one migration at a time; `files` is what the repository holds."""

    def __init__(self, files: Files | None = None, *, folder: str = "drizzle") -> None:
        self.folder = folder
        self.files: dict[str, str | bytes] = dict(files or {"drizzle.config.ts": CONFIG, "schema.ts": ""})

    def fork(self) -> "Story":
        """A branch."""
        return Story(self.files, folder=self.folder)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What the journal lists."""
        text = self.files.get(f"{self.folder}/meta/_journal.json")
        return [] if text is None else json.loads(text)["entries"]

    def add(
        self,
        name: str,
        sql: str | None = None,
        *,
        when: int | None = None,
        idx: int | None = None,
        own: str | None = None,
    ) -> "Story":
        """Generate a migration that creates a table of this name, with its snapshot."""
        entries = self.entries
        number = len(entries) if idx is None else idx
        tag = f"{number:04}_{name}"
        parent, tables = ROOT, {}
        if entries:
            last = json.loads(self.files[f"{self.folder}/meta/{entries[-1]['tag'].split('_')[0]}_snapshot.json"])
            parent, tables = last["id"], {t["name"]: list(t["columns"]) for t in last["tables"].values()}
        if sql is None:
            tables[name] = ["id"]
        self.files[f"{self.folder}/{tag}.sql"] = sql or f'CREATE TABLE "{name}" ("id" text);'
        self.files[f"{self.folder}/meta/{number:04}_snapshot.json"] = snapshot(own or f"id-{name}", parent, tables)
        self.list([*entries, entry(number, tag, when)])
        return self

    def list(self, entries: Sequence[Mapping[str, Any]]) -> "Story":
        """Write the journal."""
        self.files[f"{self.folder}/meta/_journal.json"] = journal(entries)
        return self

    def put(self, name: str, text: str | bytes) -> "Story":
        """Write a file of the migrations folder."""
        self.files[f"{self.folder}/{name}"] = text
        return self

    def drop(self, *names: str) -> "Story":
        """Remove files of the migrations folder."""
        for name in names:
            del self.files[f"{self.folder}/{name}"]
        return self

    def chain(self) -> Chain:
        """The chain as it is read."""
        tree = Tree.of(self.files)
        return chain.read(tree, projects.find(tree)[0])


def folder_v1(
    name: str, own: str, parents: Sequence[str], *, kind: str = "diff", sql: str = "select 1"
) -> dict[str, str]:
    """A v1 migration folder in `drizzle/`."""
    content = {
        "type": kind,
        "version": "9",
        "dialect": "postgres",
        "id": own,
        "prevIds": list(parents),
        "footprints": [],
    }
    content["ddl" if kind == "base" else "deltas"] = []
    return {f"drizzle/{name}/migration.sql": sql, f"drizzle/{name}/snapshot.json": json.dumps(content, indent=2)}


def change(merge_base: Files, head: Files, base: Files | None = None) -> Change:
    """A change; base is where head left it when it is not given."""
    start = Commit("merge-base", Tree.of(merge_base))
    tip = start if base is None else Commit("base", Tree.of(base))
    files = _changed(merge_base, head)
    return Change(tip, Commit("head", Tree.of(head)), start, files, () if base is None else _changed(merge_base, base))


def planned(merge_base: Files, head: Files, base: Files | None = None) -> plan.Plan:
    """The plan of the only project of a change."""
    made = change(merge_base, head, base)
    return plan.make(made, plan.concerned(made)[0])


def _changed(before: Files, after: Files) -> tuple[Changed, ...]:
    return tuple(
        Changed(path, "added" if path not in before else "deleted" if path not in after else "modified")
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    )
