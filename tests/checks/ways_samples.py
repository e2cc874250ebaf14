"""Small repositories, and what a pull request to them shows."""

from collections.abc import Mapping, Sequence

from checks import policy, ways
from checks.change import Change, Changed, Commit
from checks.drizzle.model import Project
from checks.facts import Fact
from checks.tree import Tree

POLICY_PATH = ".github/migration-policy.yml"
MODULE = "lib/database/connection-standard.ts"
POLICY = """\
version: 1
connection: {module: lib/database/connection-standard.ts, driver: "@neondatabase/serverless", forbidden: [drizzle-orm/node-postgres]}
"""
PROJECT = Project(root="", format="v0", migrations_dir="lib/database/migrations", config="drizzle.config.ts")
STANDARD = 'import { neon } from "@neondatabase/serverless";\nexport const sql = neon(process.env.DATABASE_URL!);\n'
PACKAGE = '{\n  "name": "shop",\n  "scripts": {\n    "build": "next build",\n    "db:migrate": "bulletproof db migrate"\n  }\n}\n'
CONFIG = 'import { defineConfig } from "drizzle-kit";\nexport default defineConfig({ dialect: "postgresql", schema: "./lib/database/schema.ts", out: "./lib/database/migrations" });\n'
TREE = {
    POLICY_PATH: POLICY,
    MODULE: STANDARD,
    "package.json": PACKAGE,
    "drizzle.config.ts": CONFIG,
    "lib/database/schema.ts": "export {};\n",
}

Files = Mapping[str, str | bytes]


def change(base: Files, head: Files, *, renamed: Mapping[str, str] | None = None) -> Change:
    """A change between two trees held in memory; `renamed`: new path → old path."""
    old_of = renamed or {}
    files: list[Changed] = []
    for path in sorted(base.keys() | head.keys()):
        if path in old_of:
            files.append(Changed(path, "renamed", old_of[path]))
        elif path not in base:
            files.append(Changed(path, "added"))
        elif path not in head:
            if path not in old_of.values():
                files.append(Changed(path, "deleted"))
        elif base[path] != head[path]:
            files.append(Changed(path, "modified"))
    commit = Commit("b" * 40, Tree.of(base))
    return Change(commit, Commit("c" * 40, Tree.of(head)), commit, tuple(files))


def read(
    extra: Files, base: Files = TREE, *, projects: Sequence[Project] = (PROJECT,), without: Sequence[str] = ()
) -> ways.Reading:
    """What a pull request that puts `extra` on `base` shows."""
    head = {path: text for path, text in {**base, **extra}.items() if path not in without}
    made = change(base, head)
    return ways.read(made, policy.read(made.base.tree), projects)


def seen(
    extra: Files, base: Files = TREE, *, projects: Sequence[Project] = (PROJECT,), without: Sequence[str] = ()
) -> list[tuple[str, str, int]]:
    """The kinds of facts with their places; what was only inferred has a `?`."""
    return [kind(fact) for fact in read(extra, base, projects=projects, without=without).facts]


def kind(fact: Fact) -> tuple[str, str, int]:
    """A fact's kind, path and line."""
    mark = "?" if getattr(fact, "inferred", False) else ""
    return (type(fact).__name__ + mark, fact.place.path, fact.place.line)


def package(**scripts: str) -> str:
    """A package.json with these scripts, one a line from line 3 on; `__` is a colon."""
    lines = ",\n".join(f'    "{name.replace("__", ":")}": {_quoted(text)}' for name, text in scripts.items())
    return f'{{\n  "scripts": {{\n{lines}\n  }}\n}}\n'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
