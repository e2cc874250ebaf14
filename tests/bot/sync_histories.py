"""Histories of Drizzle projects in which the real drizzle-kit makes every snapshot and every statement, asked in one process."""

import contextlib
import copy
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from conftest import GitRepo

from checks.drizzle import entities, merge_rows
from checks.drizzle.model import ROOT
from tests import node_oracle

State = dict[str, Any]
Change = Callable[[State], None]
Files = dict[str, str]
HOUR = 3_600_000
_ASK = """
const kit = require(MODULE), pg = require("drizzle-orm/pg-core"), { sql } = require("drizzle-orm");
(async () => {
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    const q = JSON.parse(line), log = console.log;
    let said;
    console.log = () => {};
    try {
      if (q.op === "schema") said = await kit.generateDrizzleJson(new Function("pg", "sql", q.code)(pg, sql), q.before);
      else if (q.op === "whole") said = await kit.reconstruct(q.files);
      else said = await kit.generateMigration(q.before, q.after);
    } catch (error) { said = { error: String(error) }; }
    console.log = log;
    process.stdout.write("\\x01" + JSON.stringify(said) + "\\n");
  }
})();
"""


class Kit:
    """drizzle-kit, in a process that stays."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **question: Any) -> Any:
        """One answer of its API."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        said = next(line for line in self._process.stdout if line.startswith("\x01"))
        answer = json.loads(said[1:])
        if isinstance(answer, dict) and "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def schema(self, state: State, before: str = ROOT) -> dict[str, Any]:
        """The snapshot of a schema."""
        return self.ask(op="schema", code=code(state), before=before)

    def sql(self, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        """The statements between two snapshots."""
        return self.ask(op="sql", before=before, after=after)


@contextlib.contextmanager
def kit(version: node_oracle.Version, folder: Path) -> Iterator[Kit]:
    """The kit of a generation; the test is skipped where it cannot be had."""
    node_oracle.require(version).prepare(folder)
    module = "drizzle-kit/api" if version == "v0" else "drizzle-kit/api-postgres"
    (folder / "ask.cjs").write_text(_ASK.replace("MODULE", json.dumps(module)))
    pipe = subprocess.PIPE
    with subprocess.Popen(["node", "ask.cjs"], cwd=folder, stdin=pipe, stdout=pipe, text=True) as process:
        yield Kit(process)
        assert process.stdin
        process.stdin.close()


def code(state: State) -> str:
    """A schema file."""
    lines = ["const E = {};"]
    lines += [f"E.s_{name} = pg.pgSchema('{name}');" for name in state.get("schemas", ())]
    lines += [
        f"E.e_{name} = pg.pgEnum('{name}', {json.dumps(values)});" for name, values in state.get("enums", {}).items()
    ]
    for name, table in state.get("tables", {}).items():
        columns = ", ".join(f"{json.dumps(column)}: {text}" for column, text in table["columns"].items())
        extras = ", ".join(table["extras"].values())
        call = f"E.s_{table['schema']}.table" if "schema" in table else "pg.pgTable"
        lines.append(f"E.t_{name} = {call}('{name}', {{{columns}}}, (t) => [{extras}]);")
    lines += [f"E.x_{name} = {text};" for name, text in state.get("others", {}).items()]
    return "\n".join([*lines, "return E;"])


# --- what people do to a schema ---


def table(name: str, columns: dict[str, str] | None = None, **more: str) -> Change:
    """Create a table."""
    made = {"columns": {"id": "pg.serial().primaryKey()", **(columns or {})}, "extras": {}, **more}
    return lambda state: state["tables"].update({name: copy.deepcopy(made)})


def column(table_: str, name: str, text: str = "pg.text()") -> Change:
    """Add or change a column."""
    return lambda state: state["tables"][table_]["columns"].update({name: text})


def extra(table_: str, name: str, text: str) -> Change:
    """Add an index, a constraint or a policy."""
    return lambda state: state["tables"][table_]["extras"].update({name: text})


def other(name: str, text: str) -> Change:
    """Add a view, a role, a sequence."""
    return lambda state: state.setdefault("others", {}).update({name: text})


def enum(name: str, *values: str) -> Change:
    """Create an enum, or give it other values."""
    return lambda state: state.setdefault("enums", {}).update({name: list(values)})


def schema(name: str) -> Change:
    """Create a schema."""
    return lambda state: state.setdefault("schemas", []).append(name)


def without(table_: str, name: str | None = None) -> Change:
    """Drop a table, or a column of it."""
    return lambda state: (state["tables"] if name is None else state["tables"][table_]["columns"]).pop(name or table_)


def both(*changes: Change) -> Change:
    """Several at once."""

    def all_(state: State) -> None:
        for change in changes:
            change(state)

    return all_


START = both(
    enum("role", "user", "admin"),
    table("users", {"email": "pg.text().notNull()", "age": "pg.integer()", "role": "E.e_role()"}),
    table("orders", {"user": "pg.integer().references(() => E.t_users.id)", "total": "pg.numeric()"}),
)


class Side:
    """A branch of a v0 project."""

    def __init__(self, kit_: Kit, files: Files | None = None, state: State | None = None) -> None:
        self.kit, self.files = kit_, dict(files or {})
        self.state: State = copy.deepcopy(state or {"tables": {}})
        self.clock, self.prefix, self.end = 1_760_000_000_000, "index", "--> statement-breakpoint\n"

    def fork(self, later: int = 0) -> Self:
        """A branch of it, whose clock goes on from there."""
        made = copy.copy(self)
        made.files, made.state, made.clock = dict(self.files), copy.deepcopy(self.state), self.clock + later
        return made

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The journal's."""
        return json.loads(self.files.get("drizzle/meta/_journal.json", '{"entries": []}'))["entries"]

    def journal(self, entries: Sequence[dict[str, Any]]) -> Self:
        """Write the journal."""
        told = {"version": "7", "dialect": "postgresql", "entries": list(entries)}
        self.files["drizzle/meta/_journal.json"] = json.dumps(told, indent=2)
        return self

    @property
    def last(self) -> dict[str, Any] | None:
        """The snapshot that the kit compares with."""
        names = sorted(p for p in self.files if p.startswith("drizzle/meta/") and "/_" not in p)
        return json.loads(self.files[names[-1]]) if names else None

    def generate(
        self, name: str, change: Change = lambda _: None, *, sql: str | None = None, snapshot: bool = True,
        when: int | None = None, renames: dict[str, dict[str, str]] | None = None, custom: bool = False,
    ) -> Self:  # fmt: skip
        """`drizzle-kit generate`; `sql` is what somebody wrote instead."""
        change(self.state)
        before = self.last
        self.clock = when or self.clock + HOUR
        idx = self.entries[-1]["idx"] + 1 if self.entries else 0
        moment = datetime.fromtimestamp(self.clock / 1000, UTC)
        prefix = {"index": f"{idx:04}", "unix": str(self.clock // 1000)}.get(self.prefix, f"{moment:%Y%m%d%H%M%S}")
        if custom and before is not None:
            made = {**before, "id": str(uuid4()), "prevId": before["id"]}
        else:
            made = self.kit.schema(self.state, before["id"] if before else ROOT)
            made["_meta"] |= renames or {}
        if sql is None:
            sql = self.end.join(self.kit.sql(before or _EMPTY, made))
        self.files[f"drizzle/{prefix}_{name}.sql"] = sql
        if snapshot:
            self.files[f"drizzle/meta/{prefix}_snapshot.json"] = json.dumps(made, indent=2)
        entry = {"idx": idx, "version": "7", "when": self.clock, "tag": f"{prefix}_{name}", "breakpoints": True}
        return self.journal([*self.entries, entry])


_EMPTY = {
    "id": ROOT, "prevId": "", "version": "7", "dialect": "postgresql",
    **{kind: {} for kind in ("tables", "enums", "schemas", "sequences", "roles", "policies", "views")},
    "_meta": {"tables": {}, "columns": {}, "schemas": {}},
}  # fmt: skip


class Folders(Side):
    """A branch of a v1 project; `version` 8 keeps the whole schema in each snapshot."""

    version = "9"
    second = 20260101000000
    now: dict[str, Any] | None = None

    def generate(self, name: str, change: Change = lambda _: None, **more: Any) -> Self:
        """`drizzle-kit generate`: `sql` is what somebody wrote instead, `deltas` what the kit asked about."""
        change(self.state)
        self.second += 100 + self.clock % 100
        before, made = self.now, self.kit.schema(self.state, self.now["id"] if self.now else ROOT)
        sql = more.get("sql") or self.end.join(self.kit.sql(before or {**made, "id": ROOT, "ddl": []}, made))
        head = {"version": self.version, "dialect": "postgres", "id": made["id"], "prevIds": made["prevIds"]}
        if self.version == "8":
            data = {**head, "ddl": made["ddl"], "renames": []}
        elif before is None:
            data = {"type": "base", **head, "footprints": [], "ddl": made["ddl"]}
        else:
            sides = ({entities.key_of({"op": "create", "row": r}): r for r in d["ddl"]} for d in (before, made))
            deltas = more.get("deltas") or list(merge_rows.between(*sides, mentions=lambda _: True))
            data = {"type": "diff", **head, "footprints": [], "deltas": deltas}
        self.files[f"drizzle/{self.second}_{name}/migration.sql"] = sql
        self.files[f"drizzle/{self.second}_{name}/snapshot.json"] = json.dumps(data, indent=2)
        self.now = made
        return self


# --- repositories ---


def commit(repo: GitRepo, files: Files) -> None:
    """Commit these files, and no others."""
    there = repo.git("ls-files").split("\n")
    repo.commit({**dict.fromkeys(path for path in there if path and path not in files), **files})


def built(repo: GitRepo, fork: Side, base: Sequence[Side], head: Sequence[Side], by_hand: Files | None = None) -> None:
    """Main and head, each a commit a side; with `by_hand`, head merged main's first commit to these files."""
    commit(repo, {"package.json": "{}", **fork.files})
    repo.branch("head")
    for each in head:
        commit(repo, {"package.json": "{}", **each.files})
    repo.checkout("main")
    for each in base:
        commit(repo, {"package.json": "{}", **each.files})
    repo.checkout("head")
    if by_hand is not None:
        first = repo.git("rev-list", "--reverse", "main", "^head").split()[0]
        repo.git("merge", "--no-commit", "-s", "ours", first)
        commit(repo, {"package.json": "{}", **by_hand})


def merged(fork: Any, base: Any, head: Any) -> Any:
    """What git makes of the schema file: keys merge, lists of values join."""
    if all(isinstance(side, dict) or side is None for side in (fork, base, head)) and None not in (base, head):
        keys = dict.fromkeys([*base, *head])
        found = {key: merged((fork or {}).get(key), base.get(key), head.get(key)) for key in keys}
        return {key: value for key, value in found.items() if value is not None}
    if isinstance(base, list) and isinstance(head, list) and base != fork != head:
        return list(dict.fromkeys([*base, *head]))
    return head if base == fork else base


def faults(repo: GitRepo) -> list[str]:
    """What is wrong with a synced v0 folder, whatever its history."""
    entries = json.loads(repo.git("show", "HEAD:drizzle/meta/_journal.json"))["entries"]
    known = json.loads(repo.git("show", "main:drizzle/meta/_journal.json"))["entries"]
    names = repo.git("ls-tree", "-r", "--name-only", "HEAD", "drizzle/").split("\n")
    found = [] if entries[: len(known)] == known else ["base's entries are not as they were"]
    latest = max((entry["when"] for entry in known), default=0)
    for entry in entries[len(known) :]:
        found += [] if entry["when"] > latest else [f"{entry['tag']} would be skipped"]
        latest = max(latest, entry["when"])
    own = entries[max(len(known) - 1, 0) :]
    found += [f"{b['tag']}: idx {b['idx']}" for a, b in pairwise(own) if b["idx"] != a["idx"] + 1]
    found += [f"{entry['tag']} has no file" for entry in entries if f"drizzle/{entry['tag']}.sql" not in names]
    touched = repo.git("diff", "--name-status", "main", "HEAD", "--", "drizzle/").split("\n")
    found += [line for line in touched if line and not line.startswith("A") and not line.endswith("_journal.json")]
    texts = [repo.git("show", f"HEAD:{name}") for name in names]
    found += ["conflict markers are left"] if any("<<<<<<<" in text for text in texts) else []
    parents = [json.loads(t)["prevId"] for n, t in zip(names, texts, strict=True) if n.endswith("_snapshot.json")]
    return found + (["the chain of snapshots forks"] if len(set(parents)) != len(parents) else [])
