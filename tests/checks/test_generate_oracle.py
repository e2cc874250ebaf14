"""The migrations that we write are those that the real drizzle-kit writes: the same statements, after which it sees no change."""

import json
import re

import pytest

from checks.drizzle import chain, generate
from checks.drizzle.model import Project
from checks.schema.read import read
from checks.tree import Tree
from tests import node_oracle
from tests.checks.generate_samples import PAIRS, random_pair
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
    """Seventy changes, two hundred that dice made, and sample schemas from nothing: the same statements in the same order."""
    oracle = node_oracle.require("v0")
    whole = {name: ("", body) for name, body in list(bodies("v0"))[::6]}
    drawn = {f"drawn {seed}": random_pair(seed) for seed in range(200)}
    pairs = PAIRS | drawn | {name: pair for name, pair in whole.items() if not schema(pair[1]).unresolved}
    question = [[HEAD + a, HEAD + b] for a, b in pairs.values()]
    answers = json.loads(oracle.script(SCRIPT, tmp_path, stdin=json.dumps(question)).stdout.strip().splitlines()[-1])
    wrong = []
    for (name, (a, b)), theirs in zip(pairs.items(), answers, strict=True):
        if isinstance(theirs, str):
            if "BigInt" not in theirs:
                wrong.append((name, theirs))
            continue
        ours, _ = second(a, b, drops=drops(a, b))
        assert not ours.questions, name
        if list(ours.statements) != theirs:
            wrong.append((name, list(ours.statements), theirs))
    assert wrong == []


CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" };'


def _written(folder):
    """The files of the migrations folder, without what is random or the time of day."""
    found = {}
    ids = {}
    for path in sorted((folder / "drizzle").rglob("*.*")):
        text = path.read_text(encoding="utf-8")
        for known in re.findall(r'"id": "([^"]+)"', text):
            ids[known] = f"id {len(ids)}"
        for known, plain in ids.items():
            text = text.replace(known, plain)
        found[str(path.relative_to(folder))] = re.sub(r'"when": \d+', '"when": 0', text)
    return found


def _put(folder, files):
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["many at once", "in a schema", "policy changes", "materialized changes"])
def test_files_are_drizzle_kits_to_the_byte_and_it_sees_no_change_after_them(name, tmp_path):
    """Its own command, run twice beside ours, writes the same files; run after ours, it has nothing to do."""
    oracle = node_oracle.require("v0")
    before, after_source = PAIRS[name]
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for source, word in ((before, "start"), (after_source, "next")):
        _put(theirs, {"schema.ts": HEAD + source, "drizzle.config.ts": CONFIG})
        oracle.kit(theirs, "generate", f"--name={word}")
    made, files = second(before, after_source)
    _put(ours, {**files, "schema.ts": HEAD + after_source, "drizzle.config.ts": CONFIG})
    assert made.tag == "0001_next"
    assert _written(ours) == _written(theirs)
    assert "No schema changes" in oracle.kit(ours, "generate").stdout


def test_a_renamed_column_table_and_type_leave_drizzle_kit_nothing_to_do(tmp_path):
    """What was answered is written as renames, and the snapshot says so too."""
    oracle = node_oracle.require("v0")
    before = "export const mood = pgEnum('mood', ['a']); export const users = pgTable('users', { id: integer().primaryKey(), nick: text().notNull().unique(), m: mood() }, (t) => [index('i').on(t.nick)]);"
    later = "export const feeling = pgEnum('feeling', ['a']); export const people = pgTable('people', { id: integer().primaryKey(), handle: text().notNull().unique(), m: feeling() }, (t) => [index('i').on(t.handle)]);"
    made, files = second(before, later, renames=["users=people", "people.nick=people.handle", "mood=feeling"])
    assert list(made.statements)[:3] == [
        'ALTER TYPE "public"."mood" RENAME TO "feeling";',
        'ALTER TABLE "users" RENAME TO "people";',
        'ALTER TABLE "people" RENAME COLUMN "nick" TO "handle";',
    ]
    _put(tmp_path, {**files, "schema.ts": HEAD + later, "drizzle.config.ts": CONFIG})
    assert "No schema changes" in oracle.kit(tmp_path, "generate").stdout
