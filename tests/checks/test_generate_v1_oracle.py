"""The v1 migrations that we write are those that the real drizzle-kit 1.0 writes: statements, deltas and footprints; after them it sees no change."""

import json
import re

import pytest

from tests import node_oracle
from tests.checks.generate_samples import PAIRS, V1_PAIRS
from tests.checks.generated import Generation, put

pytestmark = pytest.mark.node

V1 = Generation("v1")
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


def test_every_statement_is_drizzle_kits(tmp_path):
    """Eighty changes, two hundred that dice made, and sample schemas from nothing: the same statements in the same order."""
    oracle = node_oracle.require("v1")
    esbuild = str(node_oracle.require("v0").folder)

    def ask(pairs):
        return oracle.script(SCRIPT, tmp_path, stdin=json.dumps({"pairs": pairs, "esbuild": esbuild})).stdout

    pairs = PAIRS | V1_PAIRS | V1.pairs()
    for name in ("everything", "view of a view", "view of all columns of a join"):
        pairs.pop(name, None)  # its views are in order only in the command, below
    assert V1.wrong(pairs, ask) == []


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
    put(theirs, {}, before)
    oracle.kit(theirs, "generate", "--name=start")
    put(theirs, {}, later)
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
    made, files = V1.second(before, later, renames=renames, drops=[] if renames else V1.drops(before, later))
    assert not made.questions
    put(ours, files, later)
    assert _written(ours) == _written(theirs)
    assert "No schema changes" in oracle.kit(ours, "generate").stdout
