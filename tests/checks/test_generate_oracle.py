"""The migrations that we write are those that the real drizzle-kit writes: the same statements, after which it sees no change."""

import json
from pathlib import Path

import pytest

from checks.drizzle import chain, generate
from checks.drizzle.model import Project
from checks.schema.read import read
from checks.tree import Tree
from tests import node_oracle
from tests.checks.generate_samples import PAIRS
from tests.checks.schema_samples import HEAD, bodies

pytestmark = pytest.mark.node

NOW = 1_700_000_000_000
PROJECT = Project(root="", format="v0", migrations_dir="drizzle", schema_files=("schema.ts",))
SCRIPT = r"""
import { createRequire } from "node:module";
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import path from "node:path";
const pairs = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(import.meta.url);
const esbuild = require("esbuild");
const kit = require("drizzle-kit/api");
const answers = [];
const log = console.log;
process.exit = (code) => { throw new Error("exit " + code); };
console.log = console.error = console.info = () => {};
let count = 0;
function load(source) {
  const target = path.resolve("case" + count++ + ".js");
  writeFileSync(target, esbuild.transformSync(source, { loader: "ts", format: "cjs", target: "node20" }).code);
  return kit.generateDrizzleJson(require(target));
}
for (const [before, after] of pairs) {
  try { answers.push(await kit.generateMigration(load(before), load(after))); }
  catch (failure) { answers.push(String(failure && failure.stack || failure)); }
}
console.log = log;
console.log(JSON.stringify(answers));
"""


def schema(source):
    """What we read in a schema file."""
    return read(Tree.of({"schema.ts": HEAD + source}), ["schema.ts"], format="v0")


def after(files):
    """The chain that these files are."""
    return chain.read(Tree.of(files), PROJECT)


def first(source):
    """The files of a chain whose one migration makes a schema."""
    made = generate.migration(after({}), schema(source), name="start", when=NOW)
    return made.files or {"drizzle/meta/_journal.json": '{"version": "7", "dialect": "postgresql", "entries": []}'}


def second(source_before, source_after, **answers):
    """The migration from one schema to another, and all files with it."""
    files = first(source_before)
    made = generate.migration(
        after(files),
        schema(source_after),
        name="next",
        when=NOW + 1,
        journal=files["drizzle/meta/_journal.json"],
        **answers,
    )
    return made, files | made.files


def drops(source_before, source_after):
    """Every column that is gone, by name."""
    old, new = schema(source_before), schema(source_after)
    return [
        f"{t.key.removeprefix('public.')}.{c.name}"
        for t in old
        if (other := new.table(t.key))
        for c in t.columns
        if c.name not in {each.name for each in other.columns}
    ]


def test_every_statement_is_drizzle_kits(tmp_path):
    """Seventy changes, and every sample schema from nothing: the same statements in the same order."""
    oracle = node_oracle.require("v0")
    whole = {name: ("", body) for name, body in bodies("v0")}
    pairs = PAIRS | {name: pair for name, pair in whole.items() if not schema(pair[1]).unresolved}
    question = [[HEAD + a, HEAD + b] for a, b in pairs.values()]
    answers = json.loads(oracle.script(SCRIPT, tmp_path, stdin=json.dumps(question)).stdout.strip().splitlines()[-1])
    wrong = []
    for (name, (a, b)), theirs in zip(pairs.items(), answers, strict=True):
        if isinstance(theirs, str):
            if "BigInt" not in theirs:
                wrong.append((name, theirs))
            continue
        ours, _ = second(a, b, drops=drops(a, b))
        if list(ours.statements) != theirs:
            wrong.append((name, list(ours.statements), theirs))
    assert wrong == []
