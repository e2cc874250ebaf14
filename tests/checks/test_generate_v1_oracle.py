"""The v1 migrations that we write are those that the real drizzle-kit 1.0 writes: statements, deltas and footprints; after them it sees no change."""

import json
import re

import pytest

from checks.drizzle import chain, generate
from checks.drizzle.model import Project
from checks.schema.read import read
from checks.tree import Tree
from tests import node_oracle
from tests.checks.generate_samples import PAIRS, V1_PAIRS, random_pair
from tests.checks.schema_samples import HEAD, bodies

pytestmark = pytest.mark.node

NOW = 1_700_000_000_000
PROJECT = Project(root="", format="v1", migrations_dir="drizzle", schema_files=("schema.ts",))
SCRIPT = r"""
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
const { pairs, esbuild: place } = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(import.meta.url);
const esbuild = createRequire(place + "/x.js")("esbuild");
const kit = require("drizzle-kit/api-postgres");
const answers = [];
const log = console.log;
process.exit = (code) => { throw new Error("exit " + code); };
console.log = console.error = console.info = () => {};
let count = 0;
async function load(source) {
  const target = path.resolve("case" + count++ + ".js");
  writeFileSync(target, esbuild.transformSync(source, { loader: "ts", format: "cjs", target: "node20" }).code);
  const exported = require(target);
  return kit.generateDrizzleJson(Object.fromEntries(Object.keys(exported).sort().map((key) => [key, exported[key]])));
}
async function migration(before, after) {
  const hints = [];  // what is new is new, never a rename
  for (;;) {
    try { return await kit.generateMigration(await load(before), await load(after), { hints }); }
    catch (failure) {
      if (!failure || !failure.missingHints) return String(failure && failure.stack || failure);
      hints.push(...failure.missingHints.map(({ kind, entity }) => ({ type: "create", kind, entity })));
    }
  }
}
for (const [before, after] of pairs) answers.push(await migration(before, after));
console.log = log;
console.log(JSON.stringify(answers));
"""


def schema(source):
    """What we read in a schema file."""
    return read(Tree.of({"schema.ts": HEAD + source}), ["schema.ts"], format="v1")


def after(files):
    """The chain that these files are."""
    return chain.read(Tree.of(files), PROJECT)


def second(source_before, source_after, **answers):
    """The migration from one schema to another, and all files with it."""
    files = dict(generate.migration(after({}), schema(source_before), name="start", when=NOW).files)
    made = generate.migration(after(files), schema(source_after), name="next", when=NOW + 5_000, **answers)
    return made, files | made.files


def drops(source_before, source_after):
    """Every column that is gone, by name, and whatever is asked about."""
    old, new = schema(source_before), schema(source_after)
    found = [
        f"{t.key.removeprefix('public.')}.{c.name}"
        for t in old
        if (other := new.table(t.key))
        for c in t.columns
        if c.name not in {each.name for each in other.columns}
    ]
    made, _ = second(source_before, source_after, drops=found)
    return [*found, *(question.gone for question in made.questions)]


def test_every_statement_is_drizzle_kits(tmp_path):
    """Eighty changes, two hundred that dice made, and sample schemas from nothing: the same statements in the same order."""
    oracle = node_oracle.require("v1")
    whole = {name: ("", body) for name, body in list(bodies("v1"))[::6]}
    drawn = {f"drawn {seed}": random_pair(seed) for seed in range(200)}
    pairs = PAIRS | V1_PAIRS | drawn | {name: pair for name, pair in whole.items() if not schema(pair[1]).unresolved}
    for name in ("everything", "view of a view"):
        pairs.pop(name, None)  # its views are in order only in the command, below
    question = {
        "pairs": [[HEAD + a, HEAD + b] for a, b in pairs.values()],
        "esbuild": str(node_oracle.require("v0").folder),
    }
    answers = json.loads(oracle.script(SCRIPT, tmp_path, stdin=json.dumps(question)).stdout.strip().splitlines()[-1])
    wrong = []
    for (name, (a, b)), theirs in zip(pairs.items(), answers, strict=True):
        if isinstance(theirs, str):
            wrong.append((name, theirs))
            continue
        ours, _ = second(a, b, drops=drops(a, b))
        assert not ours.questions, name
        if list(ours.statements) != theirs:
            wrong.append((name, list(ours.statements), theirs))
    assert wrong == []


CONFIG = 'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle" };'


def _put(folder, files):
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _written(folder):
    """The files of the migrations folder in order, without what is random or the time of day."""
    ids = {}
    found = []
    for path in sorted((folder / "drizzle").rglob("*.*")):
        text = path.read_text(encoding="utf-8")
        for known in re.findall(r'^  "id": "([^"]+)"', text, re.MULTILINE):
            ids[known] = f"id {len(ids)}"
        for known, plain in ids.items():
            text = text.replace(known, plain)
        found.append((re.sub(r"\d{14}", "", path.parent.name), path.name, text))
    return sorted(found, key=lambda each: (each[0] != "_start", each))


HINTS = {
    "renames": (
        ["users=people", "people.nick=people.handle", "mood=feeling", "people.old_i=people.new_i", "q=r"],
        [
            {"type": "rename", "kind": "enum", "from": ["public", "mood"], "to": ["public", "feeling"]},
            {"type": "rename", "kind": "sequence", "from": ["public", "q"], "to": ["public", "r"]},
            {"type": "rename", "kind": "table", "from": ["public", "users"], "to": ["public", "people"]},
            {"type": "rename", "kind": "column", "from": ["public", "people", "nick"], "to": ["public", "people", "handle"]},
            {"type": "rename", "kind": "index", "from": ["public", "people", "old_i"], "to": ["public", "people", "new_i"]},
        ],
    ),
    "moves": (
        ["t=s.t", "m=s.m", "v=s.w"],
        [
            {"type": "rename", "kind": "enum", "from": ["public", "m"], "to": ["s", "m"]},
            {"type": "rename", "kind": "table", "from": ["public", "t"], "to": ["s", "t"]},
            {"type": "rename", "kind": "view", "from": ["public", "v"], "to": ["s", "w"]},
        ],
    ),
}  # fmt: skip
RENAMED = {
    "renames": (
        "export const mood = pgEnum('mood', ['a']); export const q = pgSequence('q'); export const users = pgTable('users', { id: integer().primaryKey(), nick: text().notNull().unique(), m: mood() }, (t) => [index('old_i').on(t.nick)]); export const b = pgTable('b', { u: integer().references(() => users.id) });",
        "export const feeling = pgEnum('feeling', ['a']); export const q = pgSequence('r'); export const people = pgTable('people', { id: integer().primaryKey(), handle: text().notNull().unique(), m: feeling() }, (t) => [index('new_i').on(t.handle)]); export const b = pgTable('b', { u: integer().references(() => people.id) });",
    ),
    "moves": (
        "export const s = pgSchema('s'); export const m = pgEnum('m', ['a']); export const t = pgTable('t', { m: m(), n: text().unique() }, (x) => [index('i').on(x.n)]); export const v = pgView('v', { a: integer() }).as(sql`select 1 as a`);",
        "export const s = pgSchema('s'); export const m = s.enum('m', ['a']); export const t = s.table('t', { m: m(), n: text().unique() }, (x) => [index('i').on(x.n)]); export const w = s.view('w', { a: integer() }).as(sql`select 1 as a`);",
    ),
}


@pytest.mark.parametrize("name", ["everything", *(pytest.param(name, marks=pytest.mark.long) for name in RENAMED)])
def test_files_are_drizzle_kits_to_the_byte_and_it_sees_no_change_after_them(name, tmp_path):
    """Its own command, run twice beside ours, writes the same SQL, deltas and footprints; run after ours, it has nothing to do."""
    oracle = node_oracle.require("v1")
    before, later = (PAIRS | V1_PAIRS | RENAMED)[name]
    renames, hints = HINTS.get(name, ([], []))
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    _put(theirs, {"schema.ts": HEAD + before, "drizzle.config.ts": CONFIG})
    oracle.kit(theirs, "generate", "--name=start")
    _put(theirs, {"schema.ts": HEAD + later})
    answer: list[dict[str, object]] = list(hints)
    for _ in range(8):
        done = oracle.kit(
            theirs, "generate", "--name=next", "--output", "json", "--hints", json.dumps(answer), check=False
        )
        said = json.loads(done.stdout[done.stdout.index("{") :])
        if said["status"] != "missing_hints":
            break
        answer += [{"type": "create", "kind": u["kind"], "entity": u["entity"]} for u in said["unresolved"]]
    assert said["status"] == "ok", done.stdout + done.stderr
    made, files = second(before, later, renames=renames, drops=[] if renames else drops(before, later))
    assert not made.questions
    _put(ours, {**files, "schema.ts": HEAD + later, "drizzle.config.ts": CONFIG})
    assert _written(ours) == _written(theirs)
    assert "No schema changes" in oracle.kit(ours, "generate").stdout
